/** A core over a device, mounted: what `open` makes a volume of and `verify` looks into. */

import type { BlockDevice } from "../devices/device.js";
import { DocteurError } from "../errors.js";
import { oidBytes } from "../git/oid.js";
import { compileCore } from "./builds.js";
import { Core, MODE, PROOF, PROOF_COLLISIONS } from "./instance.js";

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
