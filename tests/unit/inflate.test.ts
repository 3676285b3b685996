/** The inflater against zlib, in all four builds: whatever zlib compresses, over windows of any size. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BitWriter, randomBlock } from "../support/deflate-writer.js";
import {
  assertVerdict,
  DEFLATERS,
  every,
  Inflater,
  NEED_INPUT,
  NEED_OUTPUT,
  oracle,
  Status,
  splitAt,
} from "../support/inflater.js";
import { type Random, seeded } from "../support/random.js";
import { probeVariants } from "../support/wasm.js";

const CAPACITY = 1 << 20;

/** Bytes as compressible as files are: words of a small vocabulary, runs, noise, and copies of what was before. */
function sample(size: number, random: Random): Buffer {
  const out = Buffer.alloc(size);
  const words = Array.from({ length: 60 }, () => {
    const word = Buffer.alloc(1 + random(12));
    for (let i = 0; i < word.length; i++) word[i] = 97 + random(26);
    return word;
  });
  for (let at = 0; at < size; ) {
    const kind = random(20);
    if (kind < 14) {
      const word = words[Math.min(random(60), random(60))]!;
      at += word.copy(out, at) + 1;
      if (at < size) out[at - 1] = 32;
    } else if (kind < 16) {
      const end = Math.min(size, at + random(random(10) ? 40 : 3000));
      out.fill(random(256), at, end);
      at = end;
    } else if (kind < 18) {
      for (let end = Math.min(size, at + random(60)); at < end; at++) out[at] = random(256);
    } else if (at > 0) {
      const distance = 1 + random(Math.min(at, 32768));
      for (let end = Math.min(size, at + random(400)); at < end; at++) out[at] = out[at - distance]!;
    }
  }
  return out;
}

/** Windows of random sizes, small ones above all, empty ones too. */
function ragged(random: Random): () => number {
  return () => (random(3) ? random(random(2) ? 4 : 40) : random(4000));
}

/** What RFC 1950 says of the first two bytes; no preset dictionary. */
function isHeader(value: number): boolean {
  return value % 31 === 0 && ((value >> 8) & 15) === 8 && value >> 12 <= 7 && (value & 0x20) === 0;
}

