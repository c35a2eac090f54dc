#compdef i2p-socks
# Completions of i2p-socks for zsh 5: i2p-socks completions zsh > "${fpath[1]}/_i2p-socks"
_i2p-socks() {
  local -a found line=("${(@Q)words[1,CURRENT-1]}") program suffix
  program=$line[1]
  shift line
  found=("${(@f)$($~program complete -- "${line[@]}" "$PREFIX" 2>/dev/null </dev/null)}")
  case $found[1] in
    (:file) compset -P '--*='; _files; return ;;
    (:folder) compset -P '--*='; _files -/; return ;;
    (:list) suffix=(-q -S ,) ;;
  esac
  shift found
  found=(${found//:/\\:})
  found=(${found/$'\t'/:})
  _describe -t words word found $suffix
}
if [[ ${funcstack[1]} == _i2p-socks ]]; then _i2p-socks "$@"; else compdef _i2p-socks i2p-socks; fi
