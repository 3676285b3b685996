/**
 * The tender: checks a guest, attaches its devices, runs it (docs/ABI.md). It uses nothing of Node, so that a
 * browser or a worker can be a tender too. It is synchronous from the guest's first instruction to its last.
 * @module docteur/tender
 */

import type { BlockDevice } from "../devices/device.js";
import { isBlockSize } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import type { WasmMemory, WasmModule } from "../wasm/types.js";
import { capModule } from "./cap-module.js";
import { encodeCommandLine } from "./cmdline.js";
import { GuestEnd, HYPERCALL_TYPES, Hypercalls } from "./hypercalls.js";
import { ABORT_STATUS, MEMORY_LIMIT } from "./job.js";
import { checkAbi, checkDevices, type Manifest, parseManifest } from "./manifest.js";
import { type ModuleShape, PAGE, readModuleShape } from "./wasm-module.js";

export type { BlockDevice } from "../devices/device.js";
export { RESULT } from "../devices/device.js";
export { MemoryDevice } from "../devices/memory.js";
export { MEMORY_LIMIT } from "./job.js";
export {
  checkDevices,
  type DeclaredDevice,
  type DeviceType,
  isDeviceName,
  type Manifest,
} from "./manifest.js";

const ENTRY = "solo5_app_main";
const ENTRY_TYPE = "() -> i32";

/** A guest that was checked and compiled, and can be run any number of times, each in a new instance. */
export interface Guest {
  readonly module: WasmModule;
  readonly manifest: Manifest;
}

/** The devices and settings of a guest. */
export interface RunOptions {
  /** By name: exactly those that the guest's manifest declares. */
  devices?: Readonly<Record<string, BlockDevice>>;
  /** The guest's arguments; none by default. */
  args?: readonly string[];
  /**
   * Takes the bytes that the guest writes to its console; without it they are dropped. If it cannot take them it
   * throws: the guest then ends, with the cause `console`.
   */
  console?: (bytes: Uint8Array) => void;
  /**
   * Bytes that the guest's memory may grow to, `MEMORY_LIMIT` by default; only for guests that come as bytes.
   */
  memoryLimit?: number;
}

/** The end of a guest. */
export interface Outcome {
  /** The i32 that it passed to `exit` or returned; 255 if it aborted or trapped; 8 if its console failed. */
  status: number;
  cause: "exit" | "abort" | "trap" | "console";
  /** The trap, in the engine's words; or the console's exception. */
  reason?: string;
}

function checkExternals(shape: ModuleShape): void {
  for (const { kind, module, name, type } of shape.imports) {
    const expected = Object.hasOwn(HYPERCALL_TYPES, name) ? HYPERCALL_TYPES[name] : undefined;
    if (module !== "solo5" || expected === undefined || kind !== "function") {
      const hint = module.startsWith("wasi") ? "a WASI command: run it with a WASI runtime" : undefined;
      throw new DocteurError("BadGuest", `unknown import ${module}.${name} (${kind})`, { hint });
    }
    if (type !== expected)
      throw new DocteurError("BadGuest", `import ${module}.${name} is of type ${type}, not ${expected}`);
  }
  const memory = shape.exports.find(({ name }) => name === "memory");
  if (memory?.kind !== "memory") throw new DocteurError("BadGuest", 'no exported memory "memory"');
  const entry = shape.exports.find(({ name }) => name === ENTRY);
  if (entry?.kind !== "function") throw new DocteurError("BadGuest", `no exported function "${ENTRY}"`);
  if (entry.type !== ENTRY_TYPE)
    throw new DocteurError("BadGuest", `export ${ENTRY} is of type ${entry.type}, not ${ENTRY_TYPE}`);
}

function viewOf(source: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  return new Uint8Array(source);
}

/**
 * Checks a guest and compiles it. No instruction of it runs.
 * @param source the module's bytes
 * @param memoryLimit bytes that its memory may grow to, at least a page of 64 KB
 * @throws DocteurError `BadGuest` for a guest that this tender refuses
 */
