import { operandsOf, optionsOf, type Place, VALUE_FLAGS, valueOf } from "./completion_model.ts";
import { summaryOf } from "./help.ts";
import { flagOf, type OptionSpec, type Verb, VERBS } from "../config/options.ts";

/** A script for zsh 5, to be a file `_i2p-socks` in a folder of `$fpath`, or to be read with `source`. */
export function zshCompletions(): string {
  return `#compdef i2p-socks
# Completions of i2p-socks for zsh: i2p-socks completions zsh > "\${fpath[1]}/_i2p-socks"

_i2p-socks_verbs() {
  local -a verbs
  verbs=(
${VERBS.map((verb) => `    ${quote(`${verb}:${summaryOf(verb)}`)}`).join("\n")}
  )
  _describe -t verbs verb verbs
}

_i2p-socks_identities() {
  local -a names
  names=(\${(f)"$(_call_program identities i2p-socks keys list 2>/dev/null </dev/null)"})
  compadd -- \${names%% *}
}

_i2p-socks() {
  local word verb=serve skip=0
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if (( skip )); then
      skip=0
      continue
    fi
    case $word in
      (${VALUE_FLAGS.join("|")}) skip=1 ;;
      (-*) ;;
      (*) verb=$word; break ;;
    esac
  done
  case $verb in
${VERBS.map(verbCase).join("\n")}
    (*) _arguments '1: :_i2p-socks_verbs' ;;
  esac
}

if [[ \${funcstack[1]} == _i2p-socks ]]; then
  _i2p-socks "$@"
else
  compdef _i2p-socks i2p-socks
fi`;
}

function verbCase(verb: Verb): string {
  const specs = [
    ...optionsOf(verb).map(optionSpec),
    quote("1: :_i2p-socks_verbs"),
    ...operandsOf(verb).map((place, i) => quote(`${i + 2}: :${actionOf(place)}`)),
    ...(operandsOf(verb).length === 0 ? [quote("*: : ")] : []),
  ];
  return `    (${verb})\n      _arguments \\\n${specs.map((spec) => `        ${spec}`).join(" \\\n")}\n      ;;`;
}

function optionSpec(option: OptionSpec): string {
  const flag = flagOf(option);
  const place = valueOf(option);
  const help = option.help.replace(/[[\]\\:]/g, "\\$&");
  const repeats = option.repeatable === true ? "*" : "";
  if (place === undefined) return quote(`${repeats}${flag}[${help}]`);
  // A long option takes its value behind = too, a short one in the same word.
  const joint = option.name.length === 1 ? "+" : "=";
  return quote(`${repeats}${flag}${joint}[${help}]:${option.value?.replaceAll(":", "\\:")}:${actionOf(place)}`);
}

function actionOf(place: Place): string {
  switch (place.kind) {
    case "words":
      return `(${place.words.join(" ")})`;
    case "list":
      return `_values -s , word ${place.words.join(" ")}`;
    case "file":
      return "_files";
    case "folder":
      return "_files -/";
    case "identity":
      return "_i2p-socks_identities";
    case "text":
      return " ";
  }
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
