# Completion of berth(1) for bash. Commands and flags are those that --help lists, so they are the program's own;
# containers and images are asked of the engine.

_berth_commands() {
  berth "$@" --help 2>/dev/null | sed -nE '/Commands:$/,/^$/s/^  ([a-z]+) .*/\1/p'
}

_berth_flags() {
  berth "$@" --help 2>/dev/null | sed -nE 's/^  (-., |    )(--[a-z0-9-]+).*/\2/p'
  echo --help
}

# _berth_takes_value FLAG COMMAND...: its line names a value: "  -e, --env list   Set ...".
_berth_takes_value() {
  local flag=$1
  shift
  berth "$@" --help 2>/dev/null | grep -qE -- "^ +(-., )?$flag( |, --[a-z0-9-]+ )[a-z0-9]"
}

_berth_containers() { "$@" --format '{{.Names}}' 2>/dev/null; }
_berth_images() { "$@" images --format '{{.Repository}}:{{.Tag}}' 2>/dev/null; }

# What may follow the flags of a command: _berth_operands ENGINE... -- COMMAND...
_berth_operands() {
  local -a engine=()
  while [[ $1 != -- ]]; do
    engine+=("$1")
    shift
  done
  case "$*" in
    "-- inspect")
      _berth_containers "${engine[@]}" ps -a
      _berth_images "${engine[@]}"
      ;;
    *" create" | *" history" | *" pull" | *" push" | *" save" | *" run" | *" rmi" | *" tag" | "-- image rm" | "-- image inspect") _berth_images "${engine[@]}" ;;
    *" attach" | *" kill" | *" stop" | *" wait") _berth_containers "${engine[@]}" ps ;;
    *" commit" | *" diff" | *" export" | *" inspect" | *" logs" | *" rename" | *" rm" | *" start") _berth_containers "${engine[@]}" ps -a ;;
  esac
}

_berth() {
  # Split at blanks: bash's own words end at each colon of a socket's or an image's name.
  local line=${COMP_LINE:0:COMP_POINT} found i
  local -a words engine=(berth) command=()
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] && words+=("")
  local word=${words[-1]} previous=${words[-2]-}
  COMPREPLY=()

  found=$(_berth_commands)
  for ((i = 1; i < ${#words[@]} - 1 && ${#found} > 0; i++)); do
    case ${words[i]} in
      -H | --host)
        engine+=(--host "${words[i + 1]}")
        ((++i))
        ;;
      --host=*) engine+=("${words[i]}") ;;
      -*) ;;
      *)
        command+=("${words[i]}")
        found=$(_berth_commands "${command[@]}") # of a group; a command has none
        ;;
    esac
  done

  if [[ $previous == -* ]] && _berth_takes_value "$previous" "${command[@]}"; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
  fi
  if [[ $word == -* ]]; then
    found=$(_berth_flags "${command[@]}")
  elif [[ -z $found ]]; then
    found=$(_berth_operands "${engine[@]}" -- "${command[@]}")
  fi
  mapfile -t COMPREPLY < <(compgen -W "$found" -- "$word")
  if [[ ${#COMPREPLY[@]} -eq 0 && ${command[*]} =~ (^| )(create|import|load|run)$ ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
  # What bash replaces is the part behind the last colon.
  if [[ $word == *:* && ${COMP_WORDBREAKS-} == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*:}"}"}")
  fi
}

complete -F _berth berth
