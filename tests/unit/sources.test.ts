/** Rules that the sources keep, which no type can express. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The lines of code of the sources below folders that match, as `path: line`; comments do not count. */
function linesWith(pattern: RegExp, folders: readonly string[]): string[] {
  const found: string[] = [];
  for (const folder of folders)
    for (const name of readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts")) continue;
      const code = readFileSync(join(ROOT, folder, name), "utf8").replace(/\/\*.*?\*\/|^\s*\/\/.*$/gms, "");
      for (const line of code.split("\n"))
        if (pattern.test(line)) found.push(`${join(folder, name)}: ${line.trim()}`);
    }
  return found;
}

const filesOf = (lines: readonly string[]): string[] => [
  ...new Set(lines.map((line) => line.split(":", 1)[0]!)),
];

test("standard output is written in one place, which loses nothing silently", () => {
  assert.deepEqual(
    linesWith(/process\.stdout|console\.(?:log|info|debug|table|dir)\b/, ["src", "tools"]),
    [],
  );
  const writers = filesOf(linesWith(/\bSTDOUT\b/, ["src", "tools"])).sort();
  assert.deepEqual(writers, ["tools/cli/output.ts", "tools/output/image-output.ts"]);
});

test("temporary files get their names from one function", () => {
  const makers = filesOf(linesWith(/\bmkdtemp|\brandomBytes\b|["'`.]tmp["'`]|\.docteur-/, ["src", "tools"]));
  // The calls of these names in `src/fs` make nothing.
  assert.deepEqual(
    makers.filter((name) => !name.startsWith("src/fs/")),
    ["src/node/temporary.ts"],
  );
  const users = filesOf(linesWith(/\btmpdir\(/, ["src", "tools"]));
  assert.deepEqual(users, ["src/node/temporary-folder.ts"]);
});
