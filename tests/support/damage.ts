/** Holds `verify` and readers against damaged copies of a sound image, and counts. */
import assert from "node:assert/strict";
import { DocteurError, type OpenOptions } from "../../src/index.js";
import { Answers } from "./answers.js";
import { type CoreVariant, coreVariants, MODES } from "./core.js";
import { isPadding, type Region, regionsOf } from "./regions.js";
import { Reader, type Verdict, Verifier } from "./reused.js";

/** Whether everything is tried that otherwise takes turns. */
export const EXHAUSTIVE = process.env.DOCTEUR_TEST_EXHAUSTIVE === "1";

/** Levels of proof; `pinned` is `oid` with the commit's id given. */
export const LEVELS = ["none", "crc", "oid", "pinned"] as const;
export type Level = (typeof LEVELS)[number];

/** What reading a damaged image gave. */
export interface Reading {
  /** It could not be opened. */
  isRefused: boolean;
  right: number;
  refused: number;
  /** Questions with wrong answers: what was asked, and whether the answer tells sizes. */
  wrong: { what: string; tellsSizes: boolean }[];
}

/** What was counted, for the test's diagnostics. */
export class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  toString(): string {
    return [...this.#counts].map(([what, count]) => `${count} ${what}`).join(", ");
  }
}

/** An error that damage may lead to: not that of a device or of arguments that are in order. */
function assertTyped(error: unknown, where: string): void {
  assert.ok(error instanceof DocteurError, `${where}: ${(error as Error).stack}`);
  assert.ok(!["DeviceFailed", "InvalidArgument"].includes(error.code), `${where}: ${error.message}`);
}

/** One image, whose copies are damaged. */
export class Patient {
  readonly sound: Uint8Array;
  readonly regions: Region[];
  readonly commit: string;
  readonly tally = new Tally();
  readonly #answers: Answers;
  readonly #verifier: Verifier;
  readonly #readers: Reader[];

  private constructor(
    sound: Uint8Array,
    commit: string,
    answers: Answers,
    verifier: Verifier,
    readers: Reader[],
  ) {
    this.sound = sound;
    this.regions = regionsOf(sound);
    this.commit = commit;
    this.#answers = answers;
    this.#verifier = verifier;
    this.#readers = readers;
  }

  /** @param sound an image that nothing is wrong with, which is proven first */
  static async of(sound: Uint8Array): Promise<Patient> {
    const verifier = await Verifier.create();
    const { status, findings } = await verifier.verify(sound);
    assert.ok(status === "sound" && findings.every(({ severity }) => severity === "note"));
    const readers = (await coreVariants()).map(({ module }: CoreVariant) => new Reader(module));
    const volume = await readers[0]!.open(sound, {
      commit: Buffer.from(sound.subarray(0, 20)).toString("hex"),
    });
    const patient = new Patient(sound, volume.commit.oid, await Answers.of(volume), verifier, readers);
    for (const [build] of readers.entries())
      for (const mode of MODES)
        for (const level of LEVELS) {
          const reading = await patient.read(sound, { mode, level, build, where: "sound" });
          assert.ok(!reading.isRefused && reading.refused === 0 && reading.wrong.length === 0);
        }
    return patient;
  }

  /** `verify`, which must not trap, hang or throw anything. */
  async verify(bytes: Uint8Array, where: string): Promise<Verdict> {
    const verdict = await this.#verifier.verify(bytes);
    for (const { code } of verdict.findings)
      assert.ok(!["DeviceFailed", "InvalidArgument", "OutOfMemory"].includes(code), `${where}: ${code}`);
    return verdict;
  }

  /**
   * Opens an image and asks it everything that it always is, and some of the rest.
   * @param build which of the core's builds
   * @param turn which of the rest; all of it where it is left out
   * @throws AssertionError where ids are proven and an answer is wrong, and where anything but a typed error is thrown
   */
  async read(
    bytes: Uint8Array,
    how: { mode: (typeof MODES)[number]; level: Level; where: string; build?: number; turn?: number },
  ): Promise<Reading> {
    const { mode, level, build = 1, turn } = how;
    const where = `${how.where}: ${mode}, ${level}, build ${build}`;
    const options: OpenOptions = {
      mode,
      ...(level === "pinned" ? { commit: this.commit } : { proof: level }),
    };
    const reading: Reading = { isRefused: false, right: 0, refused: 0, wrong: [] };
    try {
      const volume = await this.#readers[build]!.open(bytes, options);
      await this.#answers.check(volume, turn, (outcome, what, tellsSizes) => {
        if (outcome === "wrong") reading.wrong.push({ what, tellsSizes });
        else reading[outcome]++;
      });
    } catch (error) {
      assertTyped(error, where);
      reading.isRefused = true;
    }
    if (level === "oid" || level === "pinned")
      assert.deepEqual(reading.wrong, [], `${where}: an answer that ids do not prove`);
    this.tally.add(`readings at ${level}`);
    const sizes = reading.wrong.filter(({ tellsSizes }) => tellsSizes).length;
    if (sizes > 0) this.tally.add(`wrong sizes at ${level}`, sizes);
    if (reading.wrong.length > sizes)
      this.tally.add(`other wrong answers at ${level}`, reading.wrong.length - sizes);
    return reading;
  }

  /** Whether the image differs from the sound one where that matters: before its last padding. */
  isDamaged(bytes: Uint8Array): boolean {
    const { start } = this.regions.at(-1)!;
    assert.ok(isPadding(this.regions.at(-1)!));
    const same = Math.min(bytes.length, start);
    return same < start || Buffer.compare(bytes.subarray(0, start), this.sound.subarray(0, start)) !== 0;
  }

  /** Which questions are asked in the case of a number. */
  turnOf(number: number): number {
    return number % this.#answers.turns;
  }
}
