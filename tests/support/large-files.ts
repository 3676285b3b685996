/** Large files for tests that read parts of them: content, streams of every form, and chains of deltas. */
import { constants, deflateRawSync, deflateSync } from "node:zlib";
import { copy, delta, entryHeader, imageWith, insert } from "./crafted-image.js";
import { gitOid } from "./fixtures.js";
import type { Random } from "./random.js";

/** Text, runs, noise, and copies of earlier bytes. */
export function content(size: number, random: Random): Buffer {
  const out = Buffer.alloc(size);
  const words = Array.from({ length: 200 }, () =>
    random(2 ** 31)
      .toString(36)
      .slice(random(4)),
  );
  for (let at = 0; at < size; ) {
    const kind = random(12);
    if (kind < 8) {
      let line = "";
      for (let i = random(12); i >= 0; i--) line += `${words[random(200)]} `;
      at += out.write(line, at, "latin1");
    } else if (kind < 9) {
      const end = Math.min(size, at + random(random(20) ? 100 : 9000));
      out.fill(random(256), at, end);
      at = end;
    } else if (kind < 10) {
      for (const end = Math.min(size, at + random(80)); at < end; at++) out[at] = random(256);
    } else if (at > 0) {
      const from = at - 1 - random(Math.min(at, 32_000));
      at += out.copy(out, at, from, Math.min(at, from + random(3000)));
    }
  }
  return out;
}

/** Lines of noise: what is 32 KiB away helps little to compress them, so that `make` chooses the shortest segments. */
export function noisyLines(size: number, random: Random): Buffer {
  let text = "";
  for (let line = 0; text.length < size; line++)
    text += `line ${line} ${Array.from({ length: 6 }, () => random(2 ** 31).toString(36)).join(" ")}\n`;
  return Buffer.from(text.slice(0, size), "latin1");
}

function adler32(data: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

/** A zlib stream of blocks of all kinds, of random lengths, some of them empty. */
function mixed(data: Buffer, random: Random): Buffer {
  const parts: Buffer[] = [Buffer.of(0x78, 0x9c)];
  for (let at = 0; at < data.length; ) {
    const size = Math.min(data.length - at, random(3) ? random(20_000) : random(400_000));
    const options = [
      { level: 0 },
      { strategy: constants.Z_FIXED },
      { strategy: constants.Z_HUFFMAN_ONLY },
      { level: 9 },
      { level: 1, memLevel: 1 },
    ][random(5)]!;
    const dictionary = at > 0 ? { dictionary: data.subarray(Math.max(0, at - 32_768), at) } : {};
    const part = data.subarray(at, at + size);
    const flush = random(2) ? constants.Z_SYNC_FLUSH : constants.Z_FULL_FLUSH;
    parts.push(deflateRawSync(part, { ...options, ...dictionary, finishFlush: flush }));
    at += size;
  }
  const end = Buffer.alloc(4);
  end.writeUInt32BE(adler32(data));
  return Buffer.concat([...parts, Buffer.of(1, 0, 0, 0xff, 0xff), end]);
}

/** Ways to write a zlib stream. */
export const FORMS: readonly [string, (data: Buffer, random: Random) => Buffer][] = [
  ["stored blocks", (data) => deflateSync(data, { level: 0 })],
  ["blocks of the fixed code", (data) => deflateSync(data, { strategy: constants.Z_FIXED })],
  ["dynamic blocks", (data) => deflateSync(data, { level: 6 })],
  ["long dynamic blocks", (data) => deflateSync(data, { level: 9, memLevel: 9 })],
  ["literals only", (data) => deflateSync(data, { strategy: constants.Z_HUFFMAN_ONLY })],
  ["blocks of all kinds", mixed],
];

/** An image whose `/f` is such a stream. */
export function imageOf(data: Buffer, stream: Buffer): { bytes: Uint8Array; offset: number } {
  return imageWith((image) => image.raw(gitOid("blob", data), entryHeader(3, data.length), stream));
}

/** A random place, near the last one as often as not, near the file's ends sometimes. */
export function place(random: Random, size: number, last: number): number {
  const kind = random(8);
  if (kind < 3) return random(size);
  if (kind === 3) return Math.max(0, size - random(3000));
  if (kind === 4) return random(3000);
  return Math.min(size, Math.max(0, last + random(300_000) - 150_000));
}

/** Random edits: most of the base in its order, some of it moved, some bytes inserted. */
export function edit(
  base: Buffer,
  random: Random,
  longest: number,
): { instructions: Buffer; result: Buffer } {
  const parts: Buffer[] = [];
  const pieces: Buffer[] = [];
  let at = 0;
  while (at < base.length) {
    const kind = random(20);
    const length = Math.min(base.length - at, 1 + random(random(2) ? longest : 300));
    if (kind < 12) {
      parts.push(copy(at, length));
      pieces.push(base.subarray(at, at + length));
      at += length;
    } else if (kind < 15) {
      const text = random(2 ** 31)
        .toString(36)
        .repeat(1 + random(12));
      parts.push(insert(text));
      pieces.push(Buffer.from(text));
    } else if (kind < 17) {
      const from = random(base.length - length + 1);
      parts.push(copy(from, length));
      pieces.push(base.subarray(from, from + length));
    } else {
      at += random(3000);
    }
  }
  const result = Buffer.concat(pieces);
  return { instructions: delta(base.length, result.length, ...parts), result };
}

/** An image whose `/f` is a chain of deltas on a large blob. */
export function chainOf(
  size: number,
  links: number,
  random: Random,
  longest: number,
): { bytes: Uint8Array; data: Buffer } {
  let data = content(size, random);
  const { bytes } = imageWith((image) => {
    let placed = image.object("blob", data);
    for (let i = 0; i < links; i++) {
      const { instructions, result } = edit(data, random, longest);
      data = result;
      placed =
        random(2) === 0
          ? image.ofsDelta(gitOid("blob", result), placed.offset, instructions)
          : image.refDelta(gitOid("blob", result), placed.oid, instructions);
    }
    return placed;
  });
  return { bytes, data };
}
