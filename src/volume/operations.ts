/**
 * The operations of one core. As many are under way at once as it has handles; the others are in a queue, first come,
 * first served. One wait for the device serves all operations that wait for it. A signal ends its operation, and
 * closing ends all.
 */
import { throwIfAborted } from "../abort.js";
import { RESULT } from "../core/abi.js";
import type { Core } from "../core/instance.js";
import { DocteurError, STATUS } from "../errors.js";
import { type Abortable, AbortWatch } from "./abort-watch.js";

/** An operation of the core. */
export interface Operation<T> {
  /** Its subject, for errors. */
  path?: string | undefined;
  /** End its wait. */
  signals: readonly AbortSignal[];
  /** Calls the export. */
  call(handle: number): number;
  /** Takes the result: at once, before anything else can run. */
  take(): T;
}

/** An operation that has not ended at once. */
interface Pending extends Abortable {
  readonly operation: Operation<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
  /** Its handle while it is under way. */
  handle: number;
  /** The handle of the operation that it waits for; 0 for the device. */
  waitsFor: number;
}

export class Operations {
  readonly #core: Core;
  #isClosed = false;
  /** Handles that no operation uses. */
  readonly #idle: number[] = [];
  /** Handles that the core has given. */
  #handles = 0;
  readonly #watch = new AbortWatch();
  /** Operations under way, in the order in which they began. */
  readonly #waiting = new Set<Pending>();
  /** Operations that no handle was left for. */
  readonly #queue = new Set<Pending>();
  /** Operations that found no memory beside others: each is tried again alone, with the only handle that is left. */
  readonly #lone = new Set<Pending>();
  /** The operation that has the core for itself. */
  #sole: Pending | undefined;
  /** Whether the device is being waited for. */
  #isAttending = false;

