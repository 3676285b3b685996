/** Helps: each has the form that man pages and completions are made from, and says what its command takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { argumentsOf, type HelpOption, optionsOf, parseHelp } from "../../tools/cli/help-text.js";
import { HELP_WIDTH } from "../../tools/cli/option-help.js";
import { generalHelp } from "../../tools/commands/general-help.js";
import { COMMANDS } from "../../tools/commands/table.js";
import { parseCommandLine } from "../../tools/solo5/command-line.js";
import { SOLO5_HELP } from "../../tools/solo5/help.js";

/** The name by which `parseArgs` knows an option: a letter alone is its own name. */
const nameOf = ({ long, short }: HelpOption): string => long ?? short!;

function checkForm(help: string, program: string): void {
  for (const line of help.split("\n")) {
    assert.ok(line.length <= HELP_WIDTH, `${program}: ${line.length} columns: ${line}`);
    assert.equal(line, line.trimEnd(), program);
    assert.ok(!line.includes("\t"), program);
  }
  const { usage, exits } = parseHelp(help);
  for (const form of usage) assert.ok(`${form} `.startsWith(`${program} `), form);
  assert.ok(exits.length > 2, program);
  assert.deepEqual(
    exits.map(({ status }) => status),
    exits.map(({ status }) => status).sort((one, other) => one - other),
  );
  for (const option of optionsOf(parseHelp(help)))
    assert.ok(option.text !== "", `${program} --${option.long}`);
}

for (const [name, load] of Object.entries(COMMANDS))
  test(`the help of ${name} says what it takes`, async () => {
    const { command } = await load();
    checkForm(command.help, `docteur ${name}`);
    const described = new Map(optionsOf(parseHelp(command.help)).map((option) => [nameOf(option), option]));
    const { short, value } = described.get("help")!;
    assert.deepEqual([short, value], ["h", undefined]);
    described.delete("help");
    assert.deepEqual([...described.keys()].sort(), Object.keys(command.options).sort());
    for (const [option, { type, short: letter, choices = [] }] of Object.entries(command.options)) {
      const found = described.get(option)!;
      assert.equal(found.value !== undefined, type === "string", option);
      assert.equal(found.short, letter, option);
      for (const choice of choices) assert.match(found.text, new RegExp(`\\b${choice}\\b`), option);
    }
  });

test("the help of docteur", async () => {
  const help = await generalHelp();
  checkForm(help, "docteur");
  for (const name of Object.keys(COMMANDS)) assert.match(help, new RegExp(`^  ${name} +\\S`, "m"));
  assert.deepEqual(optionsOf(parseHelp(help)).map(nameOf), ["help", "version"]);
});

test("the help of solo5-wasm says what it takes", () => {
  checkForm(SOLO5_HELP, "solo5-wasm");
  const values: Record<string, string> = {
    "NAME=PATH": "a=b",
    "NAME=SECTORSIZE": "a=512",
    MB: "1",
    DURATION: "1",
  };
  const options = optionsOf(parseHelp(SOLO5_HELP));
  for (const { long, separator = "", value } of options) {
    const word = `--${long}${separator}${value === undefined ? "" : values[value]}`;
    const device = long === "block-sector-size" ? ["--block:a=b"] : [];
    assert.ok(parseCommandLine([...device, word, "guest.wasm"]).action !== undefined, word);
  }
  assert.equal(options.length, 6);
});

const TEXT = `usage: docteur try [OPTION]... --form|--other FILE IMAGE [PATH|GLOB]...
       docteur try init|end -o FILE

A paragraph of
two lines.
  - lines that
    stay

Options:
  -a, --all              every one, in a text
                         of two lines
      --header "NAME: V" a value in quotes
  -z                     a letter alone
  -o, --output FILE
                         text below
      --other FILE       another
  -h, --help             print this help

Otherwise:

Exit statuses:
    0  success
  141  closed
After.

Examples:
  docteur try x`;

test("the parts of a help", () => {
  const help = parseHelp(TEXT);
  const options = optionsOf(help);
  assert.deepEqual(options, [
    { short: "a", long: "all", text: "every one, in a text of two lines" },
    { long: "header", value: '"NAME: V"', separator: " ", text: "a value in quotes" },
    { short: "z", text: "a letter alone" },
    { short: "o", long: "output", value: "FILE", separator: " ", text: "text below" },
    { long: "other", value: "FILE", separator: " ", text: "another" },
    { short: "h", long: "help", text: "print this help" },
  ]);
  assert.deepEqual(help.description, [
    { kind: "paragraph", lines: ["A paragraph of", "two lines."] },
    { kind: "lines", lines: ["  - lines that", "    stay"] },
  ]);
  assert.deepEqual(help.exits, [
    { status: 0, meaning: "success" },
    { status: 141, meaning: "closed" },
  ]);
  assert.deepEqual(help.aboutExits, {
    before: [{ kind: "paragraph", lines: ["Otherwise:"] }],
    after: [{ kind: "paragraph", lines: ["After."] }],
  });
  assert.deepEqual(help.examples, ["docteur try x"]);
  assert.deepEqual(argumentsOf(help.usage[0]!, options), [
    { names: ["FILE"], optional: false, repeated: false },
    { names: ["IMAGE"], optional: false, repeated: false },
    { names: ["PATH", "GLOB"], optional: true, repeated: true },
  ]);
  assert.deepEqual(argumentsOf(help.usage[1]!, options), [
    { names: ["init", "end"], optional: false, repeated: false },
  ]);
});

test("text of another form is refused", () => {
  assert.throws(() => parseHelp("docteur try"), /not in the form/);
  assert.throws(() => parseHelp("usage: docteur try\n\nOptions:\n   --all  x"), /not in the form/);
  assert.throws(() => parseHelp("usage: docteur try\n\nOptions:\n            x"), /not in the form/);
  assert.throws(() => parseHelp("usage: docteur try\n\nExamples:\nx"), /not in the form/);
});
