import { operandsOf, optionsOf, type Place, VALUE_FLAGS, valueOf } from "./completion_model.ts";
import { flagOf, OPTIONS, VERBS } from "../config/options.ts";

/** A script for bash 3.2 or later, without the package bash-completion. */
export function bashCompletions(): string {
  const values = OPTIONS.flatMap((option) => {
    const action = actionOf(valueOf(option));
    return action === undefined ? [] : [`    ${flagOf(option)}) ${action} ;;`];
  });
  const operands = VERBS.flatMap((verb) =>
    operandsOf(verb).flatMap((place, i) => {
      const action = actionOf(place);
      return action === undefined ? [] : [`    ${verb}:${i}) ${action} ;;`];
    })
  );
  const options = VERBS.map((verb) => `    ${verb}) _i2p_socks_words "${optionsOf(verb).map(flagOf).join(" ")}" ;;`);
  return `# Completions of i2p-socks for bash: source <(i2p-socks completions bash)

_i2p_socks_words() {
  COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_i2p_socks_list() {
  local done=
  [[ $cur == *,* ]] && done=\${cur%,*},
  COMPREPLY=($(compgen -P "$done" -W "$1" -- "\${cur##*,}"))
  compopt -o nospace 2>/dev/null
}

_i2p_socks_paths() {
  local path
  COMPREPLY=()
  while IFS= read -r path; do COMPREPLY+=("$path"); done < <(compgen "$1" -- "$cur")
  compopt -o filenames 2>/dev/null
}

_i2p_socks_identities() {
  _i2p_socks_words "$("\${COMP_WORDS[0]}" keys list 2>/dev/null </dev/null | cut -d ' ' -f 1)"
}

_i2p_socks_value() {
  case $1 in
${values.join("\n")}
  esac
}

_i2p_socks_operand() {
  case $1 in
${operands.join("\n")}
  esac
}

_i2p_socks_options() {
  case $1 in
${options.join("\n")}
  esac
}

_i2p_socks() {
  local line=\${COMP_LINE:0:COMP_POINT} words word cur verb= option= count=0
  COMPREPLY=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=\${words[\${#words[@]} - 1]}
  for word in "\${words[@]:1:\${#words[@]} - 2}"; do
    if [[ -n $option ]]; then
      option=
      continue
    fi
    case $word in
      ${VALUE_FLAGS.join("|")}) option=$word ;;
      -*) ;;
      *) if [[ -z $verb ]]; then verb=$word; else count=$((count + 1)); fi ;;
    esac
  done
  if [[ -n $option ]]; then
    _i2p_socks_value "$option"
  elif [[ $cur == --*=* ]]; then
    option=\${cur%%=*}
    cur=\${cur#*=}
    _i2p_socks_value "$option"
  elif [[ $cur == -* ]]; then
    _i2p_socks_options "\${verb:-serve}"
  elif [[ -z $verb ]]; then
    _i2p_socks_words "${VERBS.join(" ")}"
  else
    _i2p_socks_operand "$verb:$count"
  fi
}

complete -F _i2p_socks i2p-socks`;
}

function actionOf(place: Place | undefined): string | undefined {
  switch (place?.kind) {
    case "words":
      return `_i2p_socks_words "${place.words.join(" ")}"`;
    case "list":
      return `_i2p_socks_list "${place.words.join(" ")}"`;
    case "file":
      return "_i2p_socks_paths -f";
    case "folder":
      return "_i2p_socks_paths -d";
    case "identity":
      return "_i2p_socks_identities";
    default:
      return undefined;
  }
}
