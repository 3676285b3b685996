/** The encoder, in all four builds: what it makes comes back, fits where it says it does, and is the same everywhere. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { deflateSync } from "node:zlib";
import { EFFORT } from "../../src/make/base/effort.js";
import { PIECE_LEN } from "../../src/make/pack/jobs.js";
import {
  assertInflates,
  Deflater,
  partRanges,
  randomContent,
  randomCuts,
  storedLength,
  storedPartLength,
} from "../support/deflater.js";
import { Inflater, Status } from "../support/inflater.js";
import { seeded } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";

const CAPACITY = 3 << 20;

function noise(size: number, seed: number): Buffer {
  const random = seeded(seed);
  return Buffer.from(Array.from({ length: size }, () => random(256)));
}

function text(size: number, seed: number): Buffer {
  const random = seeded(seed);
  const words = Array.from({ length: 300 }, (_, i) => `${(i * i).toString(36)}${"aeiou"[i % 5]!}`);
  let out = "";
  while (out.length < size) out += `${words[Math.min(random(300), random(300))]!}${random(9) ? " " : ";\n"}`;
  return Buffer.from(out.slice(0, size));
}

/** As git's deltas are: copies' and inserts' commands, with short pieces of text between. */
function delta(size: number, seed: number): Buffer {
  const random = seeded(seed);
  const words = text(4000, seed);
  const parts: Buffer[] = [];
  for (let length = 0; length < size; ) {
    const insert = 1 + random(40);
    const from = random(words.length - insert);
    const part = Buffer.from([0xb3, random(256), random(64), random(256), random(4), insert]);
    parts.push(part, words.subarray(from, from + insert));
    length += part.length + insert;
  }
  return Buffer.concat(parts).subarray(0, size);
}

/** Every word of three letters of a small alphabet once: nothing but short matches, all over the window. */
function deBruijn(symbols: number, order: number): Buffer {
  const word = new Array<number>(symbols * order).fill(0);
  const out: number[] = [];
  const extend = (t: number, p: number): void => {
    if (t > order) {
      if (order % p === 0) out.push(...word.slice(1, p + 1));
      return;
    }
    word[t] = word[t - p]!;
    extend(t + 1, p);
    for (let symbol = word[t - p]! + 1; symbol < symbols; symbol++) {
      word[t] = symbol;
      extend(t + 1, t);
    }
  };
  extend(1, 1);
  return Buffer.from(out);
}

const KINDS: Record<string, Buffer> = {
  text: text(600, 1),
  delta: delta(600, 2),
  noise: noise(600, 3),
  zeros: Buffer.alloc(600),
  pairs: Buffer.alloc(600, "ab"),
  mixed: randomContent(600, seeded(4)),
};

/** Content that a change of the output should be noticed on. */
const LARGER: Record<string, Buffer> = {
  text: text(150_000, 5),
  mixed: randomContent(120_000, seeded(6)),
  parts: Buffer.concat([noise(70_000, 7), text(50_000, 8), Buffer.alloc(40_000), noise(9000, 9)]),
  zeros: Buffer.alloc(300_000),
  deBruijn: deBruijn(40, 3),
  // More matches than there is room for.
  letters: Buffer.from(noise(200_000, 10).map((byte) => byte & 1)),
};

/** Whole content as its only part. */
const only = (data: Buffer) => ({ start: 0, end: data.length, isLast: true });

