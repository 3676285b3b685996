/** Contents that resemble each other, as versions of a file do. */
import type { Random } from "./random.js";

/** Random bytes of the first `alphabet` values: of few values, they repeat themselves. */
export function randomBytes(random: Random, length: number, alphabet = 256): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = random(alphabet);
  return bytes;
}

const WORDS = ["export", "const", "function", "value", "return", "index", "length", "of", "the", "new", "if"];

/** Text like a program's, of about that length. */
export function randomText(random: Random, length: number): Buffer {
  const lines: string[] = [];
  for (let have = 0; have < length; have += lines.at(-1)!.length + 1) {
    const words = Array.from({ length: 1 + random(9) }, () =>
      random(3) ? WORDS[random(WORDS.length)]! : `name${random(5000)}`,
    );
    lines.push("  ".repeat(random(4)) + words.join(" "));
  }
  return Buffer.from(`${lines.join("\n")}\n`);
}

/** Content with `edits` places changed: bytes inserted, removed, replaced or moved. */
export function edited(random: Random, content: Buffer, edits: number): Buffer {
  let result = content;
  for (let left = edits; left > 0; left--) {
    const at = random(result.length + 1);
    const to = Math.min(result.length, at + random(60));
    const kind = random(4);
    const middle =
      kind < 2
        ? randomText(random, random(50))
        : kind === 2
          ? Buffer.alloc(0)
          : result.subarray(0, random(200));
    result = Buffer.concat([result.subarray(0, at), middle, result.subarray(kind === 0 ? at : to)]);
  }
  return result;
}