  constructor(core: Core) {
    this.#core = core;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Ends waiting operations and refuses new ones, with `Closed`. */
  close(): void {
    this.#isClosed = true;
    for (const pending of [...this.#waiting, ...this.#lone, ...this.#queue])
      this.#drop(pending, closedError(pending.operation));
  }

  /**
   * Runs an operation.
   * @returns its result, not a promise if the device has everything at once and the queue is empty
   * @throws DocteurError `Closed`, and the core's errors; the reason of a signal
   */
  run<T>(operation: Operation<T>): T | Promise<T> {
    if (this.#isClosed) throw closedError(operation);
    throwIfAborted(operation.signals);
    const handle = this.#isBusy ? 0 : this.#takeHandle();
    if (handle === 0) return this.#wait(operation, (pending) => this.#queue.add(pending));
    const status = this.#begin(operation, handle);
    if (status === STATUS.Again) return this.#wait(operation, (pending) => this.#enter(pending, handle));
    if (status === STATUS.OutOfMemory && this.#handles > 1) {
      this.#leave(handle);
      return this.#wait(operation, (pending) => {
        this.#lone.add(pending);
        this.#advance();
      });
    }
    try {
      if (status !== STATUS.Ok) throw this.#core.error(status, operation.path);
      return operation.take();
    } finally {
      this.#idle.push(handle);
    }
  }

  /** Whether a new operation has to stand in the queue. */
  get #isBusy(): boolean {
    return this.#queue.size > 0 || this.#lone.size > 0 || this.#sole !== undefined;
  }

  #wait<T>(operation: Operation<T>, place: (pending: Pending) => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const pending: Pending = {
        operation,
        signals: operation.signals,
        resolve: resolve as (value: unknown) => void,
        reject,
        handle: 0,
        waitsFor: 0,
        abort: (reason) => {
          this.#drop(pending, reason);
          this.#advance();
        },
      };
      this.#watch.add(pending);
      place(pending);
    });
  }

  /** A handle, or 0 if there is none. */
  #takeHandle(): number {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    const handle = this.#core.open();
    if (handle !== 0) this.#handles++;
    return handle;
  }

  #begin(operation: Operation<unknown>, handle: number): number {
    try {
      return this.#core.call(handle, operation.call);
    } catch (error) {
      this.#leave(handle);
      throw error;
    }
  }

  /** Called when an operation has answered AGAIN. */
  #enter(pending: Pending, handle: number): void {
    pending.handle = handle;
    pending.waitsFor = this.#core.resultU32(RESULT.waitsFor);
    this.#waiting.add(pending);
    if (!this.#isAttending) void this.#attend();
  }

  /** Drops the state of a handle's operation. */
  #leave(handle: number): void {
    this.#core.exports.cancel(handle);
    this.#idle.push(handle);
  }

  /** Ends an operation before its time. */
  #drop(pending: Pending, reason: unknown): void {
    this.#watch.delete(pending);
    if (this.#waiting.delete(pending)) this.#leave(pending.handle);
    this.#queue.delete(pending);
    this.#lone.delete(pending);
    if (this.#sole === pending) this.#sole = undefined;
    pending.reject(reason);
  }

  /** Waits for the device as long as anything waits for it. */
  async #attend(): Promise<void> {
    this.#isAttending = true;
    while (this.#waiting.size > 0) {
      try {
        await this.#core.ready();
      } catch (error) {
        const { message, cause } = error as DocteurError;
        for (const pending of [...this.#waiting]) {
          const { path } = pending.operation;
          this.#drop(pending, new DocteurError("DeviceFailed", message, { path, cause }));
        }
      }
      for (const pending of [...this.#waiting]) this.#resume(pending);
      this.#advance();
    }
    this.#isAttending = false;
  }

  /** Goes on with an operation, unless it has been dropped. @returns whether it has come any further */
  #resume(pending: Pending): boolean {
    if (!this.#waiting.has(pending)) return false;
    const { handle, waitsFor } = pending;
    const status = this.#core.resume(handle);
    if (status === STATUS.Again) {
      pending.waitsFor = this.#core.resultU32(RESULT.waitsFor);
      return pending.waitsFor !== waitsFor;
    }
    this.#waiting.delete(pending);
    this.#settle(pending, handle, status);
    return true;
  }

  /** Called when an operation has ended with a status other than AGAIN. */
  #settle(pending: Pending, handle: number, status: number): void {
    if (status === STATUS.OutOfMemory && this.#handles > 1) {
      this.#leave(handle);
      this.#lone.add(pending);
      return;
    }
    const { operation } = pending;
    this.#watch.delete(pending);
    if (this.#sole === pending) this.#sole = undefined;
    try {
      if (status !== STATUS.Ok) throw this.#core.error(status, operation.path);
      pending.resolve(operation.take());
    } catch (error) {
      pending.reject(error);
    }
    this.#idle.push(handle);
  }

  /** Begins operations that can begin, and goes on with those that waited for another one. */
  #advance(): void {
    for (let hasMoved = true; hasMoved; ) {
      hasMoved = false;
      for (const pending of [...this.#waiting])
        if (pending.waitsFor !== 0 && this.#resume(pending)) hasMoved = true;
    }
    while (!this.#isClosed) {
      const pending = this.#next();
      const handle = pending === undefined ? 0 : this.#takeHandle();
      if (pending === undefined || handle === 0) return;
      this.#lone.delete(pending);
      this.#queue.delete(pending);
      this.#start(pending, handle);
    }
  }

  /** The operation that may begin now, if any. */
  #next(): Pending | undefined {
    if (this.#sole !== undefined) return undefined;
    const [lone] = this.#lone;
    if (lone === undefined) return this.#queue.values().next().value;
    if (this.#waiting.size > 0) return undefined;
    for (const handle of this.#idle.splice(0)) this.#core.release(handle);
    this.#handles = 0;
    this.#sole = lone;
    return lone;
  }

  #start(pending: Pending, handle: number): void {
    let status: number;
    try {
      status = this.#begin(pending.operation, handle);
    } catch (error) {
      this.#drop(pending, error);
      return;
    }
    if (status === STATUS.Again) this.#enter(pending, handle);
    else this.#settle(pending, handle, status);
  }
}

function closedError({ path }: Operation<unknown>): DocteurError {
  return new DocteurError("Closed", "the volume is closed", { path });
}
