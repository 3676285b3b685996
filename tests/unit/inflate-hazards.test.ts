/** One test per hazard of deflate, with a stream made for it; zlib is the control. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BitWriter, dynamicHeader, fixedBlock, type Token, writeTokens } from "../support/deflate-writer.js";
import { assertVerdict, every, Inflater, NEED_OUTPUT, oracle, Status, splitAt } from "../support/inflater.js";
import { probeVariants } from "../support/wasm.js";

/** Code lengths, zero but where given. */
function lengths(count: number, given: Record<number, number>): number[] {
  const all = new Array<number>(count).fill(0);
  for (const [symbol, length] of Object.entries(given)) all[Number(symbol)] = length;
  return all;
}

/** A final dynamic block. */
function dynamic(literals: number[], distances: number[], tokens: Token[]): Buffer {
  const writer = dynamicHeader(new BitWriter(), literals, distances);
  writeTokens(writer, literals, distances, tokens);
  return writer.finish();
}

/** The length code and extra bits of a match. */
function matchOf(length: number, distance: number): Token {
  assert.ok(length >= 3 && length <= 258 && distance <= 32768);
  let code = 257;
  let base = 3;
  const size = (at: number): number => (at < 265 ? 1 : 1 << ((at - 261) >> 2));
  while (code < 284 && base + size(code) <= length) base += size(code++);
  let distanceCode = 0;
  let distanceBase = 1;
  const reach = (at: number): number => (at < 4 ? 1 : 1 << ((at - 2) >> 1));
  while (distanceBase + reach(distanceCode) <= distance) distanceBase += reach(distanceCode++);
  const pair = { distance: distanceCode, distanceExtra: distance - distanceBase };
  if (length === 258) return { length: 285, ...pair };
  return { length: code, lengthExtra: length - base, ...pair };
}

