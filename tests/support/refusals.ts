/**
 * Memory that is refused: every place where JavaScript takes some for a table, and the allocator in the verifier's Wasm,
 * can say no at a chosen call. Installed once for a thread; it counts only between `refuseAt` and `refuseNothing`.
 */

/** Which memory is refused: that of JavaScript's tables, or of the verifier's Wasm. */
export type Memory = "tables" | "wasm";

/** How often it is refused: once, or from then on. */
export type Mode = "once" | "always";

interface Gate {
  memory: Memory;
  mode: Mode;
  at: number;
}

let gate: Gate | undefined;
let count = 0;

/** Whether this call is one that is refused. */
function isRefused(memory: Memory): boolean {
  if (gate?.memory !== memory) return false;
  const number = count++;
  return gate.mode === "once" ? number === gate.at : number >= gate.at;
}

function checkTable(): void {
  if (isRefused("tables")) throw new RangeError("Array buffer allocation failed");
}

/** Refuses the call of that number, from 0, and perhaps all that follow. */
export function refuseAt(memory: Memory, at: number, mode: Mode): void {
  gate = { memory, mode, at };
  count = 0;
}

/** Ends that. @returns how many calls there were */
export function refuseNothing(): number {
  gate = undefined;
  return count;
}

type Constructor = new (...args: never[]) => object;

/** A constructor that refuses to make what it is given the size of. */
function guarded<T extends Constructor>(original: T): T {
  const proxy: T = new Proxy(original, {
    construct(target, args, newTarget): object {
      if (typeof args[0] === "number") checkTable();
      return Reflect.construct(target, args, newTarget === proxy ? target : newTarget);
    },
  });
  return proxy;
}

const NAMES = [
  "ArrayBuffer",
  "SharedArrayBuffer",
  "Uint8Array",
  "Uint32Array",
  "Int32Array",
  "Float64Array",
  "BigUint64Array",
] as const;

/** Puts a check before a method. */
function guardMethod(prototype: object, name: string): void {
  const original = Reflect.get(prototype, name) as (...args: unknown[]) => unknown;
  Object.defineProperty(prototype, name, {
    configurable: true,
    writable: true,
    value(this: unknown, ...args: unknown[]): unknown {
      checkTable();
      return Reflect.apply(original, this, args);
    },
  });
}

/** Installs all of it in this thread. */
export function installRefusals(): void {
  const globals = globalThis as unknown as Record<string, Constructor>;
  guardMethod(Object.getPrototypeOf(Uint8Array.prototype) as object, "slice");
  guardMethod(Map.prototype, "set");
  guardMethod(Set.prototype, "add");
  for (const name of NAMES) globals[name] = guarded(globals[name]!);
  const Original = WebAssembly.Instance;
  WebAssembly.Instance = function instantiate(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
    const { exports } = new Original(module, imports);
    const alloc = exports.alloc as (size: number) => number;
    return { exports: { ...exports, alloc: (size: number) => (isRefused("wasm") ? 0 : alloc(size)) } };
  } as unknown as typeof WebAssembly.Instance;
}