for (const { label, debug, exports } of probeVariants("deflate")) {
  const deflater = new Deflater(exports, CAPACITY);
  const inflater = new Inflater([...probeVariants("inflate")].at(-1)!.exports, CAPACITY);
  const check = (stream: Buffer | undefined, data: Buffer, context: string): Buffer => {
    assert.ok(stream !== undefined, `${context}: no longer than stored`);
    assertInflates(stream, data, context);
    const result = inflater.run(stream, { capacity: data.length, expectedSize: data.length });
    assert.equal(result.status, Status.OK, context);
    assert.ok(result.output.equals(data), context);
    return stream;
  };
  /** Bytes fit into as many as they are, and into no fewer. */
  const checkRoom = (encode: (room?: number) => Buffer | undefined): Buffer => {
    const bytes = encode()!;
    assert.ok(encode(bytes.length)?.equals(bytes));
    for (const less of [1, 2, 3, 4, 5, 6, 9, bytes.length >> 1, bytes.length])
      if (less <= bytes.length) assert.equal(encode(bytes.length - less), undefined);
    return bytes;
  };

  describe(`Deflate (${label})`, () => {
    it("encodes every length from 0 to 600, hardly ever longer than zlib", () => {
      for (const [kind, data] of Object.entries(KINDS))
        for (let length = 0; length <= 600; length += debug ? 23 : 1) {
          const content = data.subarray(0, length);
          const context = `${kind}, ${length} bytes`;
          const stream = check(deflater.deflate(content), content, context);
          const theirs = deflateSync(content, { level: 9 }).length;
          assert.ok(stream.length <= theirs + 4, `${context}: ${stream.length}, zlib ${theirs}`);
        }
    });

    it("encodes larger content, in blocks of all kinds", () => {
      for (const [kind, data] of Object.entries(LARGER)) check(deflater.deflate(data), data, kind);
    });

    it("takes exactly the room that it needs, and says so when there is less", () => {
      for (const data of [
        KINDS.text!,
        KINDS.noise!,
        KINDS.delta!.subarray(0, 9),
        Buffer.alloc(0),
        LARGER.parts!,
      ]) {
        checkRoom((room) => deflater.deflate(data, room));
        const middle = Math.min(data.length >> 1, 40_000);
        for (const range of partRanges(data.length, [middle]))
          checkRoom((room) => deflater.deflatePart(data, range, room));
      }
    });

    it("stores noise without looking for matches in it, and compresses what lies between", () => {
      const before: bigint = exports.stepsTaken();
      const alone = deflater.deflate(noise(100_000, 20))!;
      assert.equal(alone.length, storedLength(100_000));
      assert.equal(exports.stepsTaken(), before);
      const inner = text(50_000, 21);
      const mixed = Buffer.concat([noise(65_536, 22), inner, noise(65_536, 23)]);
      const size = check(deflater.deflate(mixed), mixed, "mixed").length;
      const least = deflater.deflate(inner)!.length;
      assert.ok(size < 2 * 65_536 + least + 8192, `${size} bytes, of which the text takes ${least}`);
      const twice = Buffer.concat([noise(6000, 24), noise(6000, 24)]);
      assert.ok(deflater.deflate(twice)!.length < 6200, "noise that comes back is a match");
    });

    it("needs all of its bound for noise, and never more", () => {
      for (const length of [0, 1, 2, 1023, 1024, 65_534, 65_535, 65_536, 131_070, 131_071]) {
        assert.equal(deflater.bound(length), storedLength(length));
        assert.equal(deflater.partBound(length), storedPartLength(length));
        const data = noise(length, length);
        const middle = deflater.deflatePart(data, { ...only(data), isLast: false })!;
        assert.equal(middle.length, storedPartLength(length), `${length} bytes`);
        assert.ok(deflater.deflatePart(data, only(data))!.length <= storedPartLength(length));
        assert.equal(middle[0], 0, "a stored block that is not the last");
        assert.ok(middle.subarray(5, 5 + 65_535).equals(data.subarray(0, 65_535)));
      }
    });

    it("stores where spots that are hardly compressible would cost more headers than they save", () => {
      let stored = 0;
      const before: bigint = exports.stepsTaken();
      for (let spot = 0; spot < 240; spot += debug ? 12 : 1) {
        const hardly = Buffer.concat([noise(1000 - spot, 25), Buffer.alloc(spot)]);
        const data = Buffer.concat([noise(8192, 26), hardly]);
        const range = { ...only(data), isLast: false };
        const part = deflater.deflatePart(data, range)!;
        const most = storedPartLength(data.length);
        assert.deepEqual(deflater.deflatePart(data, range, most + 50), part, "more room makes no other part");
        assert.ok(part.length <= most, `${spot} zeros: ${part.length} bytes`);
        if (part.length === most) stored++;
      }
      assert.ok(stored > 2 && exports.stepsTaken() > before, `${stored} times`);
    });

    it("takes time that grows as the content does, whatever the content", () => {
      const hostile: Record<string, (size: number) => Buffer> = {
        zeros: (size) => Buffer.alloc(size),
        pairs: (size) => Buffer.alloc(size, "ab"),
        "period of 200": (size) => Buffer.alloc(size, noise(200, 30)),
        "period of 40,000": (size) => Buffer.alloc(size, text(40_000, 31)),
        "de Bruijn": (size) => Buffer.alloc(size, deBruijn(40, 3)),
        "runs and breaks": (size) => Buffer.alloc(size, Buffer.concat([Buffer.alloc(127), noise(1, 32)])),
        "two letters": (size) => Buffer.from(noise(size, 33).map((byte) => byte & 1)),
      };
      const size = debug ? 100_000 : 400_000;
      const steps = (data: Buffer): number => {
        const before: bigint = exports.stepsTaken();
        deflater.deflate(data);
        return Number(exports.stepsTaken() - before);
      };
      for (const [name, make] of Object.entries(hostile)) {
        const once = steps(make(size));
        const twice = steps(make(2 * size));
        assert.ok(twice < 2.6 * once, `${name}: ${once} steps, then ${twice}`);
        assert.ok(once < 90 * size, `${name}: ${once / size} steps a byte`);
      }
      for (const name of ["zeros", "pairs", "period of 200"])
        assert.ok(steps(hostile[name]!(size)) < 1.5 * size, `${name}: what long matches span is passed by`);
    });

    it("makes parts of any size, which are one stream when they are put together", () => {
      const random = seeded(40);
      for (const [kind, data] of [...Object.entries(LARGER), ["text, short", KINDS.text!] as const]) {
        const ranges = partRanges(data.length, randomCuts(data.length, random));
        const context = `${kind}, cut before ${ranges.slice(1).map(({ start }) => start)}`;
        check(deflater.deflateParts(data, ranges), data, context);
      }
      const words = text(100, 42);
      const everywhere = [...words.keys()].slice(1);
      for (const cuts of [everywhere, [0], [0, 0, 50, 50, 50], [1], [99, 100], [100, 100], [33, 66, 99]])
        check(deflater.deflateParts(words, partRanges(100, cuts)), words, `cut at ${cuts}`);
      for (const cuts of [[], [0], [0, 0]])
        check(deflater.deflateParts(Buffer.alloc(0), partRanges(0, cuts)), Buffer.alloc(0), "nothing at all");
      const incompressible = noise(3000, 43);
      const stream = deflater.deflateParts(incompressible, partRanges(3000, [1, 1025, 2500]));
      check(stream, incompressible, "noise");
    });

    it("makes parts as long as the packer's, and of what is left over", () => {
      const data = noise(2 * PIECE_LEN + 1, 44);
      for (const edge of [PIECE_LEN, 2 * PIECE_LEN]) text(20_000, edge).copy(data, edge - 10_000);
      for (const length of [PIECE_LEN - 1, PIECE_LEN, PIECE_LEN + 1, 2 * PIECE_LEN, 2 * PIECE_LEN + 1]) {
        const content = data.subarray(0, length);
        const cuts = [PIECE_LEN, 2 * PIECE_LEN].filter((cut) => cut < length);
        const stream = check(deflater.deflateParts(content, partRanges(length, cuts)), content, `${length}`);
        assert.ok(stream.length < storedLength(length) - 4000, `${length}: ${stream.length}`);
      }
    });

    it("makes a part of its content and the window before it, and of nothing else", () => {
      const data = Buffer.concat([LARGER.mixed!.subarray(0, 50_000), text(50_000, 45)]);
      const ranges = partRanges(data.length, [20_000, 50_000, 80_000]);
      const parts = ranges.map((range) => deflater.deflatePart(data, range)!);
      for (const [index, range] of [...ranges.entries()].reverse()) {
        deflater.deflate(LARGER.letters!.subarray(0, 1000 * index));
        assert.ok(deflater.deflatePart(data, range)!.equals(parts[index]!), `part ${index}, after others`);
        const all = deflater.deflatePart(data, range, undefined, range.start)!;
        assert.ok(all.equals(parts[index]!), `part ${index}, and all before it`);
      }
      const whole = { start: 50_000, end: 100_000, isLast: true };
      const alone = data.subarray(50_000);
      assert.deepEqual(
        deflater.deflatePart(data, whole, undefined, 0),
        deflater.deflatePart(alone, only(alone)),
      );
      assert.deepEqual(deflater.deflate(alone)!.subarray(2, -4), deflater.deflatePart(alone, only(alone)));
    });

    it("finds what is in the window before a part, up to its far end", () => {
      const words = noise(200, 46);
      const size = (gap: number): number => {
        const data = Buffer.concat([words, Buffer.alloc(gap - words.length), words]);
        return deflater.deflatePart(data, { start: gap, end: data.length, isLast: true })!.length;
      };
      for (const near of [200, 1000, 32_767])
        assert.ok(size(near) < 10, `${near} bytes before: ${size(near)}`);
      for (const far of [32_769, 40_000])
        assert.equal(size(far), storedPartLength(200), `${far} bytes before`);
      const twice = Buffer.concat([text(30_000, 47), text(30_000, 47)]);
      const once = deflater.deflate(twice.subarray(0, 30_000))!.length;
      const parts = deflater.deflateParts(twice, partRanges(60_000, [30_000]));
      assert.ok(parts.length < once + 400, "the second part is in the window before it");
    });

    it("does not see what an earlier call has left in memory", () => {
      const earlier = Buffer.concat([Buffer.alloc(32_768 - 200), noise(200, 48)]);
      const data = Buffer.concat([noise(200, 48), Buffer.alloc(40_000)]);
      const expected = deflater.deflatePart(data, only(data))!;
      const input: number = exports.heapAlloc(earlier.length + data.length);
      const output: number = exports.heapAlloc(1000);
      new Uint8Array(exports.memory.buffer).set(Buffer.concat([earlier, data]), input);
      assert.ok(exports.deflatePart(input, 0, earlier.length, 1, output, 1000) > 0);
      const length: number = exports.deflatePart(input + earlier.length, 0, data.length, 1, output, 1000);
      assert.ok(expected.equals(new Uint8Array(exports.memory.buffer, output, length)));
      exports.heapFree(input);
      exports.heapFree(output);
    });

    it("comes to the end of its positions and goes on as if it had not", () => {
      const data = LARGER.text!;
      const ranges = partRanges(data.length, [1, 40_000, 120_000]);
      const expected = deflater.deflate(data)!;
      const expectedParts = deflater.deflateParts(data, ranges);
      for (const before of [1, 40_000, 100_000, 160_000, 300_000]) {
        exports.setPosition(0xfff00000 - before);
        assert.ok(deflater.deflate(data)!.equals(expected), `whole, ${before} before it`);
        exports.setPosition(0xfff00000 - before);
        const parts = deflater.deflateParts(data, ranges);
        assert.ok(parts.equals(expectedParts), `in parts, ${before} before it`);
      }
    });
  });
}

