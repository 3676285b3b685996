/**
 * Mutations of byte strings. No coverage tool for JavaScript sees into Wasm, so nothing can steer the fuzzers by the
 * branches that an input takes. They are aware of the format instead: what is mutated are the parts of sound images, after which the
 * lengths, checksums and streams around them are made to fit again, so that inputs get as deep as they would be steered.
 */
import type { Random } from "../support/random.js";

/** Values that sit at borders. */
const BYTES = [0, 1, 0x20, 0x2e, 0x2f, 0x7f, 0x80, 0x81, 0xfe, 0xff];

/** A place: anywhere, or near one of the ends, where the lengths and the magic numbers are. */
function place(random: Random, length: number): number {
  const near = Math.min(length, 64);
  const kind = random(4);
  if (kind === 0) return random(near);
  return kind === 1 ? length - 1 - random(near) : random(length);
}

/** Overwrites a number of 1, 2, 4 or 8 bytes in either order: a border's value, or a step away from what it was. */
function editNumber(bytes: Buffer, at: number, random: Random): void {
  const width = Math.min([1, 2, 4, 8][random(4)]!, bytes.length - at);
  if (random(2)) {
    const step = random(2) ? 1 : -1;
    const low = random(2) ? at : at + width - 1;
    bytes[low] = bytes[low]! + step;
  } else {
    bytes.fill(random(2) ? 0 : 0xff, at, at + width);
    bytes[random(2) ? at : at + width - 1] = BYTES[random(BYTES.length)]!;
  }
}

function mutateOnce(input: Buffer, random: Random, others: readonly Uint8Array[]): Buffer {
  if (input.length === 0) return Buffer.from([random(256)]);
  const at = place(random, input.length);
  const length = Math.min(1 + random(random(3) ? 8 : 200), input.length - at);
  const to = random(input.length + 1);
  switch (random(9)) {
    case 0:
    case 1:
      input[at]! ^= 1 << random(8);
      return input;
    case 2:
      input[at] = random(2) ? BYTES[random(BYTES.length)]! : random(256);
      return input;
    case 3:
      editNumber(input, at, random);
      return input;
    case 4:
      input.copyWithin(Math.min(to, input.length - length), at, at + length);
      return input;
    case 5:
      return Buffer.concat([input.subarray(0, at), input.subarray(at + length)]);
    case 6:
      return Buffer.concat([input.subarray(0, to), input.subarray(at, at + length), input.subarray(to)]);
    case 7: {
      const other = others.length > 0 ? others[random(others.length)]! : input;
      const from = random(other.length);
      const piece = other.subarray(from, from + 1 + random(64));
      return Buffer.concat([
        input.subarray(0, at),
        piece,
        input.subarray(at + (random(2) ? piece.length : 0)),
      ]);
    }
    default:
      return input.subarray(0, at);
  }
}

/**
 * A changed copy.
 * @param changes how many changes are made, at the most; one at least
 * @param others where pieces may be taken from
 */
export function mutate(
  input: Uint8Array,
  random: Random,
  changes = 4,
  others: readonly Uint8Array[] = [],
): Buffer {
  let bytes = Buffer.from(input);
  for (let left = 1 + random(changes); left > 0; left--)
    bytes = Buffer.from(mutateOnce(bytes, random, others));
  return bytes;
}
