/**
 * Every bit of an image turned, one at a time: `verify` finds each and names the place; readers give right answers or typed
 * errors. What a level of proof does not look at, and what it trusts, is said here to the letter.
 */
import assert from "node:assert/strict";
import { MODES } from "./core.js";
import { KIND } from "./crafted-image.js";
import { EXHAUSTIVE, LEVELS, type Level, type Patient, type Reading } from "./damage.js";
import type { Region, RegionKind } from "./regions.js";
import type { Verdict } from "./reused.js";

/** A bit that is turned. */
interface Flip {
  at: number;
  bit: number;
  region: Region;
  bytes: Uint8Array;
  /** Where the PACK's trailer stands. */
  trailer: number;
}

/** What the first error of `verify` may be where no finding can tell the byte. */
const FRAME_CODES: Partial<Record<RegionKind, readonly string[]>> = {
  // There is no IDX where the header leads, or no room for one.
  "IDX offset": ["BadHeader", "Truncated", "BadPack", "BadIdx"],
  "PACK magic": ["BadPack"],
  // 3 is a version, too: then it is the checksum that is wrong.
  "PACK version": ["BadPack", "BadTrailer"],
};

/** `verify` finds the flip, and names what it hit. */
function checkVerdict(
  { at, region, bytes, trailer }: Flip,
  { status, findings }: Verdict,
  where: string,
): void {
  const { kind, entry } = region;
  const told = `${where}: ${JSON.stringify(findings.slice(0, 4))}`;
  const errors = findings.filter(({ severity }) => severity === "error");
  if (kind === "last padding") {
    // Readers never look there: worth a look, and no damage (docs/VERIFY.md).
    assert.equal(status, "sound", told);
    assert.ok(
      findings.some(({ code, offset }) => code === "TrailingData" && offset === at),
      told,
    );
    return;
  }
  assert.equal(status, "damaged", told);
  const first = errors[0]!;
  const codes = FRAME_CODES[kind];
  if (codes !== undefined) assert.ok(codes.includes(first.code), told);
  // One entry too many is one where the trailer stands; with one too few, it is the last one that is no trailer.
  else if (kind === "PACK count")
    assert.ok(first.offset === trailer || ["BadPack", "BadTrailer", "BadIdx"].includes(first.code), told);
  else if (kind === "commit id") {
    const oid = Buffer.from(bytes.subarray(0, 20)).toString("hex");
    assert.deepEqual([first.code, first.oid], ["MissingObject", oid], told);
  } else if (entry !== undefined) {
    const isNamed = errors.some(({ offset, oid }) => offset === entry.start || oid === entry.oid);
    // An object of another kind is sound, and another: of one that nothing leads to, checksum and index tell alone.
    const isAnother = kind === "entry header" && first.code === "BadTrailer" && errors[1]?.code === "BadIdx";
    assert.ok(isNamed || isAnother, told);
  } else if (kind === "PACK trailer")
    assert.deepEqual([first.code, first.offset], ["BadTrailer", region.start], told);
  else if (kind === "first padding") assert.deepEqual([first.code, first.offset], ["BadPack", at], told);
  else assert.deepEqual([first.code, first.offset], ["BadIdx", at], told);
}

/** What no reader of that mode and level looks at: nothing there changes any answer. */
function isUnread({ kind }: Region, mode: (typeof MODES)[number], level: Level): boolean {
  if (kind === "first padding" || kind === "last padding") return true;
  if (mode === "analyze") return kind.startsWith("IDX ") && kind !== "IDX offset";
  if (kind === "IDX CRC-32s") return level !== "crc";
  // Both copies of the PACK's checksum, and the IDX's: to prove them is to read everything.
  return ["PACK trailer", "IDX copy of the trailer", "IDX trailer"].includes(kind);
}

/**
 * Whether CRC-32s must tell: of all entries but a tag's, which nothing leads to, whether or not what they hold has changed;
 * and where it is the CRC-32 itself that was hit.
 */
function isCrcWrong({ at, region }: Flip, regions: readonly Region[], sound: Uint8Array): boolean {
  const isTag = (start: number): boolean => ((sound[start]! >> 4) & 7) === KIND.tag;
  if (region.entry !== undefined) return !isTag(region.entry.start);
  if (region.kind !== "IDX CRC-32s") return false;
  const row = (at - region.start) >> 2;
  const ids = regions.find(({ kind }) => kind === "IDX ids")!.start;
  const oid = Buffer.from(sound.subarray(ids + row * 20, ids + row * 20 + 20)).toString("hex");
  return !isTag(regions.find(({ entry }) => entry?.oid === oid)!.start);
}

