# Completion of berth(1) for bash: verbs, flags as the verb's own --help lists them, containers and images.

_berth_flags() {
  berth "$1" --help 2>/dev/null | sed -nE 's/^ *(-[A-Za-z], )?(--[a-z0-9-]+).*/\2/p'
}

_berth() {
  local word=${COMP_WORDS[COMP_CWORD]} verb="" i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -H | --host) ((i++)) ;;
      -*) ;;
      *)
        verb=${COMP_WORDS[i]}
        break
        ;;
    esac
  done
  if [[ -z $verb ]]; then
    mapfile -t COMPREPLY < <(compgen -W "attach create events images import info inspect kill load logs ps rename rm rmi
      run start stop tag version wait --host --version --help" -- "$word")
    return
  fi
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_berth_flags "$verb")" -- "$word")
    return
  fi
  case $verb in
    attach | kill | logs | stop | wait)
      mapfile -t COMPREPLY < <(compgen -W "$(berth ps --format '{{.Names}}' 2>/dev/null)" -- "$word")
      ;;
    inspect | rename | rm | start)
      mapfile -t COMPREPLY < <(compgen -W "$(berth ps -a --format '{{.Names}}' 2>/dev/null)" -- "$word")
      ;;
    create | rmi | run | tag)
      # A colon is a word of its own to readline; complete the part behind it.
      mapfile -t COMPREPLY < <(compgen -W "$(berth images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null)" -- "$word")
      declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$word"
      ;;
    import | load)
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      ;;
  esac
}

complete -F _berth berth
