/** The line that shows progress on a terminal. */
import { formatBytes, formatDuration } from "./format.js";

/** How far a step of some work is. */
export interface Step {
  /** Tells the step from others. */
  name: string;
  /** Of `total`, in whichever unit. */
  done: number;
  total: number;
  /** Whether the unit is a byte: then the rate is shown, too. */
  isBytes?: boolean;
}

/** Milliseconds, and the share of a step, from which on the time that is left can be told. */
const TOLD_AFTER = 2000;
const TOLD_SHARE = 0.02;

/** One line on a terminal's standard error that says how far things are; nothing elsewhere. */
export class ProgressLine {
  readonly #isShown: boolean;
  #last = 0;
  #isDirty = false;
  /** The first that was told of the present step, and when. */
  #first: { step: Step; time: number } | undefined;

  /** @param quiet show nothing, even on a terminal */
  constructor(quiet = false) {
    this.#isShown = !quiet && process.stderr.isTTY === true;
  }

  /** Shows `text`, though not more than ten times a second, and the rate and time left of the step. */
  update(text: () => string, step?: Step): void {
    if (!this.#isShown) return;
    const now = performance.now();
    if (step !== undefined && step.name !== this.#first?.step.name) this.#first = { step, time: now };
    if (now - this.#last < 100) return;
    this.#last = now;
    this.#isDirty = true;
    const line = text() + (step === undefined ? "" : pace(this.#first!.step, step, now - this.#first!.time));
    process.stderr.write(`\r${line.slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`);
  }

  /** Clears the line. */
  clear(): void {
    if (this.#isDirty) process.stderr.write("\r\x1b[K");
    this.#isDirty = false;
  }

  /** Clears the line and leaves `text` on the terminal. */
  finish(text: string): void {
    this.clear();
    if (this.#isShown) process.stderr.write(`${text}\n`);
  }
}

/** ", 3.1 MB/s, 12 s left" of a step since it was first told of; nothing if that cannot be known yet. */
function pace(first: Step, { done, total, isBytes }: Step, elapsed: number): string {
  const advance = done - first.done;
  if (elapsed < TOLD_AFTER || advance < TOLD_SHARE * total) return "";
  const rate = isBytes === true ? `, ${formatBytes((1000 * advance) / elapsed)}/s` : "";
  return done >= total ? rate : `${rate}, ${formatDuration((elapsed * (total - done)) / advance)} left`;
}
