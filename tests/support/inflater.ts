/** Drives the inflater's probe over windows of any size, and watches the memory around them. */
import assert from "node:assert/strict";
import { constants, deflateRawSync, deflateSync, inflateRawSync, inflateSync } from "node:zlib";

export const NEED_INPUT = -1;
export const NEED_OUTPUT = -2;

/** The codes of asm/base/status.ts that concern deflate and zlib. */
export const Status = {
  OK: 0,
  BAD_ZLIB_HEADER: 64,
  BAD_BLOCK_TYPE: 65,
  BAD_STORED_LENGTH: 66,
  BAD_CODE_LENGTHS: 67,
  BAD_SYMBOL: 68,
  BAD_DISTANCE: 69,
  BAD_ADLER: 70,
} as const;

/** The sizes of successive windows, in bytes. */
export type Windows = () => number;

export interface RunOptions {
  /** A deflate stream without the zlib wrapper. */
  raw?: boolean;
  /** What the decoder is told of the output's size; 0 for unknown. */
  expectedSize?: number;
  /** The most bytes of output; past it NEED_OUTPUT is the answer. */
  capacity?: number;
  /** Sizes of the input windows; one for all by default. */
  input?: Windows;
  /** Sizes of the output windows; one for all by default. */
  output?: Windows;
  /** Keeps only the last 32 KiB before each output window, and uses the same addresses for all windows. */
  sliding?: boolean;
  checkAdler?: boolean;
  /** Moves the stream to another state, without its tables, whenever an output window is full. */
  resumed?: boolean;
  /** Bytes past each output window that may be scribbled over. */
  slack?: number;
}

export interface RunResult {
  status: number;
  output: Buffer;
  totalIn: number;
  totalOut: number;
}

const HISTORY = 32768;
const SENTINEL = 0xa7;
/** Bytes watched on either side of what may be written. */
const WATCHED = 64;

const whole: Windows = () => Number.POSITIVE_INFINITY;

/** Windows of the same size. */
export function every(size: number): Windows {
  return () => size;
}

/** A first window of the given size, then all the rest in one. */
export function splitAt(size: number): Windows {
  let isFirst = true;
  return () => {
    const now = isFirst ? size : Number.POSITIVE_INFINITY;
    isFirst = false;
    return now;
  };
}

export class Inflater {
  readonly #exports;
  /** Addresses: of the input window, and of what is before the output. */
  readonly #input: number;
  readonly #output: number;
  readonly #inputCapacity: number;
  readonly #outputCapacity: number;

