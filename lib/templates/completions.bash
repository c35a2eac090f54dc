# Completions of i2p-socks for bash 3.2 or later: source <(i2p-socks completions bash)
_i2p_socks() {
  local line=${COMP_LINE:0:COMP_POINT} words current word kind=
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]} - 1]#--*=} # Bash cuts words at "=".
  COMPREPLY=()
  while IFS= read -r word; do
    word=${word%%$'\t'*} word=${word#--*=}
    if [[ -z $kind ]]; then kind=$word; elif [[ $word == "$current"* ]]; then COMPREPLY+=("$word"); fi
  done < <("${words[0]/#\~\//$HOME/}" complete -- "${words[@]:1}" 2>/dev/null </dev/null)
  [[ $kind == :list ]] && compopt -o nospace 2>/dev/null
  [[ $kind == :file || $kind == :folder ]] || return 0
  compopt -o filenames 2>/dev/null
  [[ $kind == :file ]] && kind=-f || kind=-d
  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$kind" -- "$current")
}
complete -F _i2p_socks i2p-socks
