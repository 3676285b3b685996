/** The script by which fish completes. */
import type { CompletedCommand, CompletedOption, Kind, TenderOption } from "./model.js";

/** A word in quotes of the shell's. */
function quote(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&")}'`;
}

/** What follows an option's or an argument's condition, for values of a kind. */
function candidatesOf(kind: Kind): string {
  if (typeof kind !== "string") return `-a ${quote(kind.words.join(" "))}`;
  if (kind === "named") return "-F";
  if (kind === "path") return "-a '(__docteur_paths)'";
  if (kind === "file") return "-F";
  return kind === "directory" ? "-a '(__fish_complete_directories (commandline -ct))'" : "";
}

function optionLine(command: string, { names, text, value }: CompletedOption): string {
  const parts = [`complete -c docteur -n ${quote(`__docteur_uses ${command}`)}`];
  for (const name of names) parts.push(name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`);
  if (value !== undefined) {
    const isFile = value.kind === "file" || value.kind === "named";
    parts.push(isFile ? "-r" : "-x", candidatesOf(value.kind));
  }
  parts.push(`-d ${quote(text)}`);
  return parts.filter((part) => part !== "").join(" ");
}

function argumentLines({ name, arguments: args, isLastRepeated }: CompletedCommand): string[] {
  return args.flatMap(({ kind }, index) => {
    const candidates = candidatesOf(kind);
    if (candidates === "") return [];
    const comparison = isLastRepeated && index === args.length - 1 ? "-ge" : "-eq";
    return [`complete -c docteur -n ${quote(`__docteur_at ${name} ${comparison} ${index}`)} ${candidates}`];
  });
}

function valuedCase({ name, options, imageIndex }: CompletedCommand): string {
  const valued = options.filter(({ value }) => value !== undefined).flatMap(({ names }) => names);
  return `    case ${name}
      set -g __docteur_valued ${valued.join(" ")}
      set -g __docteur_image ${(imageIndex ?? 0) + 1}`;
}

/** The script. */
export function fishScript(commands: readonly CompletedCommand[], tender: readonly TenderOption[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  const subcommands = commands.map(
    ({ name, summary }) => `complete -c docteur -n __docteur_needs_command -a ${name} -d ${quote(summary)}`,
  );
  const lines = commands.flatMap((command) => [
    ...command.options.map((option) => optionLine(command.name, option)),
    ...argumentLines(command),
  ]);
  const tenderLines = tender.map(
    ({ word, text }) => `complete -c solo5-wasm -n __solo5_option -a ${quote(word)} -d ${quote(text)}`,
  );
  return `# fish completion of docteur and solo5-wasm, printed by docteur completion fish.

function __docteur_needs_command
  test (count (commandline -opc)) -eq 1
end

function __docteur_uses
  set -l words (commandline -opc)
  set -q words[2]; and test $words[2] = $argv[1]
end

# The options of subcommand $argv[1] that take values, and the place of its image.
function __docteur_knowledge
  set -g __docteur_valued
  set -g __docteur_image 1
  switch $argv[1]
${commands.map(valuedCase).join("\n")}
  end
end

# The arguments before the cursor, without options and their values.
function __docteur_given
  set -l words (commandline -opc)
  set -q words[2]; or return
  __docteur_knowledge $words[2]
  set -e words[1..2]
  set -l ended 0
  while set -q words[1]
    set -l word $words[1]
    set -e words[1]
    if test $ended = 1; or not string match -qr -- '^-.' $word
      printf '%s\\n' $word
    else if test $word = --
      set ended 1
    else if contains -- $word $__docteur_valued
      set -e words[1]
    end
  end
end

# Whether subcommand $argv[1] has as many arguments before the cursor as $argv[2..3] say.
function __docteur_at
  __docteur_uses $argv[1]; and test (count (__docteur_given)) $argv[2] $argv[3]
end

# Paths in the image of the command line.
function __docteur_paths
  set -l words (commandline -opc)
  set -l given (__docteur_given)
  __docteur_knowledge $words[2]
  set -q given[$__docteur_image]; or return
  set -l start (commandline -ct)
  set -l plain (string unescape -- $start 2>/dev/null)
  or set plain (string replace -r '^["\\']' '' -- $start)
  set -l image (string replace -r '^~(?=/)' $HOME -- $given[$__docteur_image])
  $words[1] completion --paths $image "$plain" 2>/dev/null
end

complete -c docteur -f
complete -c docteur -n __docteur_needs_command -l help -d 'print this help'
complete -c docteur -n __docteur_needs_command -l version -d 'print the version'
complete -c docteur -n __docteur_needs_command -a help -d 'describe a subcommand'
${subcommands.join("\n")}
complete -c docteur -n '__docteur_uses help' -a ${quote(names)}
${lines.join("\n")}

# Whether an option is being typed, and not yet its value.
function __solo5_option
  string match -qr -- '^-[^=]*$' (commandline -ct)
end

${tenderLines.join("\n")}
`;
}
