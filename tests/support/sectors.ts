/** What happens to images on disks: sectors of zeros, sectors in each other's places, an end that is missing. */
import assert from "node:assert/strict";
import { MODES } from "./core.js";
import { EXHAUSTIVE, LEVELS, type Patient } from "./damage.js";

const SECTOR = 512;

/** An image with a sector of zeros, with two that are exchanged, or cut: and what was done to it. */
function* damagedSectors(sound: Uint8Array): Generator<{ bytes: Uint8Array; where: string }> {
  const count = sound.length / SECTOR;
  const sector = (index: number): Uint8Array => sound.subarray(index * SECTOR, (index + 1) * SECTOR);
  for (let first = 0; first < count; first++) {
    const zeroed = sound.slice();
    zeroed.fill(0, first * SECTOR, (first + 1) * SECTOR);
    yield { bytes: zeroed, where: `sector ${first} zeroed` };
    for (let second = first + 1; second < count; second++) {
      const swapped = sound.slice();
      swapped.set(sector(first), second * SECTOR);
      swapped.set(sector(second), first * SECTOR);
      yield { bytes: swapped, where: `sectors ${first} and ${second} exchanged` };
      const doubled = sound.slice();
      doubled.set(sector(first), second * SECTOR);
      yield { bytes: doubled, where: `sector ${first} in the place of ${second}, too` };
    }
    if (first > 0) yield { bytes: sound.slice(0, first * SECTOR), where: `cut to ${first} sectors` };
  }
}

/** The image up to every byte, zeros behind. */
function* zeroedTails(sound: Uint8Array): Generator<{ bytes: Uint8Array; where: string }> {
  for (let length = sound.length - 1; length >= 0; length--) {
    const bytes = sound.slice();
    bytes.fill(0, length);
    yield { bytes, where: `zeros from byte ${length} on` };
  }
}

/**
 * Damages an image by sectors, and cuts it at every byte.
 * @param began called with the number of each case
 * @returns what was found, for people
 * @throws AssertionError
 */
export async function sweepSectors(patient: Patient, began: (number: number) => void): Promise<string> {
  const { sound, tally } = patient;
  let number = 0;
  const verify = async (bytes: Uint8Array, where: string): Promise<boolean> => {
    began(number++);
    const { status } = await patient.verify(bytes, where);
    const isDamaged = patient.isDamaged(bytes);
    assert.equal(status, isDamaged ? "damaged" : "sound", where);
    if (isDamaged) tally.add(where.startsWith("zeros") ? "zeroed tails found" : "damaged sectors found");
    return isDamaged;
  };
  for (const { bytes, where } of damagedSectors(sound)) {
    const isDamaged = await verify(bytes, where);
    for (const mode of MODES)
      for (const level of LEVELS) {
        const { wrong, refused, isRefused } = await patient.read(bytes, { mode, level, where });
        if (!isDamaged) assert.ok(!isRefused && refused === 0 && wrong.length === 0, where);
        // The IDX alone is trusted: where it lies, CRC-32s tell, but for sizes.
        if (level === "crc")
          assert.ok(
            wrong.every(({ tellsSizes }) => tellsSizes),
            `${where}: ${mode}`,
          );
        if (mode === "analyze") assert.equal(wrong.length, 0, where);
      }
  }
  for (const { bytes, where } of zeroedTails(sound)) {
    await verify(bytes, where);
    for (const [index, mode] of MODES.entries())
      for (const level of LEVELS) {
        const isItsTurn = number % 3 === index && (number >> 2) % 4 === LEVELS.indexOf(level);
        if (!EXHAUSTIVE && !isItsTurn) continue;
        const turn = patient.turnOf(number);
        const { wrong } = await patient.read(bytes, { mode, level, where, turn });
        // Zeros lead nowhere, but for sizes, which are told from entries' beginnings.
        assert.ok(
          wrong.every(({ tellsSizes }) => tellsSizes),
          `${where}: ${mode}, ${level}`,
        );
      }
  }
  return `${tally}`;
}
