import assert from "node:assert/strict";
import {
  appendFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { replaceFile } from "../../src/node/replace-file.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

test("appends of every size, and patches, end up where they belong", async (t) => {
  const target = join(temporaryFolder(t), "file");
  const random = seeded(4);
  const parts: Buffer[] = [];
  await replaceFile(target, async ({ sink }) => {
    for (const length of [0, 1, 1 << 20, (1 << 20) - 1, 2, 3 << 20, 7, 100_000]) {
      const part = Buffer.alloc(length, random(256));
      parts.push(part);
      await sink.append(part);
      assert.equal(
        sink.position,
        parts.reduce((sum, { length: partLen }) => sum + partLen, 0),
      );
    }
    await sink.appendZeros((1 << 20) + 5);
    await sink.patch(Buffer.from("head"), 0);
    await sink.append(Buffer.from("tail"));
  });
  const expected = Buffer.concat([...parts, Buffer.alloc((1 << 20) + 5), Buffer.from("tail")]);
  expected.set(Buffer.from("head"));
  assert.ok(readFileSync(target).equals(expected));
});

test("the target appears when it is whole, with the permissions that it had", async (t) => {
  const folder = temporaryFolder(t);
  const target = join(folder, "file");
  writeFileSync(target, "old", { mode: 0o640 });
  await replaceFile(target, async ({ sink, scratch, temporary }) => {
    writeFileSync(join(await scratch(), "litter"), "");
    await sink.append(Buffer.from("new"));
    await sink.flush();
    assert.equal(readFileSync(target, "utf8"), "old");
    assert.ok(existsSync(temporary));
  });
  assert.equal(readFileSync(target, "utf8"), "new");
  assert.equal(statSync(target).mode & 0o777, 0o640);
  assert.deepEqual(readdirSync(folder), ["file"]);
});

test("a failure leaves what was there, and nothing else", async (t) => {
  const folder = temporaryFolder(t);
  const target = join(folder, "file");
  const failure = new Error("no luck");
  const fail = replaceFile(target, async ({ sink, scratch }) => {
    await sink.append(Buffer.alloc(3 << 20));
    writeFileSync(join(await scratch(), "litter"), "");
    throw failure;
  });
  await assert.rejects(fail, failure);
  assert.deepEqual(readdirSync(folder), []);
  writeFileSync(target, "old");
  const controller = new AbortController();
  const abort = replaceFile(target, async () => controller.abort(failure), controller.signal);
  await assert.rejects(abort, failure);
  assert.deepEqual(readdirSync(folder), ["file"]);
  assert.equal(readFileSync(target, "utf8"), "old");
});

test("a symbolic link stays one, and what it leads to is replaced", async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "real"));
  writeFileSync(join(folder, "real", "file"), "old");
  symlinkSync("real/file", join(folder, "link"));
  await replaceFile(join(folder, "link"), ({ sink }) => sink.append(Buffer.from("new")));
  assert.ok(lstatSync(join(folder, "link")).isSymbolicLink());
  assert.equal(readFileSync(join(folder, "real", "file"), "utf8"), "new");
  assert.deepEqual(readdirSync(join(folder, "real")), ["file"]);
});

test("targets that cannot be replaced are refused", async (t) => {
  const folder = temporaryFolder(t);
  const write = async (): Promise<never> => assert.fail("nothing is to be written");
  await assert.rejects(replaceFile(folder, write), {
    code: "Io",
    message: /exists and is not a regular file$/,
  });
  await assert.rejects(replaceFile("/dev/null", write), {
    code: "Io",
    message: /exists and is not a regular file$/,
  });
  const absent = join(folder, "absent", "file");
  await assert.rejects(replaceFile(absent, write), {
    code: "Io",
    message: `cannot write ${absent}: no such file or directory`,
  });
  symlinkSync("nowhere", join(folder, "dangling"));
  await assert.rejects(replaceFile(join(folder, "dangling"), write), {
    code: "Io",
    hint: "it is a symbolic link",
  });
  for (const end of ["/", "/.", "/.."])
    await assert.rejects(replaceFile(`${absent}${end}`, write), {
      code: "Io",
      message: `cannot write ${absent}${end}: there is no such directory`,
    });
});

/** Replaces `rename` of node:fs/promises for as long as a test runs. */
function mockRename(t: TestContext, act: (from: string, to: string) => void): void {
  const { rename } = fsPromises;
  fsPromises.rename = async (from, to) => act(`${from}`, `${to}`);
  syncBuiltinESMExports();
  t.after(() => {
    fsPromises.rename = rename;
    syncBuiltinESMExports();
  });
}

test("the written file is told of, though another program replaces it just after the rename", async (t) => {
  const folder = temporaryFolder(t);
  const target = join(folder, "image");
  writeFileSync(join(folder, "foreign"), "foreign");
  mockRename(t, (from, to) => {
    renameSync(from, to);
    linkSync(to, join(folder, "ours"));
    renameSync(join(folder, "foreign"), to);
  });
  const told: bigint[] = [];
  await replaceFile(
    target,
    ({ sink }) => sink.append(Buffer.from("new")),
    undefined,
    ({ ino }) => told.push(ino),
  );
  assert.equal(readFileSync(target, "utf8"), "foreign");
  assert.deepEqual(told, [statSync(join(folder, "ours"), { bigint: true }).ino]);
});

test("a file that another program has written to before the rename is not told of", async (t) => {
  const target = join(temporaryFolder(t), "image");
  mockRename(t, (from, to) => {
    appendFileSync(from, "foreign");
    renameSync(from, to);
  });
  let count = 0;
  await replaceFile(
    target,
    ({ sink }) => sink.append(Buffer.from("new")),
    undefined,
    () => count++,
  );
  assert.equal(count, 0);
});
