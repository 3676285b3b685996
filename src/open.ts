/** Opens an image, whatever it comes from. */
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

/** Options of `open`. */
export interface OpenOptions extends DeviceOptions {
  /**
   * `light` (the default) walks trees when a path is first asked for, and opens at once; `fast` reads every
   * tree first and then answers from memory; `analyze` trusts the PACK alone: it rebuilds the index, and
   * reads no byte of the IDX.
   */
  mode?: Mode | undefined;
  /**
   * Cap of the core's memory in bytes, caches and all: from 2 MiB to 4 GiB less 64 KiB. By default the caches
   * keep to 32 MiB, and only what cannot do with that (a delta and its base that are larger; the index in
   * `fast` and `analyze`) takes more, up to 1 GiB. Apart from that, what one `list` gives may take as many
   * bytes of JavaScript's memory, by default 1 GiB.
   */
  memoryLimit?: number | undefined;
  /**
   * How far what is read is proven, beyond each stream's Adler-32, which always is:
   *
   * - `none`, the default: the image is trusted to be what it was when it was verified.
   * - `crc`: every entry that is read, deltas' bases too, against the CRC-32 that the IDX gives it (`analyze`:
   *   that it had when the image was opened). Finds damage, not malice. Takes 15 bytes of memory an object, and
   *   opening reads 8. What sizes are told from is not read whole, and not checked.
   * - `oid`: every object is hashed, and what does not match the id that led to it is an `OidMismatch`: from the
   *   commit's id over the trees to the file. Each is hashed once for as long as it stays in memory. A file that
   *   is too large for that (an eighth of the memory limit, 2 MiB at the most) is read to its end before its
   *   first byte is given, and then again. Sizes (`stat`, `size`, `list` with sizes) are those of content that
   *   has been hashed, and cost as much as reading it. What was hashed once is remembered by its place: of a
   *   device that answers otherwise the second time, large files are not proof.
   */
  proof?: Proof | undefined;
  /** With `proof: "oid"`: refuse objects that are part of a SHA-1 collision attack, as git does. */
  collisions?: boolean | undefined;
  /**
   * The id of the commit that the image must hold, 40 hexadecimal digits: any other fails to open. `proof` is
   * then `oid` by default, and all that is read is proven to be this commit's.
   */
  commit?: string | undefined;
  /** A compiled core, for runtimes that cannot load it from beside this package. */
  module?: WebAssembly.Module | undefined;
  /** Ends the opening: it rejects with the signal's reason, and the device is closed. */
  signal?: AbortSignal | undefined;
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
 * Opens an image and mounts it.
 * @param source a path or a URL, the image's bytes, or something that has them: docs/DEVICES.md. The volume owns it:
 *   what can be closed is closed with the volume
 * @throws DocteurError where the source cannot be read or is not a sound image
 * @example const volume = await open("https://example.org/disk.img"); const readme = await volume.get("/README.md");
 *   await volume.close();
 */
export async function open(source: ImageSource, options?: OpenOptions): Promise<Volume> {
  const given = checkOptions("open", options, OPEN);
  const { mode = "light", memoryLimit, module, proof, collisions, commit, signal, ...rest } = given;
  const signals = signal === undefined ? [] : [signal];
  signal?.throwIfAborted();
  const device = await toDevice(source, { ...rest, signal });
  try {
    const mountOptions = { mode, memoryLimit: memoryLimit ?? 0, proof, collisions, commit, signals };
    const core = await mount(device, mountOptions, module);
    const found = await readCommit(core, signals);
    const reopen = (by?: AbortSignal): Promise<Volume> => open(source, { ...given, signal: by });
    const again = canReopen(source) ? reopen : undefined;
    return new Volume(core, device, found, memoryLimit ?? LIST_MEMORY, again);
  } catch (error) {
    // The reason is what counts, not how the device takes it.
    await closeDevice(device).catch(() => undefined);
    throw error;
  }
}
