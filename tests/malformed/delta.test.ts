/** Deltas and their chains, one defect a test. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { open } from "../../src/index.js";
import { coreVariants } from "../support/core.js";
import {
  baseDistance,
  type Crafted,
  CraftedImage,
  copy,
  delta,
  entryHeader,
  imageWith,
  insert,
  KIND,
  OK_TEXT,
  PACK_START,
  treeEntry,
} from "../support/crafted-image.js";
import { checkDefect, type Expected } from "../support/defects.js";
import { gitOid } from "../support/fixtures.js";

const BASE = Buffer.from("the base that every delta here is made for\n");
const [A, B, C, D] = ["a", "b", "c", "d"].map((digit) => digit.repeat(40)) as [
  string,
  string,
  string,
  string,
];
const WHOLE = copy(0, BASE.length);

/** An image whose `/f` is an ofs-delta of `BASE`. */
function deltaOf(instructions: Uint8Array, oid = A): Crafted & { offset: number } {
  return imageWith((image) => image.ofsDelta(oid, image.object("blob", BASE).offset, instructions));
}

async function damaged(code: string, { bytes, offset }: Crafted & { offset: number }): Promise<void> {
  const expected = [code, offset] as const;
  await checkDefect(bytes, { read: expected, openAnalyze: expected });
}

async function gives(content: Buffer, instructions: Uint8Array): Promise<void> {
  await checkDefect(deltaOf(instructions, gitOid("blob", content)).bytes, { content });
}

test("a delta that is sound, of either kind", async () => {
  const content = Buffer.concat([Buffer.from("XY"), BASE.subarray(4, 9), Buffer.from("Z")]);
  const instructions = delta(BASE.length, content.length, insert("XY"), copy(4, 5), insert("Z"));
  await gives(content, instructions);
  const oid = gitOid("blob", content);
  for (const order of ["base first", "delta first"]) {
    const { bytes } = imageWith((image) => {
      const base = (): string => image.object("blob", BASE).oid;
      if (order === "base first") return image.refDelta(oid, base(), instructions);
      const placed = image.refDelta(oid, gitOid("blob", BASE), instructions);
      base();
      return placed;
    });
    await checkDefect(bytes, { content });
  }
});

test("a copy of length 0 copies 65,536 bytes", async () => {
  const base = Buffer.alloc(100_000, "0123456789abcdef-");
  const content = Buffer.concat([base.subarray(300, 300 + 65536), base.subarray(0, 65536)]);
  const instructions = delta(base.length, content.length, copy(300, 0), copy(0, 0));
  assert.equal(copy(0, 0).length, 1);
  const { bytes } = imageWith((image) =>
    image.ofsDelta(gitOid("blob", content), image.object("blob", base).offset, instructions),
  );
  await checkDefect(bytes, { content });
});

/** A size of a delta's head, below 128, written in so many bytes. */
function sizeIn(size: number, length: number): Buffer {
  return Buffer.from(
    [size | (length > 1 ? 0x80 : 0), ...Array(length - 1).fill(0x80)].with(-1, length > 1 ? 0 : size),
  );
}

test("a delta without instructions gives an empty file", () =>
  gives(Buffer.alloc(0), Buffer.concat([sizeIn(BASE.length, 2), sizeIn(0, 2)])));

test("an empty file whose size is cut off by the delta's end", () =>
  gives(Buffer.alloc(0), Buffer.from([BASE.length, 0x80, 0x80, 0x80])));

test("sizes at a delta's head in more bytes than they need", async () => {
  for (const length of [2, 5, 9, 10, 11, 19, 20, 60]) {
    const content = BASE.subarray(1);
    const body = copy(1, content.length);
    await gives(content, Buffer.concat([sizeIn(BASE.length, length), sizeIn(content.length, 1), body]));
    await gives(content, Buffer.concat([sizeIn(BASE.length, 1), sizeIn(content.length, length), body]));
  }
});

test("a delta of fewer bytes than git applies", async () => {
  for (const bytes of [[], [BASE.length, 0], [BASE.length | 0x80, 0, 0]])
    await damaged("BadDelta", deltaOf(Buffer.from(bytes)));
});

test("a delta whose head is cut off", async () => {
  for (const bytes of [[0x80], [0x2b], [0x2b, 0x80], [0x2b, 0x85, 0x80]])
    await damaged("BadDelta", deltaOf(Buffer.from(bytes)));
});

test("a size at a delta's head that never ends", () => damaged("BadDelta", deltaOf(Buffer.alloc(30, 0x80))));

test("a delta for a base of another size", async () => {
  for (const size of [0, BASE.length - 1, BASE.length + 1, 2 ** 40])
    await damaged("DeltaBaseSize", deltaOf(delta(size, BASE.length, WHOLE)));
});

