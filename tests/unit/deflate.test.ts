/** The encoder, in all four builds: what it makes comes back, fits where it says it does, and is the same everywhere. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { deflateSync } from "node:zlib";
import {
  assertInflates,
  Deflater,
  EFFORTS,
  randomContent,
  randomPieces,
  storedLength,
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

const EFFORT_NAMES = Object.entries(EFFORTS);

for (const { label, debug, exports } of probeVariants("deflate")) {
  const deflater = new Deflater(exports, CAPACITY);
  const inflater = new Inflater([...probeVariants("inflate")].at(-1)!.exports, CAPACITY);
  const check = (data: Buffer, effort: number, context: string): Buffer => {
    const stream = deflater.deflate(data, effort);
    assert.ok(stream !== undefined, `${context}: no longer than stored`);
    assertInflates(stream, data, context);
    const result = inflater.run(stream, { capacity: data.length, expectedSize: data.length });
    assert.equal(result.status, Status.OK, context);
    assert.ok(result.output.equals(data), context);
    return stream;
  };

  describe(`Deflate (${label})`, () => {
    it("encodes every length from 0 to 600, hardly ever longer than zlib", () => {
      for (const [kind, data] of Object.entries(KINDS))
        for (const [name, effort] of EFFORT_NAMES) {
          for (let length = 0; length <= 600; length += debug ? 23 : 1) {
            const part = data.subarray(0, length);
            const context = `${kind}, ${name}, ${length} bytes`;
            const stream = check(part, effort, context);
            if (effort !== EFFORTS.thorough) continue;
            const theirs = deflateSync(part, { level: 9 }).length;
            assert.ok(stream.length <= theirs + 4, `${context}: ${stream.length}, zlib ${theirs}`);
          }
        }
    });

    it("encodes larger content, in blocks of all kinds", () => {
      for (const [kind, data] of Object.entries(LARGER))
        for (const [name, effort] of EFFORT_NAMES) check(data, effort, `${kind}, ${name}`);
    });

    it("takes exactly the room that it needs, and says so when there is less", () => {
      for (const data of [
        KINDS.text!,
        KINDS.noise!,
        KINDS.delta!.subarray(0, 9),
        Buffer.alloc(0),
        LARGER.parts!,
      ])
        for (const effort of Object.values(EFFORTS)) {
          const stream = deflater.deflate(data, effort)!;
          assert.ok(deflater.deflate(data, effort, stream.length)?.equals(stream));
          for (const less of [1, 2, 3, 4, 5, 6, 9, stream.length >> 1, stream.length])
            if (less <= stream.length)
              assert.equal(deflater.deflate(data, effort, stream.length - less), undefined);
        }
    });

    it("stores noise without looking for matches in it, and compresses what lies between", () => {
      const before: bigint = exports.stepsTaken();
      const alone = deflater.deflate(noise(100_000, 20), EFFORTS.thorough)!;
      assert.equal(alone.length, storedLength(100_000));
      assert.equal(exports.stepsTaken(), before);
      const inner = text(50_000, 21);
      const mixed = Buffer.concat([noise(65_536, 22), inner, noise(65_536, 23)]);
      const size = check(mixed, EFFORTS.thorough, "mixed").length;
      const least = deflater.deflate(inner, EFFORTS.thorough)!.length;
      assert.ok(size < 2 * 65_536 + least + 8192, `${size} bytes, of which the text takes ${least}`);
      const twice = Buffer.concat([noise(6000, 24), noise(6000, 24)]);
      assert.ok(deflater.deflate(twice, EFFORTS.thorough)!.length < 6200, "noise that comes back is a match");
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
        deflater.deflate(data, EFFORTS.thorough);
        return Number(exports.stepsTaken() - before);
      };
      for (const [name, make] of Object.entries(hostile)) {
        const once = steps(make(size));
        const twice = steps(make(2 * size));
        assert.ok(twice < 2.6 * once, `${name}: ${once} steps, then ${twice}`);
        assert.ok(once < 90 * size, `${name}: ${once / size} steps a byte`);
      }
      for (const name of ["zeros", "pairs", "period of 200"])
        assert.ok(steps(hostile[name]!(size)) < 5 * size, `${name}: long matches are not searched`);
    });

    it("continues a stream over pieces of any size, with what is in the window", () => {
      const random = seeded(40);
      for (const [name, effort] of EFFORT_NAMES)
        for (const data of [...Object.values(LARGER), KINDS.text!, Buffer.alloc(0)]) {
          const pieces = randomPieces(data, random);
          const stream = deflater.deflatePieces(pieces, effort);
          assertInflates(stream, data, name);
          const again = deflater.deflatePieces(pieces, effort);
          assert.ok(again.equals(stream), "the same pieces, the same bytes");
        }
      const halves = [text(30_000, 41), text(30_000, 41)];
      const size = deflater.deflatePieces(halves, EFFORTS.thorough).length;
      const one = deflater.deflate(halves[0]!, EFFORTS.thorough)!.length;
      assert.ok(size < one + 400, "the second piece is in the window of the first");
      const bytes = deflater.deflatePieces(
        [...text(100, 42)].map((byte) => Buffer.of(byte)),
        EFFORTS.thorough,
      );
      assertInflates(bytes, text(100, 42), "byte by byte");
    });

    it("refuses pieces that are too long, that do not fit, and that belong to no stream", () => {
      const most: number = exports.PIECE_MAX.value;
      const output = exports.heapAlloc(most + 1000);
      assert.equal(exports.deflateBegin(EFFORTS.quick), 1);
      assert.equal(exports.deflatePiece(output, most + 1, output, 10, 1), -1);
      assert.equal(exports.deflatePiece(output, 1, output, 100, 1), -1, "the stream is over");
      assert.equal(exports.deflateBegin(EFFORTS.quick), 1);
      assert.ok(exports.deflatePiece(output, most, output, most + 1000, 0) >= 0);
      assert.equal(exports.deflatePiece(output, 100, output, 4, 1), -1, "no room for the trailer");
      assert.equal(exports.deflatePiece(output, 1, output, 100, 1), -1, "the stream is over");
      exports.heapFree(output);
    });

    it("comes to the end of its positions and goes on as if it had not", () => {
      const data = LARGER.text!;
      const pieces = randomPieces(data, seeded(50));
      const expected = deflater.deflate(data, EFFORTS.thorough)!;
      const expectedPieces = deflater.deflatePieces(pieces, EFFORTS.thorough);
      for (const before of [1, 40_000, 100_000, 160_000, 300_000]) {
        exports.setPosition(0xfff00000 - before);
        assert.ok(deflater.deflate(data, EFFORTS.thorough)!.equals(expected), `whole, ${before} before it`);
        exports.setPosition(0xfff00000 - before);
        const stream = deflater.deflatePieces(pieces, EFFORTS.thorough);
        assert.ok(stream.equals(expectedPieces), `in pieces, ${before} before it`);
      }
    });
  });
}

it("Deflate makes the same bytes in every build, whatever was encoded before", () => {
  const digests = [...probeVariants("deflate")].map(({ exports }, index) => {
    const deflater = new Deflater(exports, CAPACITY);
    const hash = createHash("sha256");
    for (let other = 0; other < index; other++)
      deflater.deflate(randomContent(9000, seeded(other)), other & 1);
    for (const data of [...Object.values(KINDS), ...Object.values(LARGER)])
      for (const effort of Object.values(EFFORTS)) hash.update(deflater.deflate(data, effort)!);
    return hash.digest("hex");
  });
  assert.equal(new Set(digests).size, 1);
  // Images are to be the same from one version to the next: a change of this is a change of every image.
  assert.equal(digests[0], "6aee485ca4e0338b9f6fa9154c6ac38d11f7143b5cdea6740db615ef9f9baefc");
});

it("Deflate is below zlib's best on text, and not above its default when it is quick", () => {
  const { exports } = [...probeVariants("deflate")].at(-1)!;
  const deflater = new Deflater(exports, CAPACITY);
  for (const data of [LARGER.text!, LARGER.mixed!]) {
    const best = deflateSync(data, { level: 9 }).length;
    assert.ok(deflater.deflate(data, EFFORTS.thorough)!.length < 0.98 * best);
    assert.ok(deflater.deflate(data, EFFORTS.quick)!.length < 1.05 * best);
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
    assert.equal(exports.zlibDeflate(input, data.length, room, 900, 1), 0, label);
    assert.equal(exports.deflateBegin(1), 0, label);
    exports.heapSetCap(32 << 20);
    const size: number = exports.zlibDeflate(input, data.length, room, 900, 1);
    assertInflates(Buffer.from(exports.memory.buffer, room, size), data, label);
    const before: number = exports.heapUsed();
    exports.deflateRelease();
    assert.ok(exports.heapUsed() < before);
    assert.equal(exports.zlibDeflate(input, data.length, room, 900, 1), size, `${label}: after a release`);
    exports.deflateRelease();
    exports.heapFree(input);
    assert.equal(exports.heapUsed(), 0, `${label}: all is given back`);
  }
});
