/**
 * The operations of one core, one at a time: while one waits for its device, the others stand in a queue. A
 * signal ends the wait of its operation, and closing ends all.
 */
import { abortable, throwIfAborted } from "../abort.js";
import type { Core } from "../core/instance.js";
import { DocteurError } from "../errors.js";

/** An operation of the core. */
export interface Operation<T> {
  /** What it is about, for errors. */
  path?: string | undefined;
  /** End its wait. */
  signals: readonly AbortSignal[];
  /** Calls the export. */
  call(): number;
  /** Takes the result: at once, before any other operation can begin. */
  take(): T;
}

export class Operations {
  readonly #core: Core;
  readonly #closing = new AbortController();
  /** The end of the last operation that waits for the device or in the queue; it never rejects. */
  #last: Promise<void> | undefined;

  constructor(core: Core) {
    this.#core = core;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Ends what waits, and refuses what comes: with `Closed`. */
  close(): void {
    this.#closing.abort();
  }

  /**
   * Runs an operation.
   * @returns its result: no promise where the device has it all at once and nothing waits
   * @throws DocteurError `Closed`, and what the core throws; the reason of a signal
   */
  run<T>(operation: Operation<T>): T | Promise<T> {
    this.#check(operation);
    if (this.#last !== undefined) return this.#queue(operation, this.#last);
    const waiting = this.#start(operation);
    return waiting === undefined ? operation.take() : this.#finish(operation, waiting, this.#enter());
  }

  #check({ path, signals }: Operation<unknown>): void {
    if (this.isClosed) throw new DocteurError("Closed", "the volume is closed", { path });
    throwIfAborted(signals);
  }

  #start({ call, path, signals }: Operation<unknown>): Promise<void> | undefined {
    return this.#core.run(call, path, [this.#closing.signal, ...signals]);
  }

  /** Takes the last place in the queue. @returns leaves it */
  #enter(): () => void {
    let leave = (): void => undefined;
    const end = new Promise<void>((resolve) => {
      leave = () => {
        if (this.#last === end) this.#last = undefined;
        resolve();
      };
    });
    this.#last = end;
    return leave;
  }

  async #finish<T>(
    operation: Operation<T>,
    waiting: Promise<void> | undefined,
    leave: () => void,
  ): Promise<T> {
    try {
      await waiting;
      return operation.take();
    } catch (error) {
      // What ended the wait was the closing, whatever came of it.
      this.#check(operation);
      throw error;
    } finally {
      leave();
    }
  }

  async #queue<T>(operation: Operation<T>, before: Promise<void>): Promise<T> {
    const leave = this.#enter();
    try {
      await abortable(before, [this.#closing.signal, ...operation.signals]);
      this.#check(operation);
    } catch (error) {
      // The next in the queue waits for those before this one.
      before.then(leave);
      this.#check(operation);
      throw error;
    }
    let waiting: Promise<void> | undefined;
    try {
      waiting = this.#start(operation);
    } catch (error) {
      leave();
      throw error;
    }
    return this.#finish(operation, waiting, leave);
  }
}