test("a delta that gives fewer bytes than it says", () =>
  damaged("DeltaResultSize", deltaOf(delta(BASE.length, BASE.length + 1, WHOLE))));

test("a delta that copies more bytes than it says", () =>
  damaged("DeltaResultSize", deltaOf(delta(BASE.length, BASE.length - 1, WHOLE))));

test("a delta that inserts more bytes than it says", () =>
  damaged("DeltaResultSize", deltaOf(delta(BASE.length, 2, insert("abc")))));

test("a delta that goes on far beyond its result writes nothing there", async () => {
  const base = Buffer.alloc(65536);
  for (const instruction of [copy(0, 0), insert("x".repeat(127))]) {
    const instructions = delta(base.length, 10, ...Array<Buffer>(60_000).fill(instruction));
    await damaged(
      "DeltaResultSize",
      imageWith((image) => image.ofsDelta(A, image.object("blob", base).offset, instructions)),
    );
  }
});

test("a delta's result beyond what memory can hold", () =>
  damaged("ObjectTooLarge", deltaOf(delta(BASE.length, 2 ** 40, WHOLE))));

test("a delta's result that the memory limit does not allow leaves the volume as it was", async () => {
  const { bytes } = deltaOf(delta(BASE.length, 2 ** 30, WHOLE));
  await checkDefect(bytes, {
    memoryLimit: 2 << 20,
    read: ["OutOfMemory"],
    openAnalyze: ["OutOfMemory"],
    verify: ["OutOfMemory"],
  });
});

test("a copy from outside the base", async () => {
  for (const [offset, length] of [
    [0, BASE.length + 1],
    [BASE.length, 1],
    [BASE.length + 1, 1],
    [1, BASE.length],
    [0xffffffff, 1],
    [0xffffffff, 0xffffff],
    [0, 0],
  ] as const)
    await damaged("DeltaCopyRange", deltaOf(delta(BASE.length, 100, insert("x"), copy(offset, length))));
});

test("an insertion that the delta's end cuts off", async () => {
  await damaged("BadDelta", deltaOf(delta(BASE.length, 5, Buffer.from([5, 0x61, 0x62, 0x63, 0x64]))));
  await damaged("BadDelta", deltaOf(delta(BASE.length, 5, Buffer.of(5))));
});

test("a copy that the delta's end cuts off", async () => {
  for (const bytes of [[0x81], [0xff, 1, 2, 3, 4, 5, 6], [0x90]])
    await damaged("BadDelta", deltaOf(delta(BASE.length, 5, Buffer.from(bytes))));
});

test("the reserved instruction 0", async () => {
  await damaged("BadDelta", deltaOf(delta(BASE.length, BASE.length, Buffer.of(0), WHOLE)));
  await damaged("BadDelta", deltaOf(delta(BASE.length, BASE.length, WHOLE, Buffer.of(0))));
});

test("a delta's stream of another size than its entry says", async () => {
  const instructions = delta(BASE.length, BASE.length, WHOLE);
  for (const off of [-1, 1])
    await damaged(
      "BadInflatedSize",
      imageWith((image) => {
        const base = image.object("blob", BASE);
        const header = entryHeader(KIND.ofsDelta, instructions.length + off);
        return image.raw(A, header, baseDistance(image.position - base.offset), deflateSync(instructions));
      }),
    );
});

/** An image whose `/f` is an ofs-delta with these bytes for its base's distance. */
function distanceOf(...bytes: number[]): Crafted & { offset: number } {
  const instructions = delta(BASE.length, BASE.length, WHOLE);
  return imageWith((image) =>
    image.raw(
      A,
      entryHeader(KIND.ofsDelta, instructions.length),
      Buffer.from(bytes),
      deflateSync(instructions),
    ),
  );
}

test("a delta that is its own base, by distance", () => damaged("BadBase", distanceOf(0)));

test("a base before the PACK", () => damaged("BadBase", distanceOf(0xff, 0x7f)));

test("a base in the PACK's header", async () => {
  const { offset } = distanceOf(0);
  for (const target of [0, 4, 11]) await damaged("BadBase", distanceOf(offset - PACK_START - target));
});

test("a base's distance beyond 64 bits", async () => {
  await damaged("BadBase", distanceOf(...Array<number>(9).fill(0xff), 0x7f));
  await damaged("BadBase", distanceOf(...Array<number>(20).fill(0x80), 0));
});

