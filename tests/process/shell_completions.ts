import { installProxy, PROJECT, runCommand } from "../support/command.ts";

/** Shells that completions are tried in. */
export type Shell = "bash" | "zsh" | "fish";

/** Stands in front of what the shell offers for one line. */
const MARK = "## ";

/** Calls the completion function as bash does: the words cut at its word breaks, the whole line, and the place in it. */
const BASH = `source "$0"
for line in "$@"; do
  COMP_LINE=$line COMP_POINT=\${#line} COMPREPLY=()
  split=\${line//=/ = }
  read -ra COMP_WORDS <<<"$split"
  [[ $line == *' ' ]] && COMP_WORDS+=("")
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _i2p_socks
  printf '%s\\n' "${MARK}" "\${COMPREPLY[@]}"
done`;

/**
 * Types the line into a zsh on a terminal of its own, and has it list what it would complete. It waits until zsh edits a
 * line: before, the terminal itself would take Ctrl+U, and drop the line with it.
 */
const ZSH = `zmodload zsh/zpty
zpty -b z zsh -f -i
wait_for() {
  local piece
  got=
  for i in {1..600}; do
    while zpty -rt z piece; do got+=$piece; done
    [[ $got == *$1* ]] && return
    sleep 0.05
  done
  print -r -- "no $1 in: $got" >&2
  exit 1
}
zpty -w z "stty rows 900 cols 300; LISTMAX=9999; PS1='> '; unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source $0; bindkey '^T' list-choices; zle-line-init() { print -n EDI''TING }; zle -N zle-line-init"
wait_for EDITING
for line in "$@"; do
  zpty -w -n z "$line"$'\\x14'
  zpty -w z $'\\x15'"print DO''NE"
  wait_for EDITING
  print -r -- "${MARK}"
  print -r -- "$got"
done
zpty -d z`;

const FISH = `source $argv[1]
for line in $argv[2..-1]
    echo "${MARK}"
    complete -C $line
end`;

const ARGS: Readonly<Record<Shell, readonly string[]>> = {
  bash: ["--norc", "-c", BASH],
  zsh: ["-f", "-c", ZSH],
  fish: ["--no-config", "-c", FISH],
};

/**
 * What a real shell offers for lines with the cursor at their ends: the words, and what stands beside them.
 *
 * @param folder where the program is put, and a folder of keys that has the identities `irc` and `mail`.
 */
export async function complete(shell: Shell, folder: string, lines: readonly string[]): Promise<string[][]> {
  await installProxy(folder);
  await Deno.mkdir(`${folder}/keys`, { recursive: true });
  for (const name of ["irc", "mail"]) await Deno.writeTextFile(`${folder}/keys/${name}.dat`, "");
  const env = {
    PATH: `${folder}:${Deno.env.get("PATH")}`,
    HOME: folder,
    TERM: "xterm",
    DENO_NO_UPDATE_CHECK: "1",
    I2P_SOCKS_KEYS_DIR: `${folder}/keys`,
  };
  const script = `${PROJECT}lib/templates/completions.${shell}`;
  const { code, stdout, stderr } = await runCommand(shell, [...ARGS[shell], script, ...lines], { env });
  if (code !== 0 || stderr !== "") throw new Error(`${shell} ended with ${code}: ${stderr}`);
  return stdout.split(`${MARK}\n`).slice(1).map((text) =>
    (shell === "zsh" ? listing(text) : text).split("\n").filter(Boolean)
  );
}

/** What zsh lists on its terminal, between the line and its prompt: one for each line that has a description. */
function listing(text: string): string {
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]/g, "").replace(/.\x08/g, "");
  const [, list = ""] = /i2p-socks[^\n]*\n([\s\S]*?)\r\S*i2p-socks[\s\S]*DO''NE/.exec(plain) ?? [];
  return list.split(/\r*\n/).flatMap((line) => line.includes(" -- ") ? [line] : line.trim().split(/\s+/)).join("\n");
}