export function loadGuest(source: ArrayBuffer | ArrayBufferView, memoryLimit: number = MEMORY_LIMIT): Guest {
  if (!(memoryLimit >= PAGE))
    throw new DocteurError("InvalidArgument", `memory limit of ${memoryLimit} bytes, less than a page`);
  const bytes = viewOf(source);
  const shape = readModuleShape(bytes);
  const capped = capModule(bytes, shape, memoryLimit);
  let module: WasmModule;
  try {
    module = new WebAssembly.Module(capped as BufferSource);
  } catch (cause) {
    const why = (cause as Error).message.replace(/^WebAssembly\.Module\(\): /, "");
    throw new DocteurError("BadGuest", `not a valid WebAssembly module: ${why}`, { cause });
  }
  checkAbi(WebAssembly.Module.customSections(module, "solo5.abi"));
  const manifest = parseManifest(WebAssembly.Module.customSections(module, "solo5.manifest"));
  checkExternals(shape);
  return { module, manifest };
}

function checkDeviceShape(name: string, { blockSize, capacity }: BlockDevice): void {
  const fail = (why: string): DocteurError => new DocteurError("InvalidArgument", `device '${name}': ${why}`);
  if (!isBlockSize(blockSize)) throw fail(`block size ${blockSize} is not a power of two, at least 512`);
  if (!Number.isSafeInteger(capacity) || capacity < blockSize || capacity % blockSize !== 0)
    throw fail(`capacity ${capacity} is not a positive multiple of the block size ${blockSize}`);
}

/** The outcome for an exception that comes out of a guest. */
function outcomeOf(error: unknown, hypercalls: Hypercalls): Outcome {
  const end = error instanceof GuestEnd ? error : hypercalls.end;
  if (end?.cause === "console") {
    const reason = end.error instanceof Error ? end.error.message : String(end.error);
    return { status: end.status, cause: end.cause, reason };
  }
  if (end !== undefined) return { status: end.status, cause: end.cause };
  const message = error instanceof Error ? error.message : "uncaught exception of the guest's";
  const reason = message.replace(/^WebAssembly\.Instance\(\): /, "");
  return { status: ABORT_STATUS, cause: "trap", reason };
}

/**
 * Runs a guest until it ends. The call blocks; `yield` sleeps.
 * @param guest a module's bytes, or a guest of `loadGuest`
 * @param options devices, arguments, console and, for bytes, the memory limit
 * @returns its outcome; a trap is an outcome, not an exception
 * @throws DocteurError before the guest runs: `BadGuest` if the guest is refused, or its manifest does not fit the
 *   devices; `InvalidArgument` if a device breaks its contract or the command line is too long
 */
export function run(guest: ArrayBuffer | ArrayBufferView | Guest, options: RunOptions = {}): Outcome {
  const { devices = {}, args = [], console = () => {}, memoryLimit } = options;
  const loaded = "module" in guest ? guest : loadGuest(guest, memoryLimit);
  if ("module" in guest && memoryLimit !== undefined)
    throw new DocteurError("InvalidArgument", "a loaded guest's memory limit is set: pass it to loadGuest");
  const { module, manifest } = loaded;
  checkDevices(manifest, Object.keys(devices));
  const attached = manifest.devices.map(({ name }) => [name, devices[name]!] as const);
  for (const [name, device] of attached) checkDeviceShape(name, device);
  const hypercalls = new Hypercalls({ devices: attached, cmdline: encodeCommandLine(args), console });
  try {
    const instance = new WebAssembly.Instance(module, {
      solo5: hypercalls.imports as unknown as WebAssembly.ModuleImports,
    });
    hypercalls.bind(instance.exports.memory as WasmMemory);
    const status = (instance.exports[ENTRY] as () => number)();
    return hypercalls.end === undefined ? { status, cause: "exit" } : outcomeOf(hypercalls.end, hypercalls);
  } catch (error) {
    return outcomeOf(error, hypercalls);
  }
}
