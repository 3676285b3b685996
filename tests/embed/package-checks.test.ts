/** The package as publint and "Are the types wrong?" see it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Programs } from "../support/embedding.js";
import { packedPackage } from "../support/packed.js";

const programs = new Programs("bundlers");
const skip = programs.lacking() ?? false;

interface Publint {
  publint(options: object): Promise<{ messages: unknown[] }>;
}

interface Attw {
  createPackageFromTarballData(bytes: Uint8Array): unknown;
  checkPackage(found: unknown): Promise<{ problems: { kind: string; resolutionKind?: string }[] }>;
}

test("publint has nothing to say", { skip }, async () => {
  const { publint } = (await programs.import("publint")) as Publint;
  const { messages } = await publint({ pkgDir: packedPackage().folder, strict: true, pack: false });
  assert.deepEqual(messages, []);
});

test("every subpath has its types", { skip }, async () => {
  const attw = (await programs.import("@arethetypeswrong/core")) as Attw;
  const found = attw.createPackageFromTarballData(readFileSync(packedPackage().archive));
  const { problems } = await attw.checkPackage(found);
  // The package is of ES modules alone, which Node 20 and TypeScript's older ways of resolving do not require.
  const others = problems.filter(
    ({ resolutionKind }) => !["node10", "node16-cjs"].includes(resolutionKind ?? ""),
  );
  assert.deepEqual(others, []);
});
