/**
 * `docteur/abi`: the constants of the library core's interface, for embedders that load `core.wasm` themselves. The
 * interface itself is in docs/ABI.md. Runs in browsers, too.
 * @module docteur/abi
 */
export {
  ABI_VERSION,
  type CoreExports,
  FLAG,
  INFO,
  INPUT_MAX,
  LAYOUT_STATES,
  MODE,
  PROOF,
  PROOF_COLLISIONS,
  RESULT,
  STATS,
} from "./core/abi.js";
/** The results of the host's `block_read`. */
export { RESULT as BLOCK_READ } from "./devices/device.js";
/** The statuses of the exports, by the names of `DocteurError.code`. */
export { STATUS } from "./errors.js";
export type { WasmMemory } from "./wasm/types.js";
