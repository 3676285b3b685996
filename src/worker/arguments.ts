/**
 * Arguments on their way to a worker. Structured clones have no functions: a number stands for each, by which the worker
 * calls it.
 */
import { invalid } from "../arguments.js";
import type { RangeSource } from "../devices/range-source.js";

/** What stands for a function. The value is its number. */
const CALLBACK = "docteur:callback";
/** Properties of a source of ranges that go with it. `readParts` stays behind: `read` does what it does. */
const SOURCE = ["size", "identity", "digest", "name", "prefetched"];
/** The signal of a source's `read`: what the worker gives up is read to its end. */
const NEVER = new AbortController().signal;
/** Callbacks that report. The worker does not wait for them. */
const REPORTS = ["onProgress"];
/** Options that cannot be passed: a `Response` and its body stay in their thread. */
const STAY = ["fetch"];

/** Kinds of objects that structured clones are made of. Other instances of classes come as empty objects, or not at all. */
const CLONED = [
  "ArrayBuffer",
  "SharedArrayBuffer",
  "Date",
  "Blob",
  "File",
  "FileSystemFileHandle",
  "WebAssembly.Module",
];

type Callback = (...args: unknown[]) => unknown;

/** A call's arguments, and what was taken out of them. */
export interface Packed {
  args: unknown[];
  callbacks: Callback[];
  signals: AbortSignal[];
  /** Closes the sources among them: they are open in this thread. */
  close(): Promise<void>;
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

const kindOf = (value: object): string => Object.prototype.toString.call(value).slice(8, -1);

/**
 * Whether an object is a source of ranges.
 * @throws DocteurError `InvalidArgument` for others that read, such as block devices: they answer at once
 */
function isRangeSource(value: object): value is RangeSource {
  if (!("read" in value) || typeof value.read !== "function") return false;
  if ("size" in value) return true;
  throw invalid("a device cannot be passed to a worker", "give a source of ranges, or open it in the worker");
}

/** Packs arguments. @throws DocteurError `InvalidArgument` for what cannot be passed */
export function packArguments(given: readonly unknown[]): Packed {
  const callbacks: Callback[] = [];
  const signals: AbortSignal[] = [];
  const closes: (() => unknown)[] = [];

  const packObject = (value: object, names: readonly string[]): object => {
    const packed: Record<string, unknown> = {};
    for (const name of names) {
      const member = (value as Record<string, unknown>)[name];
      if (member === undefined) continue;
      if (typeof member === "function") {
        if (STAY.includes(name))
          throw invalid(
            `the option ${name} cannot be passed to a worker`,
            "give it where the worker answers",
          );
        const isReport = REPORTS.includes(name);
        const id = callbacks.push((...args) => (member as Callback).apply(value, args)) - 1;
        packed[name] = { [CALLBACK]: id, isReport };
      } else packed[name] = pack(member);
    }
    return packed;
  };

  const pack = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(pack);
    const kind = kindOf(value);
    if (kind === "AbortSignal") {
      signals.push(value as AbortSignal);
      return undefined;
    }
    if (kind === "URL") return String(value);
    if (ArrayBuffer.isView(value) || CLONED.includes(kind)) return value;
    if (isRangeSource(value)) {
      closes.push(() => value.close?.());
      const read: Callback = (offset, length) => value.read(offset as number, length as number, NEVER);
      return {
        ...packObject(value, SOURCE),
        read: { [CALLBACK]: callbacks.push(read) - 1, isReport: false },
      };
    }
    if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>, pack);
    if (isPlain(value)) return packObject(value, Object.keys(value));
    throw invalid(
      `a ${kind} cannot be passed to a worker`,
      "pass a URL, bytes, a Blob or a source of ranges",
    );
  };

  const args = given.map(pack);
  const close = async (): Promise<void> => {
    for (const one of closes) await one();
  };
  return { args, callbacks, signals, close };
}

/** Arguments as the worker has them. @param call calls a callback, and waits for it unless it reports */
export function unpackArguments(
  args: readonly unknown[],
  call: (callback: number, args: unknown[], isReport: boolean) => unknown,
): unknown[] {
  const unpack = (value: unknown): unknown => {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) return value.map(unpack);
    if (!isPlain(value)) return value;
    if (CALLBACK in value) {
      const { [CALLBACK]: callback, isReport } = value as { [CALLBACK]: number; isReport: boolean };
      // The signal of a source's `read` cannot be passed: a read that is given up is not waited for.
      return (...given: unknown[]) =>
        call(
          callback,
          given.filter((one) => !(one instanceof AbortSignal)),
          isReport,
        );
    }
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, unpack(member)]));
  };
  return args.map(unpack);
}
