/** Small images made to take long: what has to be done for them grows with what they hold, not with its square or worse. */
import assert from "node:assert/strict";
import { totalmem } from "node:os";
import { test } from "node:test";
import { open } from "../../src/index.js";
import { type Report, verify } from "../../src/verify/index.js";
import { coreVariants } from "../support/core.js";
import { CraftedImage, delta, insert, treeEntry } from "../support/crafted-image.js";
import { assertFails } from "../support/defects.js";
import { gitOid } from "../support/fixtures.js";

/** What takes a second or two here, and would take minutes, is given this many milliseconds. */
const LIMIT = 30_000;

/** An image whose root has these bytes; `blob` is the id of a file. */
function rooted(content: (blob: string, image: CraftedImage) => Uint8Array): Uint8Array {
  const image = new CraftedImage();
  const blob = image.object("blob", "content\n");
  image.commit(image.object("tree", content(blob.oid, image)).oid);
  return image.finish().bytes;
}

async function timed<T>(run: () => Promise<T>): Promise<T> {
  const start = performance.now();
  const result = await run();
  assert.ok(performance.now() - start < LIMIT, `${Math.round(performance.now() - start)} ms`);
  return result;
}

function codesOf({ findings }: Report): string[] {
  return [...new Set(findings.map(({ code }) => code))];
}

for (const fill of [".", "\\", " .", "~1\\"])
  test(`very many long names of ${JSON.stringify(fill)}, which might end in what NTFS takes for .git`, async () => {
    const bytes = rooted((blob) =>
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, index) =>
          treeEntry("100644", `${String(index).padStart(5, "0")}~${fill.repeat(4000 / fill.length)}x`, blob),
        ),
      ),
    );
    assert.equal((await timed(() => verify(bytes))).status, "sound");
  });

test("a directory of more directories than a call takes arguments", async () => {
  const count = 300_000;
  const bytes = rooted((blob, image) => {
    const leaf = image.tree(treeEntry("100644", "leaf", blob));
    const entry = treeEntry("40000", "000000", leaf.oid);
    const entries = Buffer.alloc(count * entry.length);
    for (let index = 0; index < count; index++) {
      entry.write(String(index).padStart(6, "0"), 6);
      entries.set(entry, index * entry.length);
    }
    return entries;
  });
  const { status, pathCounts: counts } = await timed(() => verify(bytes));
  assert.deepEqual([status, counts?.directories, counts?.files], ["sound", count, count]);
});

const MIB = 1 << 20;
/** Contents that no string can hold take some GiB in all. */
const skip = totalmem() < 2 ** 33 ? "there is less than 8 GiB of memory" : false;
const WHO = "A U Thor <author@example.org> 1717740550 +0200";

for (const [name, before, size, after] of [
  ["message", `author ${WHO}\ncommitter ${WHO}\n\n`, 600 * MIB, ""],
  ["author", "author ", 300 * MIB, ` <a@b> 1 +0000\ncommitter ${WHO}\n\nmessage\n`],
] as const)
  test(`a commit of hundreds of megabytes: its ${name}`, { skip }, async () => {
    const image = new CraftedImage();
    const tree = image.tree(treeEntry("100644", "f", image.object("blob", "content\n").oid));
    const parts = [Buffer.from(`tree ${tree.oid}\n${before}`), Buffer.alloc(size, 1), Buffer.from(after)];
    image.head(image.object("commit", Buffer.concat(parts)));
    const { bytes } = image.finish();
    const report = await timed(() => verify(bytes));
    assert.equal(report.status, "sound");
    assert.equal(report.message?.length, name === "message" ? MIB : "message\n".length);
    assert.equal(report.author?.name.length, name === "message" ? "A U Thor".length : 4096);
    assert.equal((await verify(bytes, { quick: true })).status, "sound");
  });

for (const [name, content] of [
  ["name", (huge: Buffer, oid: Buffer) => [Buffer.from("100644 "), huge, Buffer.alloc(1), oid]],
  ["mode", (huge: Buffer, oid: Buffer) => [huge, Buffer.from(" a\0"), oid]],
] as const)
  test(`a tree's entry with a ${name} of 600 MiB`, { skip }, async () => {
    const huge = Buffer.alloc(600 * MIB, "1");
    const bytes = rooted((blob) => Buffer.concat(content(huge, Buffer.from(blob, "hex"))));
    assert.deepEqual(
      codesOf(await timed(() => verify(bytes))),
      name === "mode" ? ["OddMode", "Unreachable"] : ["BadTree"],
    );
  });

test("a tree of four million times the same entry, whose object is missing", async () => {
  const entry = treeEntry("100644", "a", "a".repeat(40));
  const bytes = rooted(() => Buffer.alloc(4_000_000 * entry.length, entry));
  const before = process.memoryUsage().rss;
  const report = await timed(() => verify(bytes));
  assert.deepEqual([report.findings.length, report.truncated, codesOf(report)], [100, true, ["BadTree"]]);
  assert.ok(process.memoryUsage().rss - before < 1024 * MIB);
});

