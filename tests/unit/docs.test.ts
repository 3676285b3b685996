/** Every file, page, script and command that a document or a comment cites is there, and prose wraps. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { TARGETS } from "../fuzz/targets.js";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDERS = ["asm", "src", "guest", "tools", "tests", "docs", "disk-fixtures", ".ci"];
/** Columns of prose. Tables, code and addresses may be longer. */
const WIDTH = 110;

/** Our files with one of these endings, relative to the root of the tree. */
function files(...endings: string[]): string[] {
  const below = FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  return [...readdirSync(ROOT), ...below].filter(
    (name) =>
      endings.some((ending) => name.endsWith(ending)) &&
      !name.includes("node_modules") &&
      statSync(join(ROOT, name)).isFile(),
  );
}

function read(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

/** The page without what stands between fences. */
function prose(page: string): string {
  return page.replace(/^```.*?^```/gms, "");
}

/** What a page has as code, between fences or in a line, a piece a line. */
function code(page: string): string {
  const fenced = [...page.matchAll(/^```.*?\n(.*?)^```/gms)].map(([, text]) => text!);
  const inline = [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!);
  return [...fenced, ...inline].join("\n");
}

const PAGES = files(".md");

test("links lead to files and headings that are there", () => {
  let count = 0;
  for (const page of PAGES)
    for (const [, target] of prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target!)) continue;
      const [path, anchor] = target!.split("#");
      const file = path === "" ? page : join(dirname(page), path!);
      assert.ok(existsSync(join(ROOT, file)), `${page}: ${target}`);
      count++;
      if (anchor === undefined) continue;
      const headings = [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        heading!
          .toLowerCase()
          .replace(/[^\p{L}\p{N} _-]/gu, "")
          .replaceAll(" ", "-"),
      );
      assert.ok(headings.includes(anchor), `${page}: ${target}`);
    }
  assert.ok(count > 10);
});

test("paths of this tree that pages and comments cite are there", () => {
  const pattern = new RegExp(
    `\`((?:${FOLDERS.map((name) => name.replace(".", "\\.")).join("|")})/[^\`\\s*<>{}]+)\``,
    "g",
  );
  let count = 0;
  for (const file of [...PAGES, ...files(".ts", ".mjs", ".py")])
    for (const [, path] of read(file).matchAll(pattern)) {
      // The history names what was; a word of capitals stands for any name.
      if (file === "CHANGELOG.md" || /\/[A-Z]+(?:\/|$)/.test(path!)) continue;
      assert.ok(existsSync(join(ROOT, path!.replace(/:.*$/, ""))), `${file}: ${path}`);
      count++;
    }
  assert.ok(count > 50);
});

test("pages that comments cite by their name are there", () => {
  for (const file of files(".ts", ".mjs"))
    for (const [, page] of read(file).matchAll(/(?<![\w/"'`])((?:docs\/)?[A-Z][A-Z]+\.md)\b/g)) {
      if (file.startsWith("tests")) continue;
      assert.ok(existsSync(join(ROOT, page!)), `${file}: ${page}`);
    }
});

test("scripts, subcommands and fuzz targets that pages name are there", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const commands = readdirSync(join(ROOT, "tools/commands")).map((name) => name.replace(/\.ts$/, ""));
  for (const page of PAGES) {
    if (page === "CHANGELOG.md") continue;
    const text = read(page);
    for (const [cited, name] of text.matchAll(/npm run (?:--silent )?([\w-]+)/g))
      assert.ok(Object.hasOwn(scripts, name!), `${page}: ${cited}`);
    for (const [, target] of text.matchAll(/npm run fuzz -- ([a-z][\w-]*)/g))
      assert.ok(target === "all" || Object.hasOwn(TARGETS, target!), `${page}: ${target}`);
    for (const [cited, name] of code(text).matchAll(/(?:^|\$ |\| |: )docteur ([a-z]+)\b/gm))
      assert.ok(commands.includes(name!), `${page}: ${cited}`);
  }
});

test("options that pages give to docteur are those of its help", () => {
  const program = join(ROOT, "dist/tools/docteur.js");
  for (const page of PAGES.filter((name) => name !== "CHANGELOG.md"))
    for (const [line, command] of code(read(page)).matchAll(/^(?:\$ )?(?:\w.* \| )?docteur ([a-z]+) .*$/gm)) {
      if (!existsSync(join(ROOT, `tools/commands/${command}.ts`))) continue;
      const help = execFileSync(process.execPath, [program, command!, "--help"], { encoding: "utf8" });
      for (const [option] of line.matchAll(/(?<= )--?[a-z][\w-]*(?=[ =]|$)/g))
        if (option.startsWith("--")) assert.ok(help.includes(option), `${page}: ${line}: ${option}`);
    }
});

test("prose wraps", () => {
  const long: string[] = [];
  for (const page of PAGES)
    prose(read(page))
      .split("\n")
      .forEach((line, index) => {
        if (line.length > WIDTH && !/^\s*\||https?:|^\s*<|^\[/.test(line)) long.push(`${page}:${index + 1}`);
      });
  assert.deepEqual(long, []);
});