for (const { label, debug, exports } of probeVariants("inflate")) {
  const inflater = new Inflater(exports, CAPACITY);
  const expectOutput = (stream: Buffer, data: Buffer, context: string, options = {}): void => {
    const result = inflater.run(stream, { capacity: data.length, expectedSize: data.length, ...options });
    assert.equal(result.status, Status.OK, context);
    assert.ok(result.output.equals(data), context);
    assert.equal(result.totalIn, stream.length, context);
  };

  describe(`Inflate (${label})`, () => {
    it("inflates every size from 0 to 300, however it was compressed", () => {
      const random = seeded(1);
      const data = sample(300, random);
      for (const { name, deflate } of DEFLATERS)
        for (let size = 0; size <= 300; size += debug ? 13 : 1) {
          const part = data.subarray(0, size);
          expectOutput(deflate(part), part, `${name}, ${size} bytes`, { slack: size % 3 ? 32 : 0 });
        }
    });

    it("inflates long streams, whole, in ragged windows, and with 32 KiB kept before each", () => {
      const random = seeded(2);
      for (const { name, deflate } of DEFLATERS) {
        const data = sample((debug ? 20_000 : 100_000) + random(debug ? 50_000 : 400_000), random);
        const stream = deflate(data);
        expectOutput(stream, data, name, { slack: 32 });
        expectOutput(stream, data, `${name}, no slack`, { expectedSize: 0 });
        for (const sliding of [false, true]) {
          const windows = { input: ragged(random), output: ragged(random), sliding, slack: random(40) };
          expectOutput(stream, data, `${name}, ragged, ${sliding}`, windows);
        }
      }
    });

    it("goes on in another state, wherever an output window was full", () => {
      const random = seeded(11);
      for (const { name, deflate } of DEFLATERS)
        for (let round = 0; round < (debug ? 2 : 6); round++) {
          const data = sample(20_000 + random(debug ? 30_000 : 200_000), random);
          const stream = deflate(data);
          for (const output of [ragged(random), every(65_536), every(1 + random(999))])
            expectOutput(stream, data, `${name}, round ${round}`, {
              ...{ input: ragged(random), output, sliding: random(2) === 0, resumed: true },
              ...{ slack: random(40), expectedSize: random(2) * data.length },
            });
          expectOutput(stream, data, `${name}, whole input`, { output: every(997), resumed: true });
        }
      // Blocks of every kind, as no compressor writes them.
      for (let round = 0; round < (debug ? 100 : 1500); round++) {
        const writer = new BitWriter();
        let made = 0;
        for (let left = random(5); left > 0; left--) {
          made = randomBlock(writer, random, made, false);
          const stored = random(60);
          writer
            .bits(0, 3)
            .align()
            .bits(stored, 16)
            .bits(stored ^ 0xffff, 16);
          for (let i = 0; i < stored; i++) writer.bits(random(256), 8);
          made += stored;
        }
        randomBlock(writer, random, made, true);
        const stream = writer.finish();
        const verdict = oracle(stream, true);
        const result = inflater.run(stream, {
          raw: true,
          output: every(1 + random(40)),
          resumed: true,
          sliding: true,
        });
        assertVerdict(result, verdict, `blocks, round ${round}`);
      }
    });

    it("inflates raw deflate streams, and takes nothing of what follows them", () => {
      const random = seeded(3);
      for (const { name, deflate } of DEFLATERS)
        for (const size of [0, 1, 100, debug ? 1000 : 4000]) {
          const data = sample(size, random);
          const stream = deflate(data, true);
          const followed = Buffer.concat([stream, Buffer.alloc(40, 0x55)]);
          for (const raw of [true, false]) {
            const zlib = raw ? followed : Buffer.concat([deflate(data), Buffer.alloc(40, 0x55)]);
            const length = zlib.length - 40;
            for (const windows of [{}, { input: every(1) }, { input: every(37), output: every(1) }]) {
              const result = inflater.run(zlib, { raw, capacity: size, ...windows });
              assert.equal(result.status, Status.OK, name);
              assert.equal(result.totalIn, length, name);
              assert.ok(result.output.equals(data), name);
            }
          }
        }
    });

    it("inflates small streams through every split of the input and of the output", () => {
      const random = seeded(4);
      const data = sample(150, random);
      for (const { name, deflate } of DEFLATERS.slice(0, debug ? 4 : DEFLATERS.length)) {
        const stream = deflate(data);
        for (let split = 0; split <= stream.length; split++)
          expectOutput(stream, data, `${name}, input split at ${split}`, {
            input: splitAt(split),
            slack: 32,
          });
        for (let split = 0; split <= data.length; split++)
          expectOutput(stream, data, `${name}, output split at ${split}`, {
            output: splitAt(split),
            slack: 32,
          });
        for (let split = 0; split <= stream.length; split += 7)
          for (let made = 0; made <= data.length; made += 11)
            expectOutput(stream, data, `${name}, both split`, {
              input: splitAt(split),
              output: splitAt(made),
            });
      }
    });

    it("inflates a byte at a time", () => {
      const random = seeded(5);
      const data = sample(debug ? 1500 : 9000, random);
      for (const { name, deflate } of DEFLATERS) {
        const stream = deflate(data);
        expectOutput(stream, data, `${name}, in`, { input: every(1) });
        expectOutput(stream, data, `${name}, out`, { output: every(1), sliding: true });
        expectOutput(stream, data, `${name}, in and out`, { input: every(1), output: every(1) });
      }
    });

    it("asks for more input after every truncation, and never accepts it", () => {
      const data = sample(500, seeded(6));
      for (const { name, deflate } of DEFLATERS) {
        const stream = deflate(data);
        for (let size = 0; size < stream.length; size += debug ? 5 : 1) {
          const result = inflater.run(stream.subarray(0, size), { capacity: data.length, slack: 32 });
          assert.equal(result.status, NEED_INPUT, `${name} at ${size}`);
          assert.ok(result.output.equals(data.subarray(0, result.totalOut)), `${name} at ${size}`);
        }
      }
    });

    it("asks for more output where the window is too small, and keeps what fits", () => {
      const data = sample(400, seeded(7));
      for (const { name, deflate } of DEFLATERS) {
        const stream = deflate(data);
        for (let capacity = 0; capacity < data.length; capacity += debug ? 17 : 1) {
          const result = inflater.run(stream, { capacity, expectedSize: capacity, slack: capacity & 63 });
          assert.equal(result.status, NEED_OUTPUT, `${name}, ${capacity}`);
          assert.ok(result.output.equals(data.subarray(0, capacity)), `${name}, ${capacity}`);
        }
      }
    });

    it("decodes codes of every shape, at each table width", () => {
      const random = seeded(8);
      for (let round = 0; round < (debug ? 60 : 600); round++) {
        const writer = new BitWriter();
        let made = 0;
        for (let blocks = random(4); blocks > 0; blocks--) made = randomBlock(writer, random, made, false);
        randomBlock(writer, random, made, true);
        const stream = writer.finish();
        const verdict = oracle(stream, true);
        for (const expectedSize of [0, 100, 10_000, 100_000]) {
          const windows = random(2) ? { input: ragged(random), output: ragged(random) } : {};
          const result = inflater.run(stream, { raw: true, expectedSize, slack: random(40), ...windows });
          assertVerdict(result, verdict, `round ${round}, ${expectedSize}`);
        }
      }
    });

    it("judges mutated streams as zlib does", () => {
      const random = seeded(9);
      const bases = DEFLATERS.flatMap(({ deflate }) =>
        [30, 300, 3000].map((size) => deflate(sample(size, random), true)),
      );
      for (let round = 0; round < (debug ? 600 : 4000); round++) {
        const base = bases[random(bases.length)]!;
        const stream = Buffer.from(base);
        for (let changes = 1 + random(3); changes > 0; changes--) {
          const at = random(random(2) ? Math.min(stream.length, 80) : stream.length);
          stream[at] = random(2) ? stream[at]! ^ (1 << random(8)) : random(256);
        }
        const verdict = oracle(stream, true);
        const windows = random(2) ? { input: ragged(random), output: ragged(random), sliding: true } : {};
        const options = { raw: true, capacity: CAPACITY, slack: random(40), ...windows };
        if ("output" in verdict)
          options.capacity = Math.min(CAPACITY, verdict.output.length + random(2) * 10);
        assertVerdict(inflater.run(stream, options), verdict, `round ${round}`);
      }
    });

    it("judges mutated headers and trailers as zlib does", () => {
      const data = sample(60, seeded(10));
      const base = DEFLATERS[3]!.deflate(data);
      for (let value = 0; value < 65536; value += debug ? 31 * 7 : 31) {
        for (const header of [value, value ^ 0x100]) {
          const stream = Buffer.from(base);
          stream.writeUInt16BE(header);
          const status = isHeader(header) ? Status.OK : Status.BAD_ZLIB_HEADER;
          assert.equal(inflater.run(stream, { capacity: 60 }).status, status, `header ${header}`);
          if (header % 7 === 0)
            assert.equal("output" in oracle(stream), isHeader(header), `header ${header}`);
        }
      }
      for (let bit = 0; bit < 32; bit++) {
        const stream = Buffer.from(base);
        stream[stream.length - 1 - (bit >> 3)]! ^= 1 << (bit & 7);
        assert.equal(inflater.run(stream).status, Status.BAD_ADLER);
        assert.equal(inflater.run(stream, { input: every(1) }).status, Status.BAD_ADLER);
        assert.equal(inflater.run(stream, { checkAdler: false }).status, Status.OK);
      }
    });
  });
}
