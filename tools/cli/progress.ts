/** The line that shows progress on a terminal. */

/** One line on a terminal's standard error that says how far things are; nothing elsewhere. */
export class ProgressLine {
  readonly #isShown: boolean;
  #last = 0;
  #isDirty = false;

  /** @param quiet show nothing, even on a terminal */
  constructor(quiet = false) {
    this.#isShown = !quiet && process.stderr.isTTY === true;
  }

  /** Shows `text`, though not more than ten times a second. */
  update(text: () => string): void {
    if (!this.#isShown || performance.now() - this.#last < 100) return;
    this.#last = performance.now();
    this.#isDirty = true;
    process.stderr.write(`\r${text().slice(0, (process.stderr.columns || 80) - 1)}\x1b[K`);
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
