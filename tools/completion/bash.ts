/** The script by which bash completes. */
import type { CompletedCommand, Kind, TenderOption } from "./model.js";

/** A word in quotes of the shell's. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What the script calls a kind. */
function kindWord(kind: Kind): string {
  return typeof kind === "string" ? kind : `words ${kind.words.join(" ")}`;
}

/** A function that sets what there is to know of a subcommand, and the kind of the value of option `$1`. */
function commandFunction({
  name,
  options,
  arguments: args,
  isLastRepeated,
  imageIndex,
}: CompletedCommand): string {
  const names = options.flatMap((option) => option.names);
  const valued = options.filter(({ value }) => value !== undefined);
  const cases = valued.map(
    ({ names: own, value }) => `    ${own.join("|")}) kind=${quote(kindWord(value!.kind))} ;;`,
  );
  const kinds = args.map(({ kind }) => quote(kindWord(kind)));
  return `__docteur_${name}() {
  options=${quote(names.join(" "))}
  valued=${quote(valued.flatMap((option) => option.names).join(" "))}
  kinds=(${kinds.join(" ")})
  rest=${isLastRepeated ? (kinds.at(-1) ?? "none") : "none"}
  image=${imageIndex ?? "none"}
  case \${1-} in
${cases.length === 0 ? "    *) ;;" : cases.join("\n")}
  esac
}`;
}

const FUNCTIONS = `
# The word $1 without the shell's quotes, and with the home directory for ~.
__docteur_plain() {
  local text=$1 quote= char plain=
  case $text in '~/'*) plain=$HOME text=\${text#'~'} ;; esac
  while [ -n "$text" ]; do
    char=\${text:0:1} text=\${text:1}
    if [ "$quote" = "'" ]; then
      if [ "$char" = "'" ]; then quote=; else plain+=$char; fi
    elif [ "$char" = "\\\\" ]; then
      plain+=\${text:0:1} text=\${text:1}
    elif [ "$char" = '"' ]; then
      if [ "$quote" = '"' ]; then quote=; else quote='"'; fi
    elif [ "$char" = "'" ] && [ -z "$quote" ]; then
      quote="'"
    else
      plain+=$char
    fi
  done
  printf '%s' "$plain"
}

# How the shell is to treat the words; outside of a completion there is nothing to set.
__docteur_option() {
  compopt "$@" 2>/dev/null || :
}

# The paths in image $2 that begin with $3, from program $1; $4 is a begin that the shell does not replace.
__docteur_paths() {
  local path
  __docteur_option +o default -o filenames
  while IFS= read -r path; do
    COMPREPLY+=("\${path#"$4"}")
  done < <("$(__docteur_plain "$1")" completion --paths "$(__docteur_plain "$2")" "$(__docteur_plain "$3")" 2>/dev/null)
  if [ \${#COMPREPLY[@]} = 1 ]; then
    case \${COMPREPLY[0]} in */) __docteur_option -o nospace ;; esac
  fi
}

_docteur() {
  local words=() word index=0 place=0 cur image_word= pending= ended= lead= kind=
  local options= valued= kinds=() rest=none image=none
  COMPREPLY=()
  # The shell splits words at = and :, also inside of options and URLs.
  for ((index = 0; index <= COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    if ((place > 1)) && { [[ $word == [=:]* ]] || [[ \${words[place-1]} == *[=:] ]]; }; then
      lead=\${words[place-1]}
      words[place-1]+=$word
      case $word in [=:]*) lead=\${words[place-1]} ;; esac
    else
      words[place++]=$word
      lead=
    fi
  done
  cur=\${words[place-1]}
  if ((place <= 2)); then
    __docteur_option +o default
    COMPREPLY=($(compgen -W "$__docteur_commands help --help --version" -- "$cur"))
    return
  fi
  local command=\${words[1]}
  if [ "$command" = help ]; then
    __docteur_option +o default
    COMPREPLY=($(compgen -W "$__docteur_commands" -- "$cur"))
    return
  fi
  case " $__docteur_commands " in *" $command "*) ;; *) return ;; esac
  "__docteur_$command"
  local position=0
  for ((index = 2; index < place - 1; index++)); do
    word=\${words[index]}
    pending=
    if [ -n "$ended" ] || [[ $word != -?* ]]; then
      if [ "$position" = "$image" ]; then image_word=$word; fi
      ((++position))
    elif [ "$word" = -- ]; then
      ended=1
    elif [[ " $valued " == *" $word "* ]]; then
      pending=$word
      ((++index))
    fi
  done
  # The value of an option is the last word only if nothing follows it.
  ((index == place)) || pending=
  if [ -z "$ended$pending" ] && [[ $cur == --*=* ]]; then
    pending=\${cur%%=*} cur=\${cur#*=} lead=
  fi
  if [ -n "$pending" ]; then
    "__docteur_$command" "$pending"
  elif [ -z "$ended" ] && [[ $cur == -* ]]; then
    __docteur_option +o default
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
    return
  elif ((position < \${#kinds[@]})); then
    kind=\${kinds[position]}
  else
    kind=$rest
  fi
  case $kind in
    file|named) ;;
    directory) __docteur_option +o default -o dirnames ;;
    path) __docteur_paths "\${words[0]}" "$image_word" "$cur" "$lead" ;;
    'words '*)
      __docteur_option +o default
      COMPREPLY=($(compgen -W "\${kind#words }" -- "$cur"))
      ;;
    *) __docteur_option +o default ;;
  esac
}

complete -o bashdefault -o default -F _docteur docteur

# The shell itself completes files, also behind the = that it splits words at.
_solo5_wasm() {
  local cur=\${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  [[ $cur == -* ]] || return
  __docteur_option +o default -o nospace
  COMPREPLY=($(compgen -W "$__solo5_options" -- "$cur"))
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} != *[=:] ]]; then __docteur_option +o nospace; fi
}

complete -o bashdefault -o default -F _solo5_wasm solo5-wasm
`;

/** The script. */
export function bashScript(commands: readonly CompletedCommand[], tender: readonly TenderOption[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion of docteur and solo5-wasm, printed by docteur completion bash.

__docteur_commands=${quote(names)}
__solo5_options=${quote(tender.map(({ word }) => word).join(" "))}

${commands.map(commandFunction).join("\n\n")}
${FUNCTIONS}`;
}
