/** The script by which zsh completes. */
import type { CompletedCommand, CompletedOption, Kind, TenderOption } from "./model.js";

/** A word in quotes of the shell's. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A text inside of a specification of `_arguments`. */
function escaped(text: string): string {
  return text.replace(/[\\[\]:]/g, "\\$&");
}

function action(kind: Kind): string {
  if (typeof kind !== "string") return `(${kind.words.join(" ")})`;
  if (kind === "path") return "->paths";
  if (kind === "file") return "_files";
  if (kind === "named") return "_docteur_named";
  return kind === "directory" ? "_files -/" : " ";
}

function optionSpecs({ names, text, value, repeated }: CompletedOption): string[] {
  const excluded = repeated ? "*" : names.length > 1 ? `(${names.join(" ")})` : "";
  const tail = value === undefined ? "" : `:${escaped(value.name)}:${action(value.kind)}`;
  return names.map((name) => {
    const sign = value === undefined ? "" : name.startsWith("--") ? "=" : "+";
    return quote(`${excluded}${name}${sign}[${escaped(text)}]${tail}`);
  });
}

function commandCase(command: CompletedCommand): string {
  const { name, options, arguments: args, isLastRepeated } = command;
  const specs = options.flatMap(optionSpecs);
  args.forEach(({ name: argument, kind }, index) => {
    const place = isLastRepeated && index === args.length - 1 ? "*" : String(index + 1);
    specs.push(quote(`${place}:${escaped(argument)}:${action(kind)}`));
  });
  return `    ${name})
      _arguments -C -s -S : \\
        ${specs.join(" \\\n        ")} && result=0
      image=${(command.imageIndex ?? 0) + 1}
      ;;`;
}

/** The script. */
export function zshScript(commands: readonly CompletedCommand[], tender: readonly TenderOption[]): string {
  const list = commands.map(({ name, summary }) => quote(`${name}:${escaped(summary)}`));
  const words = (hasValue: boolean): string =>
    tender
      .filter(({ word }) => /[=:]$/.test(word) === hasValue)
      .map(({ word }) => word)
      .join(" ");
  const files = tender.filter(({ hasFile }) => hasFile).map(({ word }) => `${word}*=*`);
  return `#compdef docteur solo5-wasm
# zsh completion of docteur and solo5-wasm, printed by docteur completion zsh.

# A file, behind a name and = or without.
_docteur_named() {
  compset -P '*='
  _files
}

# The paths in image $2, from program $1.
_docteur_paths() {
  local image=\${(Q)2}
  local -a found folders
  [[ $image == '~/'* ]] && image=$HOME\${image#'~'}
  found=("\${(@f)$(\${(Q)1/#'~\\/'/$HOME/} completion --paths $image "\${(Q)PREFIX}" 2>/dev/null)}")
  found=(\${found:#})
  folders=(\${(M)found:#*/})
  found=(\${found:#*/})
  (( $#folders )) && compadd -S '' -- $folders
  (( $#found )) && compadd -- $found
  (( $#folders + $#found ))
}

_solo5_wasm() {
  local result=1
  case $PREFIX in
    ${files.join("|")}) _docteur_named && result=0 ;;
    -*)
      compadd -S '' -- ${words(true)} && result=0
      compadd -- ${words(false)} && result=0
      ;;
    *) _files && result=0 ;;
  esac
  return result
}

_docteur() {
  if [[ $service == solo5-wasm ]]; then
    _solo5_wasm
    return
  fi
  local curcontext=$curcontext state program=$words[1] image=1 result=1
  local -a line
  typeset -A opt_args
  local -a commands=(
    ${list.join("\n    ")}
  )
  if (( CURRENT == 2 )); then
    if [[ $PREFIX == -* ]]; then
      compadd -- --help --version
    else
      _describe -t commands subcommand commands
    fi
    return
  fi
  shift words
  (( CURRENT-- ))
  case $words[1] in
    help)
      (( CURRENT == 2 )) && _describe -t commands subcommand commands && result=0
      ;;
${commands.map(commandCase).join("\n")}
  esac
  [[ $state == paths ]] && _docteur_paths $program "$line[image]" && result=0
  return result
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _docteur "$@"
else
  compdef _docteur docteur solo5-wasm
fi
`;
}
