/** Mounts a core over a device: `open` makes a volume of it. */
import { invalid } from "../arguments.js";
import type { BlockDevice } from "../devices/device.js";
import { oidBytes } from "../git/oid.js";
import type { WasmModule } from "../wasm/types.js";
import { MODE, PROOF, PROOF_COLLISIONS } from "./abi.js";
import { Core } from "./instance.js";

/** Modes of mounting. */
export type Mode = keyof typeof MODE;

/** Levels of proof for the content that is read. */
export type Proof = keyof typeof PROOF;

/** Options of `mount`. */
export interface MountOptions {
  mode: Mode;
  /** Bytes; 0 for the default. */
  memoryLimit: number;
  /** By default `oid` if collisions are refused or a commit is given, otherwise `none`. */
  proof?: Proof | undefined;
  /** Refuse objects that are part of a SHA-1 collision attack. */
  collisions?: boolean | undefined;
  /** The commit that the image must be of, 40 hexadecimal digits. */
  commit?: string | undefined;
  /** End the wait for the device. */
  signals?: readonly AbortSignal[] | undefined;
}

/** The level of proof as the core numbers it. */
function proofLevel({ proof, collisions = false, commit }: MountOptions): number {
  const level = proof ?? (collisions || commit !== undefined ? "oid" : "none");
  if (!collisions) return PROOF[level];
  if (level === "oid") return PROOF_COLLISIONS;
  throw invalid('collisions are found with proof "oid" alone');
}

/**
 * Mounts a device in a new instance of the core.
 * @param module a compiled core
 * @throws DocteurError the error of the image or its device. The device is left open
 */
export async function mount(device: BlockDevice, options: MountOptions, module: WasmModule): Promise<Core> {
  const core = new Core(module, device);
  await remount(core, device, options);
  return core;
}

/**
 * Mounts in an instance that has been used. It forgets the image that it had mounted.
 * @param device the one that the instance was made over
 * @throws DocteurError as `mount` does
 */
export async function remount(core: Core, device: BlockDevice, options: MountOptions): Promise<void> {
  const handle = beginMount(core, device, options);
  await core.run(handle, core.exports.mount, options.signals);
  core.release(handle);
}

/** Mounts a synchronous device, as `mount` does. */
export function mountSync(device: BlockDevice, options: MountOptions, module: WasmModule): Core {
  const core = new Core(module, device);
  const handle = beginMount(core, device, options);
  core.runSync(handle, core.exports.mount);
  core.release(handle);
  return core;
}

/** @returns the handle to mount with */
function beginMount(core: Core, device: BlockDevice, options: MountOptions): number {
  const level = proofLevel(options);
  const commit = options.commit === undefined ? undefined : oidBytes(options.commit);
  const { exports } = core;
  const capacity = BigInt(device.capacity);
  const blockSize = BigInt(device.blockSize);
  const mode = MODE[options.mode];
  core.check(exports.mountBegin(0n, capacity, blockSize, mode, options.memoryLimit));
  if (commit !== undefined) core.write(commit);
  core.check(exports.prove(level, commit === undefined ? 0 : core.input));
  return core.open();
}