it("Deflate makes the same bytes in every build, whatever was encoded before", () => {
  const digests = [...probeVariants("deflate")].map(({ exports }, index) => {
    const deflater = new Deflater(exports, CAPACITY);
    const whole = createHash("sha256");
    const parts = createHash("sha256");
    for (let other = 0; other < index; other++) deflater.deflate(randomContent(9000, seeded(other)));
    for (const data of [...Object.values(KINDS), ...Object.values(LARGER)]) {
      whole.update(deflater.deflate(data)!);
      parts.update(deflater.deflateParts(data, partRanges(data.length, [1, 100, data.length >> 1])));
    }
    return `${whole.digest("hex")} ${parts.digest("hex")}`;
  });
  assert.equal(new Set(digests).size, 1);
  // Images are to be the same from one version to the next: a change of this is a change of every image.
  assert.deepEqual(digests[0]!.split(" "), [
    "5277b7ebb4d6aad9f6e5d2cc481e0398a5ed733ed8ae6505a9b8daeb0e0c88f2",
    "d039b029dbe7051ce8a4c729315d0fd15d2affee3ca87de14bc7b8dd55aa94ae",
  ]);
});

it("Deflate takes the least space with the most effort, and makes the same bytes in every build", () => {
  const lengths: number[] = [];
  for (const effort of Object.values(EFFORT)) {
    const digests = [...probeVariants("deflate")].map(({ exports }) => {
      const deflater = new Deflater(exports, CAPACITY);
      // Whatever the effort of the call before was.
      exports.setDeflateEffort(EFFORT.small - effort);
      deflater.deflate(LARGER.text!);
      exports.setDeflateEffort(effort);
      const whole = createHash("sha256");
      for (const [kind, data] of [...Object.entries(KINDS), ...Object.entries(LARGER)]) {
        const stream = deflater.deflate(data)!;
        assertInflates(stream, data, kind);
        whole.update(stream);
        const ranges = partRanges(data.length, [1, 100, data.length >> 1]);
        whole.update(deflater.deflateParts(data, ranges));
      }
      return whole.digest("hex");
    });
    assert.equal(new Set(digests).size, 1);
    const { exports } = [...probeVariants("deflate")].at(-1)!;
    exports.setDeflateEffort(effort);
    lengths.push(new Deflater(exports, CAPACITY).deflate(LARGER.text!)!.length);
  }
  const [fast, usual, small] = lengths;
  // Of made words, the chains find as much as the trees: see the test of efforts for packs.
  assert.ok(small! < usual! && small! < fast!, lengths.join());
});

