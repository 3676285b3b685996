/** The delta encoder's probe, driven with guarded buffers; and what is checked of each delta that it makes. */
import assert from "node:assert/strict";
import { STATUS } from "../../src/errors.js";
import { applyBody, readHeader } from "./delta-encoder.js";
import { type ProbeVariant, probeVariants } from "./wasm.js";

const GUARD = 64;
const SENTINEL = 0xa5;
const MEMORY = 256 << 20;
/** Up to this length a delta is applied by the independent reader, too, which is slow. */
const READER_MAX = 300_000;

/** What the probe exports. */
interface Probe {
  memory: WebAssembly.Memory;
  DELTA_SLACK: WebAssembly.Global;
  FEATURE_COUNT: WebAssembly.Global;
  deltaBody: WebAssembly.Global;
  deltaSteps: WebAssembly.Global;
  heapInit(limit: number): void;
  heapAlloc(size: number): number;
  heapFree(ptr: number): void;
  heapUsed(): number;
  deltaHeader(ptr: number, end: number): number;
  deltaApply(
    delta: number,
    deltaEnd: number,
    base: number,
    baseLen: number,
    out: number,
    outLen: number,
  ): number;
  deltaIndex(ptr: number, len: number, isFine: number): number;
  deltaIndexFree(index: number): void;
  deltaEncode(index: number, target: number, targetLen: number, to: number, toLen: number): number;
  deltaMeasure(index: number, target: number, targetLen: number, room: number, roomLen: number): number;
  setThorough(isThorough: number): void;
  contentSketch(ptr: number, len: number, features: number): void;
  deflatedLen(ptr: number, len: number): number;
  deflatedLenSampled(ptr: number, len: number): number;
}

/** One build of the probe. */
export class PackProbe {
  readonly label: string;
  readonly #probe: Probe;

  constructor({ label, exports }: ProbeVariant, memory = MEMORY) {
    this.label = label;
    this.#probe = exports as Probe;
    this.#probe.heapInit(memory);
  }

