/** Examples of the documents, run as they stand. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { distPath } from "./programs.js";

/** The first piece of JavaScript below a heading of `docs/PAGE` that holds a text. */
export function exampleOf(page: string, heading: string, part = ""): string {
  const text = readFileSync(distPath(`../docs/${page}`), "utf8");
  const section = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const code = [...section.matchAll(/\n```js\n(.*?)```/gs)].find(([, found]) => found!.includes(part))?.[1];
  if (code === undefined) throw new Error(`${page} has no example below "${heading}" with "${part}"`);
  return code;
}

/**
 * Runs an example in Node, with the package's own names.
 * @param cwd the folder that it runs in
 * @returns what it prints
 */
export async function runExample(t: TestContext, code: string, cwd: string): Promise<string> {
  // Only files of the package can import it by its name.
  const folder = mkdtempSync(distPath("example-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "example.mjs");
  writeFileSync(path, code);
  const child = spawn(process.execPath, ["--no-warnings", path], { cwd, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  await once(child, "close");
  return output;
}
