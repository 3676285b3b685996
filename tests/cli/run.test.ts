/** `docteur run`: what a program is given, and how it ends. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { docteur } from "../support/cli.js";
import { expectFailures } from "../support/command-failures.js";
import { fixturePath } from "../support/fixtures.js";
import { distPath } from "../support/programs.js";
import { RangeServer } from "../support/range-server.js";
import { temporaryFolder } from "../support/temporary.js";

const GUEST = distPath("guest/simple.wasi.wasm");

/** An image that holds an image: our WASI guest reads the inner one. */
async function nested(folder: string): Promise<string> {
  const path = join(folder, "outer.img");
  const inner = readFileSync(fixturePath("gitmodes.img"));
  writeFileSync(path, (await makeImage({ "images/inner.img": inner })).image);
  return path;
}

test("a program reads the image, and its status is the command's", async (t) => {
  const image = await nested(temporaryFolder(t));
  const read = (path: string, ...options: string[]) =>
    docteur(["run", ...options, image, GUEST, "--block:docteur=/images/inner.img", "--filename", path]);
  const { stdout, status, stderr } = await read("/hello.txt");
  const expected = await docteur(["cat", fixturePath("gitmodes.img"), "/hello.txt"]);
  assert.deepEqual([status, stdout, stderr], [0, expected.stdout, ""]);
  const missing = await read("/nothing", "--proof=oid");
  assert.deepEqual([missing.status, missing.stdout], [1, "Error: /nothing not found.\n"]);
  const elsewhere = await read("/hello.txt", "--dir", "/elsewhere");
  assert.notEqual(elsewhere.status, 0);
  assert.equal(elsewhere.stdout.includes(expected.stdout), false);
});

test("an image at a URL is read as the program asks", async (t) => {
  const image = await nested(temporaryFolder(t));
  const server = await new RangeServer(readFileSync(image)).start();
  t.after(() => server.stop());
  const args = ["--block:docteur=/images/inner.img", "--filename", "/hello.txt"];
  const { stdout, status } = await docteur(["run", server.url, GUEST, ...args]);
  const expected = await docteur(["cat", fixturePath("gitmodes.img"), "/hello.txt"]);
  assert.deepEqual([status, stdout], [0, expected.stdout]);
});

test("what is not a program is refused", async (t) => {
  const folder = temporaryFolder(t);
  const image = await nested(folder);
  const text = join(folder, "text.wasm");
  writeFileSync(text, "text");
  const empty = join(folder, "empty.wasm");
  writeFileSync(empty, Buffer.from("0061736d01000000", "hex"));
  const more = "hint: docteur run --help says more";
  const none = join(folder, "none");
  const guest = distPath("guest/simple.wasm");
  const programs = "hint: docteur run takes programs for WASI preview 1 (wasm32-wasip1)";
  await expectFailures([
    [["run"], 16, "docteur: IMAGE is missing", more],
    [["run", image], 16, "docteur: PROGRAM is missing", more],
    [["run", image, none], 8, `docteur: cannot read ${none}: no such file or directory`],
    [["run", image, text], 16, `docteur: ${text} is not a WebAssembly module`, programs],
    [["run", image, empty], 16, `docteur: ${empty} exports no _start`, programs],
    [["run", image, guest], 16, `docteur: ${guest} imports console_write of solo5`, programs],
    [["run", "--env", "=x", image, GUEST], 16, "docteur: --env takes NAME=VALUE: =x", more],
    [["run", "--nope", image, GUEST], 16, "docteur: unknown option --nope", "hint: did you mean --mode?"],
    [["run", none, GUEST], 8, `docteur: Could not open block device: ${none}: no such file or directory`],
  ]);
});