for (const mode of ["100664", "10008"])
  test(`very many trees in one, with a file of mode ${mode} in each`, async () => {
    const bytes = rooted((blob, image) =>
      Buffer.concat(
        Array.from({ length: 30_000 }, (_, index) => {
          const tree = image.tree(treeEntry(mode, `f${index}`, blob));
          return treeEntry("40000", String(index).padStart(5, "0"), tree.oid);
        }),
      ),
    );
    const { status, findings, truncated } = await timed(() => verify(bytes));
    assert.deepEqual(
      [status, findings.length, truncated],
      [mode === "10008" ? "damaged" : "sound", 100, true],
    );
  });

test("trees nested 30,000 deep, each with an odd mode", async () => {
  const image = new CraftedImage();
  let tree = image.tree();
  for (let depth = 0; depth < 30_000; depth++) tree = image.tree(treeEntry("040000", "d", tree.oid));
  image.commit(tree.oid);
  const { bytes } = image.finish();
  const { status, findings } = await timed(() => verify(bytes));
  assert.deepEqual([status, findings.length], ["sound", 100]);
  assert.ok(findings.every(({ path }) => path === undefined || path.length < 5000));
});

test("trees in each other, each twice under one name", async () => {
  const image = new CraftedImage();
  let tree = image.tree(treeEntry("100644", "f", image.object("blob", "content\n").oid));
  for (let depth = 0; depth < 60; depth++) {
    const entry = treeEntry("40000", "d", tree.oid);
    tree = image.tree(entry, entry);
  }
  image.commit(tree.oid);
  const { bytes } = image.finish();
  await timed(async () => {
    assert.deepEqual(codesOf(await verify(bytes)), ["BadTree"]);
    for (const { label, module } of await coreVariants())
      await assertFails(open(bytes, { mode: "fast", module }), ["BadTree"], label);
  });
});

test("deltas before what they are made from, in a chain, and a chain of others on top of it", async () => {
  const depth = 2000;
  const image = new CraftedImage();
  const text = (kind: string, index: number): string => `${kind}${index}`.padEnd(8);
  const oidOf = (content: string): string => gitOid("blob", Buffer.from(content));
  const replaced = (content: string): Buffer => delta(8, 8, insert(content));
  let offset = 0;
  for (let index = depth; index > 0; index--) {
    const [base, content] = [text("r", index - 1), text("r", index)];
    const placed = image.refDelta(oidOf(content), oidOf(base), replaced(content));
    if (index < depth) continue;
    ({ offset } = placed);
    for (let above = 0; above < depth; above++) {
      const other = text("o", above);
      ({ offset } = image.ofsDelta(oidOf(other), offset, replaced(other)));
    }
  }
  image.object("blob", text("r", 0));
  image.commit(image.tree(treeEntry("100644", "f", oidOf(text("o", depth - 1)))).oid);
  const { bytes } = image.finish();
  await timed(async () => {
    assert.equal((await verify(bytes)).status, "sound");
    for (const { label, module } of await coreVariants()) {
      const volume = await open(bytes, { mode: "analyze", module });
      assert.equal(Buffer.from(await volume.get("/f")).toString(), text("o", depth - 1), label);
    }
  });
});

test("very many entries of one directory, one after the other", async () => {
  const count = 200_000;
  const name = (index: number): string => String(index).padStart(6, "0");
  const bytes = rooted((blob) => {
    const entry = treeEntry("100644", name(0), blob);
    const entries = Buffer.alloc(count * entry.length);
    for (let index = 0; index < count; index++) {
      entry.write(name(index), 7);
      entries.set(entry, index * entry.length);
    }
    return entries;
  });
  const volume = await open(bytes);
  await timed(async () => {
    for (let index = 0; index < count; index++) await volume.digest(`/${name(index)}`);
  });
});

test("objects whose ids fall near each other are found by analyze", async () => {
  const image = new CraftedImage();
  const first = gitOid("blob", Buffer.from("0"));
  let last = first;
  // In the table of `analyze` all of them would begin at a sixteenth of the places.
  for (let index = 0, made = 0; made < 20_000; index++) {
    const content = String(index);
    const oid = gitOid("blob", Buffer.from(content));
    if ((Number.parseInt(oid.slice(0, 8), 16) & 0xffff) >= 0x1000) continue;
    last = image.object("blob", content, oid).oid;
    made++;
  }
  image.commit(image.tree(treeEntry("100644", "f", last)).oid);
  const { bytes } = image.finish();
  const volume = await open(bytes, { mode: "analyze" });
  assert.equal(await volume.digest("/f"), last);
});
