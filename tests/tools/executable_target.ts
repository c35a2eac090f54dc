/** Machines by their numbers in each format of executables. */
const MACHINES = {
  /** `e_machine` of ELF. */
  elf: new Map([[0x3e, "x86_64-unknown-linux-gnu"], [0xb7, "aarch64-unknown-linux-gnu"]]),
  /** `Machine` of PE. */
  pe: new Map([[0x8664, "x86_64-pc-windows-msvc"], [0xaa64, "aarch64-pc-windows-msvc"]]),
  /** `cputype` of Mach-O. */
  macho: new Map([[0x01000007, "x86_64-apple-darwin"], [0x0100000c, "aarch64-apple-darwin"]]),
} as const;

/** The target of `deno compile` that an executable's header is for, or `undefined` for any other file. */
export function targetOf(file: Uint8Array): string | undefined {
  if (file.length < 0x40) return undefined;
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = view.getUint32(0);
  if (magic === 0x7f454c46) return MACHINES.elf.get(view.getUint16(0x12, true));
  if (magic === 0xcffaedfe) return MACHINES.macho.get(view.getUint32(4, true));
  if (magic >>> 16 !== 0x4d5a) return undefined;
  // An old header comes first; at 0x3c it says where the new one is.
  const at = view.getUint32(0x3c, true);
  if (at + 6 > file.length || view.getUint32(at) !== 0x50450000) return undefined;
  return MACHINES.pe.get(view.getUint16(at + 4, true));
}
