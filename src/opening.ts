/** How `open` opens an image, whatever the core comes from: its options, and its steps. */
import {
  type Checks,
  checkOptions,
  isBoolean,
  isModule,
  isOid,
  isOneOf,
  isSignal,
  isWhole,
} from "./arguments.js";
import { MODE, PROOF } from "./core/abi.js";
import { type Mode, mount, type Proof } from "./core/mount.js";
import { canReopen, type ImageSource, toDevice } from "./devices/open.js";
import { DEVICE, type DeviceOptions } from "./devices/options.js";
import { readCommit } from "./volume/commit.js";
import { closeDevice, Volume } from "./volume.js";
import type { WasmModule } from "./wasm/types.js";

/** Options of `open`. */
export interface OpenOptions extends DeviceOptions {
  /**
   * `light` (the default) walks trees when a path is first asked for, and opens at once; `fast` reads every
   * tree first and then answers from memory; `analyze` trusts the PACK alone: it rebuilds the index, and
   * reads no byte of the IDX.
   */
  mode?: Mode | undefined;
  /**
   * Cap of the core's memory in bytes, caches included: from 2 MiB to 4 GiB less 64 KiB. By default the caches
   * keep to 32 MiB. Only larger needs (a delta and its base that are larger; the index in `fast` and `analyze`)
   * take more, up to 1 GiB. Besides, the entries of one `list` may take as many bytes of JavaScript's memory,
   * by default 1 GiB.
   */
  memoryLimit?: number | undefined;
  /**
   * The proof of everything that is read. Each stream's Adler-32 is always checked; beyond it:
   *
   * - `none`, the default: the image is trusted not to have changed since it was verified.
   * - `crc`: every entry that is read, including the bases of deltas, is checked against its CRC-32 in the IDX
   *   (with `analyze`: its CRC-32 when the image was opened). This finds damage, not malice. It takes 15 bytes of
   *   memory per object, and opening reads 8 per object. Sizes come from the fronts of entries, unchecked.
   * - `oid`: every object is hashed, from the commit over the trees to the file. An object that does not match
   *   the id that led to it is an `OidMismatch`. Each is hashed once for as long as it stays in memory. A file
   *   that is too large for that (an eighth of the memory limit, 2 MiB at the most) is read to its end before
   *   its first byte is given, and then read again. Sizes (`stat`, `size`, `list` with sizes) are those of hashed
   *   content, and cost as much as reading it. A hashed object is remembered by its place: large files are not
   *   proven against a device that gives other bytes the second time.
   */
  proof?: Proof | undefined;
  /** With `proof: "oid"`: refuse objects that are part of a SHA-1 collision attack, as git does. */
  collisions?: boolean | undefined;
  /**
   * The id of the commit that the image must hold, 40 hexadecimal digits: an image of any other commit fails to
   * open. `proof` is then `oid` by default, and all content that is read is proven to be this commit's.
   */
  commit?: string | undefined;
  /**
   * `docteur/core.simd.wasm` or `docteur/core.wasm`, compiled: for engines that may not compile it from bytes, or have
   * no SIMD.
   */
  module?: WasmModule | undefined;
  /** Ends the opening: it rejects with the signal's reason, and the device is closed. */
  signal?: AbortSignal | undefined;
}

/**
 * The options with which a thread opens an image again. All threads read one commit, even if the image's file is replaced
 * meanwhile.
 * @param found the commit that the image holds
 */
export function optionsForThreads(options: OpenOptions, found: string): OpenOptions {
  const { blockSize, mode, memoryLimit, collisions, commit, proof } = options;
  // Naming a commit would ask for a proof.
  const level = proof ?? (commit !== undefined || collisions ? undefined : "none");
  return { blockSize, mode, memoryLimit, collisions, commit: found, proof: level };
}

const MEMORY_MIN = 2 << 20;
const MEMORY_MAX = 0xffff0000;
/** Bytes that the entries of one `list` may take by default. */
export const LIST_MEMORY = 1 << 30;

export const OPEN: Checks = {
  mode: isOneOf(...Object.keys(MODE)),
  memoryLimit: isWhole(MEMORY_MIN, MEMORY_MAX),
  proof: isOneOf(...Object.keys(PROOF)),
  collisions: isBoolean,
  commit: isOid,
  ...DEVICE,
  module: isModule,
  signal: isSignal,
};

/**
 * Opens an image, as `open` does.
 * @param load compiles a core, where the options give none
 */
export async function openWith(
  load: () => Promise<WasmModule>,
  source: ImageSource,
  options: OpenOptions | undefined,
): Promise<Volume> {
  const given = checkOptions("open", options, OPEN);
  const { mode = "light", memoryLimit, module, proof, collisions, commit, signal, ...rest } = given;
  const signals = signal === undefined ? [] : [signal];
  signal?.throwIfAborted();
  const device = await toDevice(source, { ...rest, signal });
  try {
    const mountOptions = { mode, memoryLimit: memoryLimit ?? 0, proof, collisions, commit, signals };
    const core = await mount(device, mountOptions, module ?? (await load()));
    const found = await readCommit(core, signals);
    const reopen = (by?: AbortSignal): Promise<Volume> => openWith(load, source, { ...given, signal: by });
    const again = canReopen(source) ? reopen : undefined;
    return new Volume(core, device, found, memoryLimit ?? LIST_MEMORY, again);
  } catch (error) {
    // The reason counts. An error while the device closes does not.
    await closeDevice(device).catch(() => undefined);
    throw error;
  }
}
