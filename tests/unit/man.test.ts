/** Man pages: they hold what the helps say, npm installs them, and groff and mandoc find no fault in them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { optionsOf, parseHelp } from "../../tools/cli/help-text.js";
import { COMMANDS } from "../../tools/commands/table.js";
import { manPage } from "../../tools/man/page.js";
import { SOLO5_HELP } from "../../tools/solo5/help.js";
import { distPath } from "../support/programs.js";
import { unlessRequired } from "../support/required.js";

const NAMES = readdirSync(distPath("man"));
const whyNot = ["mandoc", "groff"].some((program) => spawnSync(program, ["-v"]).error !== undefined)
  ? "mandoc or groff cannot be run here"
  : undefined;

test("there is a page for each command, and package.json lists them all", () => {
  const expected = ["docteur.1", "solo5-wasm.1", ...Object.keys(COMMANDS).map((name) => `docteur-${name}.1`)];
  assert.deepEqual(NAMES.sort(), expected.sort());
  const manifest = JSON.parse(readFileSync(distPath("../package.json"), "utf8")) as { man: string[] };
  assert.deepEqual([...manifest.man].sort(), expected.map((name) => `./dist/man/${name}`).sort());
});

/** A page as people see it, without the marks of bold and italics. */
function shown(page: string): string {
  const { stdout, status } = spawnSync("groff", ["-man", "-Tutf8", "-P-cbou", "-rLL=200n"], {
    input: page,
    encoding: "utf8",
  });
  assert.equal(status, 0);
  return stdout.replaceAll("−", "-").replaceAll("‐", "-");
}

test("pages show all options and are sound", { skip: unlessRequired("man", whyNot) }, async () => {
  const helps = new Map([["solo5-wasm.1", SOLO5_HELP]]);
  for (const [name, load] of Object.entries(COMMANDS))
    helps.set(`docteur-${name}.1`, (await load()).command.help);
  for (const name of NAMES) {
    const page = readFileSync(distPath(`man/${name}`), "utf8");
    const groff = spawnSync("groff", ["-man", "-ww", "-Tutf8", "-z"], { input: page, encoding: "utf8" });
    assert.equal(groff.stderr, "", name);
    const mandoc = spawnSync("mandoc", ["-Tlint", "-Wwarning"], { input: page, encoding: "utf8" });
    // Pages have no date, so that equal sources give equal pages; and those of a command that is not installed are not found.
    const faults = mandoc.stdout
      .split("\n")
      .filter((line) => line !== "" && !/missing date|outdated mandoc\.db/.test(line));
    assert.deepEqual(faults, [], name);
    const help = helps.get(name);
    if (help === undefined) continue;
    const text = shown(page);
    for (const { short, long, value = "", separator = "" } of optionsOf(parseHelp(help))) {
      const names = [short && `-${short}`, long && `--${long}`].filter((one) => one !== undefined).join(", ");
      assert.ok(text.includes(`${names}${separator}${value}`), `${name}: ${names}`);
    }
    for (const { meaning } of parseHelp(help).exits) assert.ok(text.includes(meaning), `${name}: ${meaning}`);
    for (const example of parseHelp(help).examples) assert.ok(text.includes(example), `${name}: ${example}`);
  }
});

test("nothing in a help is a request of roff", { skip: unlessRequired("man", whyNot) }, () => {
  const help =
    "usage: docteur try [OPTION]...\n\n.PP is \\fBtext\\fR and 'so is this\n\nOptions:\n  -a  .so x\n\nExamples:\n  .x '\\n'\n  'y";
  const text = shown(manPage({ page: "docteur-try", summary: "try -- it", help, seeAlso: ["docteur"] }, "1"));
  for (const part of [".PP is \\fBtext\\fR and 'so is this", ".so x", ".x '\\n'", "'y", "try -- it"])
    assert.ok(text.includes(part), `${part}: ${text}`);
});
