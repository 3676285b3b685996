/** A core over a device, mounted: what `open` makes a volume of and `verify` looks into. */

import { type BlockDevice, isBlockSize } from "../devices/device.js";
import { MemoryDevice } from "../devices/memory.js";
import { DocteurError } from "../errors.js";
import { compileCore } from "./builds.js";
import { Core, MODE, oidBytes, PROOF, PROOF_COLLISIONS } from "./instance.js";

/** How an image is mounted. */
export type Mode = keyof typeof MODE;

/** How far what is read is proven. */
export type Verify = keyof typeof PROOF;

/** What an image must prove. */
export interface Proof {
  verify?: Verify | undefined;
  collisions?: boolean | undefined;
  commit?: string | undefined;
}

/** The level of proof as the core numbers it. */
function proofLevel({ verify, collisions = false, commit }: Proof): number {
  const level = verify ?? (collisions || commit !== undefined ? "oid" : "none");
  if (!Object.hasOwn(PROOF, level)) throw new DocteurError("InvalidArgument", `no such proof: ${level}`);
  if (!collisions) return PROOF[level];
  if (level === "oid") return PROOF_COLLISIONS;
  throw new DocteurError("InvalidArgument", "collisions are found where ids are verified alone");
}

/** What an image can be opened from: a path or a `file:` URL (Node), its bytes, or a block device. */
export type Source = string | URL | Uint8Array | ArrayBuffer | BlockDevice;

/** A source of a size that no whole number of blocks makes has lost its end. */
function checkLength(length: number, blockSize: number, path?: string): void {
  if (length >= blockSize && length % blockSize === 0) return;
  const what = path ?? "the image";
  throw new DocteurError(
    "Truncated",
    `${what} is ${length} bytes long, which is no whole number of ${blockSize}-byte blocks`,
    { path, offset: length, hint: "the image was cut short, or it is not a docteur image" },
  );
}

async function openFile(file: string | URL, blockSize: number): Promise<BlockDevice> {
  const { FileDevice, fileSize, fileURLToPath } = await import("../node/node-files.js");
  const path = typeof file === "string" ? file : fileURLToPath(file);
  // A device calls a size that its blocks do not divide a bad argument of its host's: of an image it is
  // damage.
  const size = await fileSize(path);
  if (size !== undefined) checkLength(size, blockSize, path);
  return new FileDevice(path, blockSize);
}

/**
 * The device that stands for a source.
 * @param blockSize bytes, where the source is no device
 */
export async function toDevice(source: Source, blockSize: number): Promise<BlockDevice> {
  if (!isBlockSize(blockSize))
    throw new DocteurError("InvalidArgument", `not a block size: ${blockSize}: a power of two, at least 512`);
  if (typeof source === "string") return openFile(source, blockSize);
  if (source instanceof URL) {
    if (source.protocol !== "file:")
      throw new DocteurError("InvalidArgument", `cannot open ${source.href}: only file: URLs are supported`);
    return openFile(source, blockSize);
  }
  if (source instanceof Uint8Array || source instanceof ArrayBuffer) {
    const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
    checkLength(bytes.length, blockSize);
    return new MemoryDevice(bytes, blockSize);
  }
  return source;
}

/**
 * Mounts a device in a new instance of the core.
 * @param memoryLimit bytes; 0 for the default
 * @param module a compiled core; by default the one beside this package
 * @param proof by default, none
 * @throws DocteurError what is wrong with the image or its device, which is left open
 */
export async function mount(
  device: BlockDevice,
  mode: Mode,
  memoryLimit: number,
  module?: WebAssembly.Module,
  proof: Proof = {},
): Promise<Core> {
  const core = new Core(module ?? (await compileCore()), device);
  await remount(core, device, mode, memoryLimit, proof);
  return core;
}

/**
 * Mounts in an instance that there is: what it had mounted is forgotten.
 * @param device the one that the instance was made over
 * @throws DocteurError as `mount` does
 */
export async function remount(
  core: Core,
  device: BlockDevice,
  mode: Mode,
  memoryLimit: number,
  proof: Proof,
): Promise<void> {
  const level = proofLevel(proof);
  const commit = proof.commit === undefined ? undefined : oidBytes(proof.commit);
  const { exports } = core;
  const capacity = BigInt(device.capacity);
  const blockSize = BigInt(device.blockSize);
  core.run(() => exports.mountBegin(0n, capacity, blockSize, MODE[mode], memoryLimit));
  core.run(() => exports.verify(level, commit === undefined ? 0 : core.write(commit)));
  await core.run(() => exports.mount());
}
