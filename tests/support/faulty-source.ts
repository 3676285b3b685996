/** Sources of ranges that fail in every way that is not a lie: what they give as whole is right. */
import { DocteurError } from "../../src/errors.js";
import { type PageStore, type RangeSource, TransientError } from "../../src/index.js";
import type { Random } from "./random.js";

/** Whether anything fails, and how often: one in so many. */
export interface Weather {
  /** 0 for never. */
  oneIn: number;
  random: Random;
  /** While a file is opened, no answer is of another version: it would be the version that is opened. */
  isOpening?: boolean;
  /** Told of each fault. */
  count(fault: string): void;
}

/** Waits for a few turns of the event loop, so that answers come in any order. */
async function dawdle({ random, oneIn }: Weather): Promise<void> {
  if (oneIn === 0) return;
  for (let turns = random(4); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
}

/** A fault, or none this time. */
function pick<T>(weather: Weather, faults: readonly T[]): T | undefined {
  const { oneIn, random } = weather;
  return oneIn > 0 && random(oneIn) === 0 ? faults[random(faults.length)] : undefined;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener("abort", () => reject(signal.reason));
  });
}

const SOURCE_FAULTS = [
  ...["transient", "later", "final", "typed", "short", "long", "nothing", "never", "deaf", "throws"],
];

/** A source over bytes in memory. */
export class FaultySource implements RangeSource {
  readonly size: number;
  readonly name = "https://host.invalid/disk.img";
  readonly identity: string | undefined;
  protected readonly bytes: Uint8Array;
  protected readonly weather: Weather;
  /** Reads under way that have not been told to end. */
  running = 0;
  closed = 0;

  constructor(bytes: Uint8Array, weather: Weather, identity?: string) {
    this.bytes = bytes;
    this.size = bytes.length;
    this.weather = weather;
    this.identity = identity;
  }

  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    const fault = pick(this.weather, SOURCE_FAULTS);
    if (fault !== undefined) this.weather.count(fault);
    if (fault === "throws") throw new TypeError("a fault of the source's");
    return this.counted(signal, async () => {
      await dawdle(this.weather);
      const bytes = this.bytes.slice(offset, offset + length);
      if (fault === "short") return bytes.subarray(0, this.weather.random(length));
      if (fault === "long") return Uint8Array.from([...bytes, 0]);
      if (fault === "nothing") return undefined as never;
      await this.fail(fault, signal);
      return bytes;
    });
  }

  /** Counts a read while it runs and has not been told to end. */
  protected async counted<T>(signal: AbortSignal, run: () => Promise<T>): Promise<T> {
    this.running++;
    const end = (): void => {
      this.running--;
    };
    signal.addEventListener("abort", end);
    try {
      return await run();
    } finally {
      signal.removeEventListener("abort", end);
      if (!signal.aborted) this.running--;
    }
  }

  /** Fails, or never ends, if that is the fault. */
  protected async fail(fault: string | undefined, signal: AbortSignal): Promise<void> {
    switch (fault) {
      case "transient":
        throw new TransientError("it may pass");
      case "later":
        throw new TransientError("it may pass", { retryAfter: this.weather.random(2) * 100_000 });
      case "final":
        throw new Error("it does not pass");
      case "typed":
        throw new DocteurError("ImageChanged", `${this.name}: another image`, { url: this.name });
      case "never":
        return aborted(signal);
      case "deaf":
        return new Promise(() => undefined);
      default:
        return undefined;
    }
  }

  close(): void {
    this.closed++;
  }
}

const PARTS_FAULTS = [
  ...["transient", "later", "final", "typed", "short", "long", "nothing", "never", "deaf", "throws"],
  ...["endless", "trickle", "afterwards", "stubborn"],
];

/**
 * A source that gives bytes as they come, and fails before, between and behind any of them. Its parts are in order:
 * nothing but an image's own checks could find out about others.
 */
export class FaultyParts extends FaultySource {
  readParts(
    offset: number,
    length: number,
    signal: AbortSignal,
    take: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const { weather } = this;
    const { random } = weather;
    const fault = pick(weather, PARTS_FAULTS);
    if (fault !== undefined) weather.count(`parts ${fault}`);
    if (fault === "throws" && random(2) === 0) throw new TypeError("a fault of the source's");
    let at = offset;
    const give = (end: number): void => {
      const part = Uint8Array.from(
        this.bytes.subarray(at, Math.min(end, at + random(1 + random(2 * length)))),
      );
      at += part.length;
      take(part);
      // The source uses its memory again.
      part.fill(0xa5);
    };
    const giveUpTo = async (end: number): Promise<void> => {
      while (at < end) {
        give(end);
        await dawdle(weather);
      }
    };
    return this.counted(signal, async () => {
      if (random(2) === 0) await dawdle(weather);
      const isWhole = fault === undefined || ["long", "endless", "afterwards"].includes(fault);
      await giveUpTo(isWhole ? offset + length : offset + random(length + 1));
      await this.fail(fault, signal);
      if (fault === "throws") throw new TypeError("a fault of the source's");
      if (fault === "nothing") take(undefined as never);
      if (fault === "long") take(new Uint8Array(1 + random(length)));
      // Bytes that never end, or parts without any.
      const noise = new Uint8Array(fault === "endless" ? 1 + random(5000) : 0);
      while (fault === "endless" || fault === "trickle") {
        signal.throwIfAborted();
        take(noise);
        await new Promise((resolve) => setImmediate(resolve));
      }
      // What comes behind the end is nobody's.
      if (fault === "afterwards") setImmediate(() => take(new Uint8Array(length)));
      if (fault === "stubborn") {
        await aborted(signal).catch(() => undefined);
        await giveUpTo(offset + length);
      }
    });
  }
}