  /**
   * @param exports of the probe `inflate`
   * @param capacity the longest stream and the longest output that will be run, in bytes
   */
  // biome-ignore lint/suspicious/noExplicitAny: the probe's exports have no declared type.
  constructor(exports: any, capacity = 1 << 20) {
    this.#exports = exports;
    this.#inputCapacity = capacity + 64;
    this.#outputCapacity = capacity + HISTORY + 1024;
    const pages = Math.ceil((this.#inputCapacity + this.#outputCapacity) / 65536);
    this.#input = exports.memory.grow(pages) * 65536;
    this.#output = this.#input + this.#inputCapacity;
  }

  /** Runs a stream from its start until it ends, goes wrong, or runs out of input or of `capacity`. */
  run(stream: Uint8Array, options: RunOptions = {}): RunResult {
    const wasm = this.#exports;
    const memory = new Uint8Array(wasm.memory.buffer);
    const { raw = false, checkAdler = true, slack = 0, sliding = false } = options;
    const capacity = options.capacity ?? this.#outputCapacity - HISTORY - 1024;
    const nextInput = options.input ?? whole;
    const nextOutput = options.output ?? whole;
    let state: number = wasm.state.value;
    if (raw) wasm.inflateInit(state, BigInt(options.expectedSize ?? 0));
    else wasm.zlibInit(state, BigInt(options.expectedSize ?? 0), checkAdler ? 1 : 0);

    const start = this.#output + WATCHED + (sliding ? HISTORY : 0);
    const parts: Buffer[] = [];
    let made = 0;
    let taken = 0;
    let inputLeft = 0;
    let window = this.#openOutput(memory, start, Math.min(nextOutput(), capacity), slack, start);
    wasm.setInput(state, this.#input, 0);
    wasm.setOutput(state, window.ptr, window.len, slack, window.history);

    while (true) {
      const status: number = raw ? wasm.inflateRun(state) : wasm.zlibRun(state);
      const inputNow = wasm.inputOf(state) - this.#input;
      const madeNow = wasm.outputOf(state) - window.ptr;
      assert.ok(madeNow >= 0 && madeNow <= window.len, "output stays in its window");
      assert.ok(inputNow >= 0 && inputNow <= inputLeft, "input stays in its window");
      taken += inputNow;
      inputLeft -= inputNow;
      this.#checkSentinels(memory, window, slack);
      parts.push(Buffer.from(memory.slice(window.ptr, window.ptr + madeNow)));
      made += madeNow;
      assert.equal(Number(wasm.totalInOf(state)), taken, "totalIn");
      assert.equal(Number(wasm.totalOutOf(state)), made, "totalOut");

      if (status === NEED_INPUT) {
        assert.equal(inputLeft, 0, "NEED_INPUT takes the whole window");
        if (taken === stream.length) return this.#result(status, parts, taken);
      }
      if (status !== NEED_INPUT && status !== NEED_OUTPUT) {
        const again: number = raw ? wasm.inflateRun(state) : wasm.zlibRun(state);
        assert.equal(again, status, "the last answer is final");
        return this.#result(status, parts, taken);
      }
      if (status === NEED_OUTPUT) {
        if (options.resumed) {
          const other = state === wasm.state.value ? wasm.otherState.value : wasm.state.value;
          wasm.moveTo(other, state);
          state = other;
        }
        assert.equal(madeNow, window.len, "NEED_OUTPUT fills the window");
        if (made === capacity) return this.#result(status, parts, taken);
        const size = Math.min(nextOutput(), capacity - made);
        const at = window.ptr + madeNow;
        if (sliding) {
          const kept = Math.min(HISTORY, at - window.history);
          const bytes = memory.slice(at - kept, at);
          window = this.#openOutput(memory, start, size, slack, start - kept, bytes);
        } else {
          window = this.#openOutput(memory, at, size, slack, window.history);
        }
      } else {
        window = { ...window, ptr: window.ptr + madeNow, len: window.len - madeNow };
      }
      // After NEED_OUTPUT, what was not taken of the window comes again.
      if (status === NEED_INPUT) inputLeft = Math.min(stream.length - taken, nextInput());
      memory.set(stream.subarray(taken, taken + inputLeft), this.#input);
      // What follows the window is no part of the stream.
      memory.fill(taken * 41 + 0x5a, this.#input + inputLeft, this.#input + inputLeft + 16);
      wasm.setInput(state, this.#input, inputLeft);
      wasm.setOutput(state, window.ptr, window.len, slack, window.history);
    }
  }

  #result(status: number, parts: Buffer[], totalIn: number): RunResult {
    const output = Buffer.concat(parts);
    return { status, output, totalIn, totalOut: output.length };
  }

  /** Lays sentinels around a window, and what may be scribbled over between. */
  #openOutput(
    memory: Uint8Array,
    ptr: number,
    len: number,
    slack: number,
    history: number,
    bytes?: Uint8Array,
  ): { ptr: number; len: number; history: number } {
    memory.fill(SENTINEL, history - WATCHED, history);
    if (bytes !== undefined) memory.set(bytes, history);
    memory.fill(SENTINEL, ptr, ptr + len + slack + WATCHED);
    return { ptr, len, history };
  }

  #checkSentinels(
    memory: Uint8Array,
    window: { ptr: number; len: number; history: number },
    slack: number,
  ): void {
    const end = window.ptr + window.len + slack;
    for (let at = window.history - WATCHED; at < window.history; at++)
      if (memory[at] !== SENTINEL) assert.fail("a byte before the history was written");
    for (let at = end; at < end + WATCHED; at++)
      if (memory[at] !== SENTINEL) assert.fail("a byte after the output was written");
  }
}

/** zlib's verdict on a stream: its output and its length, or the name of the error and whether any more input would do. */
export type Verdict = { output: Buffer; length: number } | { error: string; isHopeless: () => boolean };

/** More than the longest header of a block takes: 14 + 19 * 3 + 320 * 14 bits. */
const HEADER_BYTES = 600;

/** Inflates by zlib itself. */
export function oracle(stream: Uint8Array, raw = false): Verdict {
  try {
    const inflate = raw ? inflateRawSync : inflateSync;
    // Undeclared in the types: `info` gives the engine, which knows how much it consumed.
    const { buffer, engine } = inflate(stream, { info: true } as object) as unknown as {
      buffer: Buffer;
      engine: { bytesWritten: number };
    };
    return { output: buffer, length: engine.bytesWritten };
  } catch (error) {
    const isHopeless = () =>
      [0, 0xff, 0x55, 0xaa].every((byte) => {
        const more = oracle(Buffer.concat([stream, Buffer.alloc(HEADER_BYTES, byte)]), raw);
        return "error" in more && more.error === "Z_DATA_ERROR";
      });
    return { error: (error as { code: string }).code, isHopeless };
  }
}

/** Asserts that a result is zlib's verdict: the same bytes and length, or an error of the same kind. */
export function assertVerdict(result: RunResult, verdict: Verdict, context: string): void {
  if ("output" in verdict) {
    assert.equal(result.status, Status.OK, `${context}: status`);
    assert.ok(result.output.equals(verdict.output), `${context}: output`);
    assert.equal(result.totalIn, verdict.length, `${context}: length of the stream`);
  } else if (verdict.error === "Z_BUF_ERROR") {
    // Of code lengths whose own code is empty, zlib reads them all before it refuses them.
    if (result.status !== Status.BAD_CODE_LENGTHS || !verdict.isHopeless())
      assert.equal(result.status, NEED_INPUT, `${context}: the stream goes on`);
  } else {
    assert.ok(result.status >= Status.BAD_ZLIB_HEADER, `${context}: ${verdict.error}, not ${result.status}`);
  }
}

/** zlib's ways to compress, to be tried each. */
export const DEFLATERS: { name: string; deflate: (data: Uint8Array, raw?: boolean) => Buffer }[] = [
  ...[0, 1, 3, 6, 9].map((level) => ({ name: `level ${level}`, options: { level } })),
  ...(["Z_FIXED", "Z_HUFFMAN_ONLY", "Z_RLE", "Z_FILTERED"] as const).map((name) => ({
    name,
    options: { strategy: constants[name] },
  })),
  ...[9, 10, 11, 12, 13, 14].map((windowBits) => ({
    name: `window 2^${windowBits}`,
    options: { windowBits },
  })),
  { name: "memLevel 1", options: { memLevel: 1, level: 9 } },
].map(({ name, options }) => ({
  name,
  deflate: (data, raw = false) => (raw ? deflateRawSync(data, options) : deflateSync(data, options)),
}));
