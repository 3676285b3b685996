/** What hosts in other languages ran, as they print it, and what docs/RUNTIMES.md says of it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { distPath } from "./programs.js";

/** A line that a host's tests print: how many files a build of docteur's gave right, or how many guests ran. */
export interface Ran {
  runtime: string;
  version: string;
  /** The build, the head of a column. */
  run: string;
  count: number;
}

/** A row of a table: its cells by the heads of their columns, as plain text. */
export type Row = Map<string, string>;

function cellsOf(line: string): string[] {
  const plain = line.replaceAll("`", "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  return plain
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** The rows of all tables of docs/RUNTIMES.md. */
export function runtimeRows(): Row[] {
  const rows: Row[] = [];
  let heads: string[] | undefined;
  for (const line of readFileSync(distPath("../docs/RUNTIMES.md"), "utf8").split("\n"))
    if (!line.startsWith("|")) heads = undefined;
    else if (heads === undefined) heads = cellsOf(line);
    else if (!line.startsWith("| ---"))
      rows.push(new Map(cellsOf(line).map((cell, index) => [heads![index]!, cell])));
  return rows;
}

/** The objects of JSON in what a host's tests print, whose runner may begin the line. */
export function ranOf(output: string): Ran[] {
  return [...output.matchAll(/\{[^{}\n]*"runtime"[^{}\n]*\}/g)].map(([text]) => JSON.parse(text) as Ran);
}

/** Fails unless a row has the runtime, the version, and the count under the build. */
export function assertTold({ runtime, version, run, count }: Ran): void {
  const text = `${count.toLocaleString("en-US")} `;
  const told = runtimeRows().some(
    (row) =>
      row.get("runtime") === runtime && row.get("version") === version && row.get(run)?.startsWith(text),
  );
  assert.ok(told, `docs/RUNTIMES.md does not say: ${runtime} ${version}, ${run}: ${count}`);
}