for (const { label, exports } of probeVariants("inflate")) {
  const inflater = new Inflater(exports, 1 << 18);

  /** Runs a raw stream, alone and with much after it, and expects this status and zlib's verdict. */
  const expectStatus = (stream: Buffer, status: number): void => {
    const verdict = oracle(Buffer.concat([stream, Buffer.alloc(64)]), true);
    for (const input of [every(1 << 20), every(1)])
      for (const tail of [0, 64]) {
        const result = inflater.run(Buffer.concat([stream, Buffer.alloc(tail)]), {
          raw: true,
          input,
          slack: 32,
        });
        assert.equal(result.status, status);
        assertVerdict(result, verdict, "zlib");
      }
  };

  describe(`Hazards of deflate (${label})`, () => {
    it("refuses block type 3", () => {
      expectStatus(new BitWriter().bits(1, 1).bits(3, 2).finish(), Status.BAD_BLOCK_TYPE);
    });

    it("refuses a stored block whose lengths differ", () => {
      const stored = (length: number, inverse: number): Buffer =>
        new BitWriter().bits(1, 3).align().bits(length, 16).bits(inverse, 16).bits(0x616161, 24).finish();
      expectStatus(stored(3, 0xfffc), Status.OK);
      expectStatus(stored(3, 0xfffd), Status.BAD_STORED_LENGTH);
      expectStatus(stored(3, 3), Status.BAD_STORED_LENGTH);
    });

    it("accepts empty stored blocks, and one of 65,535 bytes", () => {
      const writer = new BitWriter();
      for (let i = 0; i < 5; i++) writer.bits(0, 3).align().bits(0, 16).bits(0xffff, 16);
      writer.bits(1, 3).align().bits(0xffff, 16).bits(0, 16);
      for (let i = 0; i < 65535; i++) writer.bits(i * 7, 8);
      expectStatus(writer.finish(), Status.OK);
    });

    it("refuses a distance before the start, in the fast loop and in the careful one", () => {
      for (const before of [0, 1, 5, 400]) {
        const literals = new Array<number>(before).fill(97);
        for (const after of [0, 400]) {
          const tail = new Array<number>(after).fill(98);
          const stream = (distance: number): Buffer =>
            fixedBlock(new BitWriter(), [...literals, matchOf(3, distance), ...tail, 256]).finish();
          expectStatus(stream(before + 1), Status.BAD_DISTANCE);
          if (before) expectStatus(stream(before), Status.OK);
        }
      }
    });

    it("refuses a distance before the start even where the caller's memory goes on", () => {
      const tokens: Token[] = [...new Array<number>(100).fill(97), matchOf(3, 101), 256];
      const result = inflater.run(fixedBlock(new BitWriter(), tokens).finish(), {
        raw: true,
        sliding: true,
        output: every(10),
      });
      assert.equal(result.status, Status.BAD_DISTANCE);
      assert.equal(result.totalOut, 100);
    });

    it("reaches back 32,768 bytes", () => {
      const tokens: Token[] = [120, matchOf(258, 1)];
      let made = 259;
      for (; made < 32768; made++) tokens.push(made & 127);
      tokens.push(matchOf(258, 32768), 256);
      const stream = fixedBlock(new BitWriter(), tokens).finish();
      expectStatus(stream, Status.OK);
      const verdict = oracle(stream, true);
      for (const output of [every(1000), every(32768), every(33000)])
        assertVerdict(inflater.run(stream, { raw: true, sliding: true, output }), verdict, "sliding");
    });

    it("refuses the fixed code's symbols 286 and 287, and its distances 30 and 31", () => {
      const padding = new Array<number>(100).fill(99);
      for (const before of [[97], padding]) {
        for (const symbol of [286, 287])
          expectStatus(
            fixedBlock(new BitWriter(), [...before, symbol, ...padding]).finish(),
            Status.BAD_SYMBOL,
          );
        for (const distance of [30, 31]) {
          const bad: Token = { length: 257, distance };
          expectStatus(fixedBlock(new BitWriter(), [...before, bad, ...padding]).finish(), Status.BAD_SYMBOL);
        }
      }
    });

    it("refuses over-subscribed codes", () => {
      const literals = lengths(257, { 97: 1, 98: 2, 99: 2, 256: 2 });
      expectStatus(dynamic(literals, [1], [256]), Status.BAD_CODE_LENGTHS);
      const fine = lengths(257, { 97: 1, 256: 1 });
      expectStatus(dynamic(fine, [1, 1, 1], [256]), Status.BAD_CODE_LENGTHS);
      expectStatus(dynamic(fine, [1, 1], [97, 256]), Status.OK);
    });

    it("refuses incomplete codes, but for a single code of one bit", () => {
      expectStatus(dynamic(lengths(257, { 97: 1, 256: 2 }), [1], [256]), Status.BAD_CODE_LENGTHS);
      expectStatus(dynamic(lengths(257, { 256: 2 }), [1], [256]), Status.BAD_CODE_LENGTHS);
      expectStatus(dynamic(lengths(257, { 256: 1 }), [1], [256]), Status.OK);
      const fine = lengths(258, { 97: 2, 257: 2, 256: 1 });
      expectStatus(dynamic(fine, [2], [256]), Status.BAD_CODE_LENGTHS);
      expectStatus(dynamic(fine, [1, 2], [256]), Status.BAD_CODE_LENGTHS);
      expectStatus(dynamic(fine, [1], [97, { length: 257, distance: 0 }, 256]), Status.OK);
      expectStatus(dynamic(fine, [0, 1], [97, 97, { length: 257, distance: 1 }, 256]), Status.OK);
    });

    it("refuses the other code of a single one", () => {
      const onlyEnd = dynamicHeader(new BitWriter(), lengths(257, { 256: 1 }), [1])
        .bits(1, 1)
        .finish();
      expectStatus(onlyEnd, Status.BAD_SYMBOL);
      const literals = lengths(258, { 97: 2, 257: 2, 256: 1 });
      const writer = dynamicHeader(new BitWriter(), literals, [1]);
      writeTokens(writer, literals, [1], [97]);
      // The length's code 11, then the distance code that does not exist.
      expectStatus(writer.code(3, 2).bits(1, 1).finish(), Status.BAD_SYMBOL);
    });

    it("accepts a block without distance codes, and refuses a match in it", () => {
      const literals = lengths(258, { 97: 2, 257: 2, 256: 1 });
      expectStatus(dynamic(literals, [0], [97, 97, 256]), Status.OK);
      const writer = dynamicHeader(new BitWriter(), literals, [0]);
      writeTokens(writer, literals, [0], [97]);
      expectStatus(writer.code(3, 2).bits(0, 1).finish(), Status.BAD_SYMBOL);
    });

    it("refuses a block without an end", () => {
      expectStatus(dynamic(lengths(257, { 97: 1, 98: 1 }), [1], [97]), Status.BAD_CODE_LENGTHS);
    });

    it("finds the end of a block in a repeat", () => {
      // 254 to 257 have the same length, so that 256 comes by a repeat.
      const literals = lengths(258, { 254: 2, 255: 2, 256: 2, 257: 2 });
      expectStatus(dynamic(literals, [1], [254, 255, { length: 257, distance: 0 }, 256]), Status.OK);
    });

    it("lets a repeat cross from the literals to the distances", () => {
      const literals = lengths(260, { 97: 1, 256: 3, 257: 3, 258: 3, 259: 3 });
      const distances = [3, 3, 3, 3, 3, 3, 3, 3];
      const tokens: Token[] = [97, 97, { length: 259, distance: 1 }, { length: 257, distance: 3 }, 256];
      expectStatus(dynamic(literals, distances, tokens), Status.OK);
    });

    it("refuses more than 286 lengths and literals, or 30 distances", () => {
      const header = (literals: number, distances: number): Buffer =>
        new BitWriter()
          .bits(5, 3)
          .bits(literals - 257, 5)
          .bits(distances - 1, 5)
          .bits(15, 4)
          .finish();
      expectStatus(header(287, 1), Status.BAD_CODE_LENGTHS);
      expectStatus(header(288, 1), Status.BAD_CODE_LENGTHS);
      expectStatus(header(257, 31), Status.BAD_CODE_LENGTHS);
      expectStatus(header(257, 32), Status.BAD_CODE_LENGTHS);
      const literals = lengths(286, { 97: 1, 256: 1 });
      expectStatus(dynamic(literals, new Array<number>(29).fill(0).concat(1), [97, 256]), Status.OK);
    });

    it("refuses a precode that is no complete code", () => {
      const precode = (...given: number[]): Buffer => {
        const writer = new BitWriter().bits(5, 3).bits(0, 5).bits(0, 5).bits(0, 4);
        for (const length of given) writer.bits(length, 3);
        return writer.bits(0, 32).finish();
      };
      expectStatus(precode(0, 0, 0, 0), Status.BAD_CODE_LENGTHS);
      expectStatus(precode(1, 0, 0, 0), Status.BAD_CODE_LENGTHS);
      expectStatus(precode(1, 1, 1, 0), Status.BAD_CODE_LENGTHS);
      expectStatus(precode(2, 2, 2, 0), Status.BAD_CODE_LENGTHS);
    });

    it("refuses a repeat of nothing, and one that goes too far", () => {
      // The precode has 16, 17, 18 and 0 at two bits each: codes 0 → 0, 16 → 1, 17 → 2, 18 → 3.
      const writer = (): BitWriter => {
        const start = new BitWriter().bits(5, 3).bits(0, 5).bits(0, 5).bits(0, 4);
        for (let i = 0; i < 4; i++) start.bits(2, 3);
        return start;
      };
      expectStatus(writer().code(1, 2).bits(0, 2).finish(), Status.BAD_CODE_LENGTHS);
      const far = writer().code(3, 2).bits(127, 7).code(3, 2).bits(127, 7);
      expectStatus(far.finish(), Status.BAD_CODE_LENGTHS);
    });

    it("replicates overlapping matches at every distance from 1 to 40, and every length", () => {
      for (let distance = 1; distance <= 40; distance++) {
        const tokens: Token[] = Array.from({ length: 40 }, (_, i) => 33 + i);
        for (let length = 3; length <= 258; length += length < 70 ? 1 : 17)
          tokens.push(matchOf(length, distance), 46);
        const stream = fixedBlock(new BitWriter(), [...tokens, 256]).finish();
        const verdict = oracle(stream, true);
        assert.ok("output" in verdict);
        const capacity = verdict.output.length;
        assertVerdict(
          inflater.run(stream, { raw: true, capacity, slack: 32 }),
          verdict,
          `distance ${distance}`,
        );
        for (const output of [every(61), every(300)])
          assertVerdict(
            inflater.run(stream, { raw: true, capacity, output }),
            verdict,
            `distance ${distance}`,
          );
      }
    });

    it("ends a match at the end of the output to the byte, whatever the slack", () => {
      for (const distance of [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32])
        for (const length of [3, 15, 16, 17, 31, 32, 33, 64, 257, 258]) {
          const tokens: Token[] = Array.from({ length: 33 }, (_, i) => 65 + i);
          const stream = fixedBlock(new BitWriter(), [...tokens, matchOf(length, distance), 256]).finish();
          const capacity = 33 + length;
          const verdict = oracle(stream, true);
          const followed = Buffer.concat([stream, Buffer.alloc(64)]);
          for (const slack of [0, 1, 15, 16, 31, 32, 33, 100])
            assertVerdict(
              inflater.run(followed, { raw: true, capacity, slack }),
              verdict,
              `${length}, ${slack}`,
            );
          const cut = inflater.run(followed, { raw: true, capacity: capacity - 1, slack: 32 });
          assert.equal(cut.status, NEED_OUTPUT);
        }
    });

    it("takes the end and the trailer when the output is already full, in no room at all", () => {
      for (const writer of [
        fixedBlock(new BitWriter(), [256], false),
        new BitWriter().bits(0, 3).align().bits(0, 16).bits(0xffff, 16),
      ]) {
        const stream = fixedBlock(writer, [256]).finish();
        const result = inflater.run(stream, { raw: true, capacity: 0 });
        assert.equal(result.status, Status.OK);
        assert.equal(result.totalIn, stream.length);
      }
      const zlib = Buffer.from("789c030000000001", "hex");
      assert.equal(inflater.run(zlib, { capacity: 0, input: every(1) }).status, Status.OK);
    });

    it("decodes codes of 15 bits", () => {
      // A comb: 1, 2, ... 14, 15, 15 bits.
      const literals = new Array<number>(286).fill(0);
      for (let i = 0; i < 14; i++) literals[97 + i] = i + 1;
      literals[256] = 15;
      literals[285] = 15;
      const distances = Array.from({ length: 16 }, (_, i) => Math.min(i + 1, 15));
      const tokens: Token[] = [];
      for (let i = 0; i < 400; i++) tokens.push(97 + (i % 14));
      for (let i = 0; i < 16; i++) tokens.push({ length: 285, distance: i }, 110, 109);
      tokens.push(256);
      expectStatus(dynamic(literals, distances, tokens), Status.OK);
    });

    it("takes no bit of what follows a window, even by its longest symbols", () => {
      const tokens: Token[] = [120];
      for (let made = 1; made < 25_000; made += 258) tokens.push(matchOf(258, 1));
      const writer = fixedBlock(new BitWriter(), [...tokens, 256], false);
      // Two literals of 11 bits, then 15 + 5 of a length and 15 + 13 of a distance.
      const literals = new Array<number>(286).fill(0);
      for (let i = 0; i < 13; i++) literals[97 + i] = i + 1;
      for (const symbol of [110, 256, 284, 285]) literals[symbol] = 15;
      const distances = Array.from({ length: 30 }, (_, i) => (i < 14 ? i + 1 : i >= 28 ? 15 : 0));
      dynamicHeader(writer, literals, distances);
      const heavy: Token[] = [];
      for (let i = 0; i < 12; i++)
        heavy.push(107, 107, { length: 284, lengthExtra: i, distance: 29, distanceExtra: 5 * i });
      writeTokens(writer, literals, distances, [...heavy, 256]);
      const stream = writer.finish();
      const verdict = oracle(stream, true);
      assert.ok("output" in verdict);
      for (let split = stream.length - 150; split < stream.length; split++) {
        const options = { raw: true, capacity: verdict.output.length, input: splitAt(split), slack: 32 };
        assertVerdict(inflater.run(stream, options), verdict, `split at ${split}`);
      }
    });
  });
}