/**
 * What may be wrong where ids are not proven. Sizes come from an entry's header, a delta's head, or whatever entry the IDX
 * leads to, none of which is read to its end. Without CRC-32s an offset in the IDX may lead to another object, and the kind
 * that `object` tells is what the header says. Streams have their Adler-32 at every level, which finds every one of these
 * flips; that is no proof against worse damage, as 32 bits are none.
 */
function mayBeWrong(
  { kind }: Region,
  mode: (typeof MODES)[number],
  level: Level,
  { what, tellsSizes }: Reading["wrong"][number],
): boolean {
  if (mode === "analyze") return false;
  // An offset that happens to be another entry's: the IDX is believed.
  if (level === "none" && kind === "IDX offsets") return true;
  if (tellsSizes) return ["entry header", "entry stream", "IDX offsets"].includes(kind);
  return level === "none" && kind === "entry header" && what.startsWith("object ");
}

function checkReading(
  flip: Flip,
  mode: (typeof MODES)[number],
  level: Level,
  reading: Reading,
  where: string,
): void {
  const { region } = flip;
  const { isRefused, refused, wrong } = reading;
  if (isUnread(region, mode, level))
    assert.ok(
      !isRefused && refused === 0 && wrong.length === 0,
      `${where}: ${mode}, ${level}: an answer has changed`,
    );
  else if (mode === "analyze" && region.kind !== "IDX offset")
    assert.ok(isRefused, `${where}: analyze takes a PACK that is not its checksum's`);
  for (const answer of wrong)
    assert.ok(
      mayBeWrong(region, mode, level, answer),
      `${where}: ${mode}, ${level}: ${answer.what} is wrong`,
    );
}

/** How a flip's image is read: at each level of ids every bit, and one bit of a byte at the others, unless all is tried. */
function* waysToRead(
  at: number,
  bit: number,
): Generator<{ mode: (typeof MODES)[number]; level: Level; build: number }> {
  if (EXHAUSTIVE) {
    for (const mode of MODES) for (const level of LEVELS) yield { mode, level, build: (at + bit) % 4 };
    return;
  }
  yield { mode: MODES[(at + bit) % 3]!, level: ((at >> 1) + bit) % 2 === 0 ? "oid" : "pinned", build: 1 };
  if (bit !== at % 8) return;
  for (const level of ["none", "crc"] as const)
    yield { mode: MODES[(at >> 3) % 3]!, level, build: (at >> 4) % 4 };
}

/**
 * Turns every bit of an image, one at a time.
 * @param began called with the number of each case: eight times the byte, plus the bit
 * @returns what was found, for people
 * @throws AssertionError
 */
export async function sweepFlips(patient: Patient, began: (number: number) => void): Promise<string> {
  const bytes = patient.sound.slice();
  const trailer = patient.regions.find(({ kind }) => kind === "PACK trailer")!.start;
  let count = 0;
  for (const region of patient.regions)
    for (let at = region.start; at < region.end; at++)
      for (let bit = 0; bit < 8; bit++) {
        began(at * 8 + bit);
        const where = `bit ${bit} of byte ${at}, ${region.kind}`;
        bytes[at]! ^= 1 << bit;
        const flip = { at, bit, region, bytes, trailer };
        checkVerdict(flip, await patient.verify(bytes, where), where);
        for (const { mode, level, build } of waysToRead(at, bit)) {
          const turn = patient.turnOf(at * 3 + bit);
          const reading = await patient.read(bytes, { mode, level, build, turn, where });
          checkReading(flip, mode, level, reading, where);
          if (level === "crc" && mode !== "analyze" && isCrcWrong(flip, patient.regions, patient.sound))
            assert.ok(reading.isRefused || reading.refused > 0, `${where}: ${mode}: no CRC-32 has told`);
        }
        bytes[at]! ^= 1 << bit;
        count++;
      }
  assert.equal(count, bytes.length * 8);
  assert.deepEqual(bytes, patient.sound);
  return `${count} bits turned, all found by verify; ${patient.tally}`;
}