test("a base in the middle of another entry", () => {
  const inner = Buffer.concat([entryHeader(3, BASE.length), deflateSync(BASE)]);
  const { bytes, offset } = imageWith((image) => {
    // Stored as it is, so that a sound entry stands inside another one.
    const outer = deflateSync(inner, { level: 0 });
    const holder = image.raw(gitOid("blob", inner), entryHeader(3, inner.length), outer);
    const start = holder.offset + entryHeader(3, inner.length).length + 2 + 5;
    return image.ofsDelta(gitOid("blob", BASE), start, delta(BASE.length, BASE.length, WHOLE));
  });
  return checkDefect(bytes, { content: BASE, openAnalyze: ["BadBase", offset] });
});

test("a base that is not in the image", () =>
  damaged(
    "MissingBase",
    imageWith((image) => image.refDelta(A, B, delta(BASE.length, BASE.length, WHOLE))),
  ));

/** A cycle of ref-deltas is found by those who trust the IDX; who rebuilds it finds that no base is known. */
async function cyclic(add: (image: CraftedImage) => void, read: Expected = ["BadBase"]): Promise<void> {
  const { bytes } = imageWith((image) => {
    add(image);
    return { oid: A, offset: 0 };
  });
  await checkDefect(bytes, { read, openAnalyze: ["MissingBase"] });
}

const ANY = delta(BASE.length, BASE.length, WHOLE);

test("a delta that is its own base, by id", () => cyclic((image) => image.refDelta(A, A, ANY)));

test("two deltas that are each other's base", () =>
  cyclic((image) => {
    image.refDelta(A, B, ANY);
    image.refDelta(B, A, ANY);
  }));

test("two deltas that lead into a cycle of two others", () =>
  cyclic((image) => {
    image.refDelta(A, B, ANY);
    image.refDelta(B, C, ANY);
    image.refDelta(C, D, ANY);
    image.refDelta(D, C, ANY);
  }));

for (const length of [2, 3, 4, 5, 8, 100])
  test(`a cycle of one delta by id and ${length - 1} by distance`, () =>
    cyclic((image) => {
      const oids = Array.from({ length }, (_, index) => (index + 1).toString(16).padStart(40, "0"));
      oids[length >> 1] = A;
      let { offset } = image.refDelta(oids[0]!, oids[length - 1]!, ANY);
      for (const oid of oids.slice(1)) ({ offset } = image.ofsDelta(oid, offset, ANY));
    }));

/** An image whose `/f` is the last of a chain of deltas, each of which replaces the content's number. */
function chain(length: number): { bytes: Uint8Array; content: Buffer; offset: number } {
  const text = (index: number): Buffer => Buffer.from(`number ${String(index).padStart(8, "0")}\n`);
  let content = text(0);
  const { bytes, offset } = imageWith((image) => {
    let last = image.object("blob", content);
    for (let index = 1; index <= length; index++) {
      content = text(index);
      const number = content.toString("latin1", 7, 15);
      const instructions = delta(16, 16, copy(0, 7), insert(number), copy(15, 1));
      last = image.ofsDelta(gitOid("blob", content), last.offset, instructions);
    }
    return last;
  });
  return { bytes, content, offset };
}

test("a chain of 4,095 deltas is read", async () => {
  const { bytes, content } = chain(4095);
  await checkDefect(bytes, { content });
});

test("a chain of 4,096 deltas is refused, in any order of reading", async () => {
  const { bytes, offset } = chain(4096);
  await checkDefect(bytes, { read: ["ChainTooDeep", offset], openAnalyze: ["ChainTooDeep", offset] });
});

test("deltas of trees and of the commit", async () => {
  for (const { module } of await coreVariants())
    for (const mode of ["light", "fast", "analyze"] as const) {
      const image = new CraftedImage();
      const ok = image.object("blob", OK_TEXT);
      const old = treeEntry("100644", "old", ok.oid);
      const entries = Buffer.concat([old, treeEntry("100644", "z", ok.oid)]);
      const whole = image.tree(old);
      const added = entries.subarray(old.length).toString("latin1");
      const tree = image.ofsDelta(
        gitOid("tree", entries),
        whole.offset,
        delta(old.length, entries.length, copy(0, old.length), insert(added)),
      );
      const text = `tree ${tree.oid}\n\nmessage\n`;
      const base = image.object("commit", "tree ");
      image.head(
        image.ofsDelta(
          gitOid("commit", Buffer.from(text)),
          base.offset,
          delta(5, text.length, copy(0, 5), insert(text.slice(5))),
        ),
      );
      const volume = await open(image.finish().bytes, { module, mode });
      assert.deepEqual(
        (await volume.list("/")).map(({ name }) => name),
        ["old", "z"],
      );
      assert.equal(Buffer.from(await volume.get("/z")).toString(), OK_TEXT);
      assert.equal(volume.commit.date, null);
    }
});
