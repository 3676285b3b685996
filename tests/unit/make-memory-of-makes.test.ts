/** What a watch remembers from one make to the next: ids by stamps, but for files that changed just now. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MakeMemory } from "../../src/make/memory-of-makes.js";
import { SourceBlobs, TOP } from "../../src/make/source/blobs.js";

const oidOf = (file: number): Uint8Array => new Uint8Array(20).fill(file);

/** A file's age: milliseconds since its content changed, and since its status did. */
interface Age {
  ino: number;
  changed: number;
  status?: number;
}

/** A listing of files. */
function listed(...ages: Age[]): SourceBlobs {
  const blobs = new SourceBlobs("folder");
  const before = (milliseconds: number): bigint => BigInt(NOW - milliseconds) * 1_000_000n;
  for (const { ino, changed, status = changed } of ages)
    blobs.addFile(3, TOP, `${ino}`, {
      dev: 1n,
      ino: BigInt(ino),
      mtimeNs: before(changed),
      ctimeNs: before(status),
      followsLinks: false,
    });
  return blobs;
}

const NOW = Date.now();

test("a file that changed just before it was read is read again, and one that is met no more is forgotten", () => {
  const memory = new MakeMemory();
  const files = listed(
    { ino: 1, changed: 60_000 },
    { ino: 2, changed: 10 },
    { ino: 3, changed: 60_000, status: 10 },
  );
  memory.begin();
  for (const index of [0, 1, 2]) memory.keep(files, index, oidOf(index));
  memory.finish();
  memory.begin();
  assert.deepEqual(memory.find(files, 0), oidOf(0));
  assert.equal(memory.find(files, 1), undefined);
  assert.equal(memory.find(files, 2), undefined);
  assert.equal(memory.unknownLen(files), 6);
  memory.finish();
  memory.begin();
  assert.deepEqual(memory.find(files, 0), oidOf(0), "found files stay known");
  memory.begin();
  memory.finish();
  memory.begin();
  assert.equal(memory.find(files, 0), undefined);
});

test("each number of a stamp, and the size, tells a file from another", () => {
  const memory = new MakeMemory();
  const known = listed({ ino: 1, changed: 60_000 });
  memory.begin();
  memory.keep(known, 0, oidOf(1));
  memory.finish();
  const stamp = {
    dev: 1n,
    ino: 1n,
    mtimeNs: known.stamps[2]!,
    ctimeNs: known.stamps[3]!,
    followsLinks: false,
  };
  const others = new SourceBlobs("folder");
  others.addFile(3, TOP, "same", stamp);
  for (const name of ["dev", "ino", "mtimeNs", "ctimeNs"] as const)
    others.addFile(3, TOP, name, { ...stamp, [name]: stamp[name] + (1n << 32n) });
  others.addFile(4, TOP, "size", stamp);
  others.add(new Uint8Array(3));
  memory.begin();
  assert.deepEqual(
    Array.from({ length: others.length }, (_, index) => memory.find(others, index) !== undefined),
    [true, false, false, false, false, false, false],
  );
});

test("many files, some of them twice", () => {
  const memory = new MakeMemory();
  const files = listed(
    ...Array.from({ length: 5000 }, (_, at) => ({ ino: (at % 4000) << 12, changed: 60_000 })),
  );
  memory.begin();
  for (let index = 0; index < files.length; index++) memory.keep(files, index, oidOf((index % 4000) & 255));
  memory.finish();
  memory.begin();
  for (let index = 0; index < files.length; index++)
    assert.deepEqual(memory.find(files, index), oidOf((index % 4000) & 255));
  assert.equal(memory.unknownLen(files), 0);
});