const STORE_FAULTS = ["rejects", "damaged", "forgets"];

/** A store in memory. What it gives may be damaged: checksums find that. */
export class FaultyStore implements PageStore {
  readonly #kept = new Map<string, Uint8Array>();
  readonly #weather: Weather;

  constructor(weather: Weather) {
    this.#weather = weather;
  }

  async #fault(): Promise<string | undefined> {
    await dawdle(this.#weather);
    const fault = pick(this.#weather, STORE_FAULTS);
    if (fault !== undefined) this.#weather.count(`store ${fault}`);
    if (fault === "rejects") throw new Error("the disk is full");
    return fault;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const fault = await this.#fault();
    if (fault === "forgets") this.#kept.delete(key);
    const bytes = this.#kept.get(key)?.slice();
    if (fault === "damaged" && bytes !== undefined) {
      const at = this.#weather.random(bytes.length);
      bytes[at] = bytes[at]! ^ 1;
    }
    return bytes;
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    const fault = await this.#fault();
    if (fault === undefined) this.#kept.set(key, bytes);
    else this.#kept.set(key, bytes.slice(0, bytes.length >> 1));
  }

  async delete(key: string): Promise<void> {
    await this.#fault();
    this.#kept.delete(key);
  }
}

const FETCH_FAULTS = [
  ...["network", "never", "503", "429", "404", "401", "416", "412", "200", "redirect", "expired"],
  ...["other range", "no range", "short", "breaks", "stalls", "long", "gzip", "changed"],
];

/** A `fetch` of one file. */
export function faultyFetch(bytes: Uint8Array, weather: Weather): typeof globalThis.fetch {
  return async (input, init) => {
    const picked = pick(weather, FETCH_FAULTS);
    const fault = picked === "changed" && weather.isOpening ? undefined : picked;
    if (fault !== undefined) weather.count(`http ${fault}`);
    await dawdle(weather);
    init?.signal?.throwIfAborted();
    if (fault === "network") throw new TypeError("fetch failed", { cause: { code: "ECONNRESET" } });
    if (fault === "never") return aborted(init!.signal!);
    if (fault === "redirect") {
      const location = `https://storage${weather.random(3)}.invalid/signed`;
      return new Response(null, { status: 302, headers: { location } });
    }
    if (fault === "expired" && String(input).includes("storage")) return new Response("", { status: 403 });
    if (fault !== undefined && /^[0-9]+$/.test(fault)) {
      const wait = { "retry-after": String(weather.random(3)) };
      return new Response(fault === "200" ? bytes.slice() : "", { status: Number(fault), headers: wait });
    }
    return rangeResponse(bytes, new Headers(init?.headers).get("range")!, weather, fault);
  };
}

function rangeResponse(
  bytes: Uint8Array,
  range: string,
  weather: Weather,
  fault: string | undefined,
): Response {
  const [, first, last] = /^bytes=([0-9]*)-([0-9]*)$/.exec(range)!;
  const start = first === "" ? Math.max(0, bytes.length - Number(last)) : Number(first);
  const end = first === "" || last === "" ? bytes.length : Math.min(bytes.length, Number(last) + 1);
  const headers = new Headers({
    etag: fault === "changed" ? '"v2"' : '"v1"',
    "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
  });
  if (fault === "other range") headers.set("content-range", `bytes ${start + 1}-${end}/${bytes.length + 1}`);
  if (fault === "no range") headers.delete("content-range");
  if (fault === "gzip") headers.set("content-encoding", "gzip");
  const length = end - start;
  const cut = ["short", "breaks", "stalls"].includes(fault ?? "") ? weather.random(length) : length;
  let at = start;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await dawdle(weather);
      const part = bytes.slice(at, Math.min(start + cut, at + 1 + weather.random(length)));
      at += part.length;
      if (part.length > 0) controller.enqueue(part);
      if (at < start + cut) return undefined;
      if (fault === "stalls") return new Promise(() => undefined);
      if (fault === "breaks") controller.error(new TypeError("terminated"));
      else {
        if (fault === "long") controller.enqueue(Uint8Array.of(1, 2, 3));
        controller.close();
      }
      return undefined;
    },
  });
  return new Response(body, { status: 206, headers });
}
