/** An option with its value, as a service is to start with it. */
export interface ServiceOption {
  /** Its name without hyphens. */
  name: string;
  /** Its value; undefined for a switch. */
  value?: string;
}

/** Options whose value is a file that the service reads. */
export const INPUT_FILE_OPTIONS: readonly string[] = [
  "auth-file",
  "sam-password-file",
  "secrets-file",
  "hosts",
  "config",
];

/** An option as a word of a command line. */
export function wordOf({ name, value }: ServiceOption): string {
  if (name.length === 1) return `-${name}${value ?? ""}`;
  return value === undefined ? `--${name}` : `--${name}=${value}`;
}