it("Deflate is below zlib's best on text", () => {
  const { exports } = [...probeVariants("deflate")].at(-1)!;
  const deflater = new Deflater(exports, CAPACITY);
  for (const data of [LARGER.text!, LARGER.mixed!]) {
    const best = deflateSync(data, { level: 9 }).length;
    assert.ok(deflater.deflate(data)!.length < 0.98 * best);
    const parts = deflater.deflateParts(data, partRanges(data.length, [data.length >> 1]));
    assert.ok(parts.length < 0.99 * best, "in parts");
  }
});

it("Deflate refuses for want of memory, and works when there is more", () => {
  for (const { label, exports } of probeVariants("deflate")) {
    exports.heapInit(2 << 20);
    const data = KINDS.text!;
    const input: number = exports.heapAlloc(2000);
    new Uint8Array(exports.memory.buffer).set(data, input);
    const room = input + 1000;
    assert.equal(exports.deflatePrepare(), 0, label);
    assert.equal(exports.zlibDeflate(input, data.length, room, 900), 0, label);
    assert.equal(exports.deflatePart(input, 0, data.length, 1, room, 900), 0, label);
    exports.heapSetCap(32 << 20);
    const size: number = exports.zlibDeflate(input, data.length, room, 900);
    assertInflates(Buffer.from(exports.memory.buffer, room, size), data, label);
    assert.equal(exports.deflatePart(input, 0, data.length, 1, room, 900), size - 6, label);
  }
});