  /** Calls `use` with contents in the heap, between guards, and room behind them; everything is given back. */
  #with<T>(contents: readonly Uint8Array[], roomLen: number, use: (places: number[]) => T): T {
    const probe = this.#probe;
    const lengths = [...contents.map(({ length }) => length), roomLen];
    const blocks = lengths.map((length) => probe.heapAlloc(length + 2 * GUARD));
    assert.ok(
      blocks.every((block) => block !== 0),
      "memory for the test's own buffers",
    );
    const places = blocks.map((block) => block + GUARD);
    const bytes = new Uint8Array(probe.memory.buffer);
    places.forEach((place, i) => {
      bytes.fill(SENTINEL, place - GUARD, place + lengths[i]! + GUARD);
      if (i < contents.length) bytes.set(contents[i]!, place);
    });
    const result = use(places);
    const after = Buffer.from(probe.memory.buffer);
    places.forEach((place, i) => {
      for (const start of [place - GUARD, place + lengths[i]!])
        assert.ok(
          after.subarray(start, start + GUARD).every((byte) => byte === SENTINEL),
          "bytes around a buffer",
        );
      if (i < contents.length)
        assert.ok(after.subarray(place, place + lengths[i]!).equals(contents[i]!), "an input is untouched");
    });
    for (const block of blocks) probe.heapFree(block);
    assert.equal(probe.heapUsed(), 0, "everything is given back");
    return result;
  }

  #withIndex<T>(base: number, baseLen: number, isFine: boolean, use: (index: number) => T): T {
    const index = this.#probe.deltaIndex(base, baseLen, isFine ? 1 : 0);
    assert.notEqual(index, 0, "memory for the index");
    const result = use(index);
    this.#probe.deltaIndexFree(index);
    return result;
  }

  /** Encodes a target and proves that the delta makes it; undefined where it did not fit in `room` bytes. */
  encode(
    base: Uint8Array,
    target: Uint8Array,
    options: { room?: number; isFine?: boolean } = {},
  ): Buffer | undefined {
    const { room = target.length * 2 + 64, isFine = true } = options;
    const delta = this.#with([base, target], room, ([basePtr, targetPtr, to]) =>
      this.#withIndex(basePtr!, base.length, isFine, (index) => {
        const len = this.#probe.deltaEncode(index, targetPtr!, target.length, to!, room);
        assert.ok(len <= room);
        return len === 0
          ? undefined
          : Buffer.from(new Uint8Array(this.#probe.memory.buffer, to!, len).slice());
      }),
    );
    if (delta === undefined) return undefined;
    const header = readHeader(delta)!;
    assert.equal(header.base, BigInt(base.length));
    assert.equal(header.result, BigInt(target.length));
    assert.ok(
      this.#apply(delta, base, target.length).equals(target),
      "the core's reader makes the target of it",
    );
    if (target.length <= READER_MAX) {
      const read = applyBody(delta.subarray(header.body), base, target.length);
      assert.ok(read !== undefined && Buffer.from(read).equals(target), "so does the independent one");
    }
    return delta;
  }

  #apply(delta: Buffer, base: Uint8Array, resultLen: number): Buffer {
    const slack = Buffer.alloc(Number(this.#probe.DELTA_SLACK.value));
    const contents = [Buffer.concat([delta, slack]), Buffer.concat([base, slack])];
    return this.#with(contents, resultLen + slack.length, ([deltaPtr, basePtr, out]) => {
      const probe = this.#probe;
      const end = deltaPtr! + delta.length;
      assert.equal(probe.deltaHeader(deltaPtr!, end), STATUS.Ok);
      const body = probe.deltaBody.value as number;
      assert.equal(probe.deltaApply(body, end, basePtr!, base.length, out!, resultLen), STATUS.Ok);
      return Buffer.from(new Uint8Array(probe.memory.buffer, out!, resultLen).slice());
    });
  }

  /** What `deltaMeasure` estimates; undefined where it finds the delta to be of no use. */
  measure(base: Uint8Array, target: Uint8Array, room: number): number | undefined {
    return this.#with([base, target], room, ([basePtr, targetPtr, to]) =>
      this.#withIndex(basePtr!, base.length, false, (index) => {
        const len = this.#probe.deltaMeasure(index, targetPtr!, target.length, to!, room) >>> 0;
        return len === 0xffffffff ? undefined : len;
      }),
    );
  }

  /** Whether there is memory to index content of that length. */
  canIndex(baseLen: number): boolean {
    const index = this.#probe.deltaIndex(0, baseLen, 1);
    this.#probe.deltaIndexFree(index);
    return index !== 0;
  }

  /** Sets the effort of the deltas that follow. */
  setThorough(isThorough: boolean): void {
    this.#probe.setThorough(isThorough ? 1 : 0);
  }

  /** Steps that the encoder has counted so far. */
  get steps(): number {
    return Number(this.#probe.deltaSteps.value);
  }

  /** The features of content. */
  sketch(content: Uint8Array): number[] {
    const count = Number(this.#probe.FEATURE_COUNT.value);
    return this.#with([content], count * 4, ([ptr, to]) => {
      this.#probe.contentSketch(ptr!, content.length, to!);
      return [...new Uint32Array(this.#probe.memory.buffer.slice(to!, to! + count * 4))];
    });
  }

  /** The estimated length of a zlib stream of content. */
  deflatedLen(content: Uint8Array, isSampled = false): number {
    return this.#with([content], 0, ([ptr]) =>
      isSampled
        ? this.#probe.deflatedLenSampled(ptr!, content.length)
        : this.#probe.deflatedLen(ptr!, content.length),
    );
  }
}

/** The probe's four builds, afresh. */
export function packProbes(): PackProbe[] {
  return [...probeVariants("pack-delta")].map((variant) => new PackProbe(variant));
}
