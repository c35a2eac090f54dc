import { bashCompletions } from "../../lib/cli/completions_bash.ts";
import { fishCompletions } from "../../lib/cli/completions_fish.ts";
import { zshCompletions } from "../../lib/cli/completions_zsh.ts";
import type { Shell } from "../../lib/cli/completion_shells.ts";
import { runCommand } from "../support/command.ts";

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

const SHELL: Readonly<Record<Shell, { script: () => string; args: readonly string[] }>> = {
  bash: { script: bashCompletions, args: ["--norc", "-c", BASH] },
  zsh: { script: zshCompletions, args: ["-f", "-c", ZSH] },
  fish: { script: fishCompletions, args: ["--no-config", "-c", FISH] },
};

/**
 * What a real shell offers for lines with the cursor at their ends: the words, and what stands beside them.
 *
 * @param folder where the script and a stand-in for the program are put; its `keys list` names `irc` and `mail`.
 */
export async function complete(shell: Shell, folder: string, lines: readonly string[]): Promise<string[][]> {
  const { script, args } = SHELL[shell];
  const path = `${folder}/completions.${shell}`;
  await Deno.writeTextFile(path, script());
  await Deno.writeTextFile(`${folder}/i2p-socks`, "#!/bin/sh\necho irc b32=x\necho mail b32=y\n", { mode: 0o755 });
  const env = { PATH: `${folder}:${Deno.env.get("PATH")}`, HOME: folder, TERM: "xterm" };
  const { code, stdout, stderr } = await runCommand(shell, [...args, path, ...lines], { env });
  if (code !== 0 || stderr !== "") throw new Error(`${shell} ended with ${code}: ${stderr}`);
  return stdout.split(`${MARK}\n`).slice(1).map((text) =>
    (shell === "zsh" ? listing(text) : text).split("\n").filter(Boolean)
  );
}

/** What zsh lists on its terminal, between the line and its prompt: one for each line that has a description. */
function listing(text: string): string {
  // deno-lint-ignore no-control-regex
  const plain = text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]/g, "").replace(/.\x08/g, "");
  const [, list = ""] = /i2p-socks[^\n]*\n([\s\S]*?)\ri2p-socks [\s\S]*DO''NE/.exec(plain) ?? [];
  return list.split(/\r*\n/).flatMap((line) => line.includes(" -- ") ? [line] : line.trim().split(/\s+/)).join("\n");
}
