/** A guest in C, built as docs/ABI.md says, with its custom sections put in by the compiler and by llvm-objcopy. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fixture, fixturePath } from "../support/fixtures.js";
import { ABI, manifestOf } from "../support/guest-bytes.js";
import { distPath, runNode } from "../support/programs.js";
import { unlessRequired } from "../support/required.js";

const folder = mkdtempSync(join(tmpdir(), "docteur-c-guest-"));
after(() => rmSync(folder, { recursive: true }));

function lacking(): string | undefined {
  const missing = ["clang", "wasm-ld", "llvm-objcopy"].filter(
    (name) => spawnSync(name, ["--version"]).error !== undefined,
  );
  return missing.length > 0 ? `there is no ${missing.join(", ")}` : undefined;
}

const skip = unlessRequired("clang", lacking()) ?? false;
const at = (name: string): string => join(folder, name);

function compile(output: string, ...flags: string[]): void {
  const source = distPath("../tests/embed/guest.c");
  const target = ["--target=wasm32", "-O2", "-nostdlib", "-ffreestanding", "-Wl,--no-entry"];
  execFileSync("clang", [...target, ...flags, source, "-o", output]);
}

function assertRuns(guest: string): void {
  const id = Buffer.from(fixture("tiny.img").subarray(0, 20)).toString("hex");
  const expected = { status: 0, stdout: `${id}\n`, stderr: "" };
  assert.deepEqual(
    runNode("tools/solo5-wasm.js", [`--block:docteur=${fixturePath("tiny.img")}`, guest]),
    expected,
  );
}

test("sections that stand in the source, for clang", { skip }, () => {
  compile(at("with.wasm"));
  assertRuns(at("with.wasm"));
});

test("sections that llvm-objcopy adds", { skip }, () => {
  compile(at("without.wasm"), "-DNO_SECTIONS");
  const { status, stderr } = runNode("tools/solo5-wasm.js", [at("without.wasm")]);
  assert.equal(status, 1);
  assert.match(stderr, /no solo5\.abi section/);
  writeFileSync(at("abi.json"), ABI);
  writeFileSync(at("manifest.json"), manifestOf("docteur"));
  const sections = [`solo5.abi=${at("abi.json")}`, `solo5.manifest=${at("manifest.json")}`];
  const options = sections.map((section) => `--add-section=${section}`);
  execFileSync("llvm-objcopy", [...options, at("without.wasm"), at("added.wasm")]);
  assertRuns(at("added.wasm"));
});
