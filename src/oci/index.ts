/**
 * Images in registries: `push` and `pull`.
 * @module docteur/oci
 */
export type { Descriptor } from "../devices/oci/artifact.js";
export { type PullOptions, type PullProgress, type PullSummary, pull } from "./pull.js";
export { type PushOptions, type PushProgress, type PushSummary, push } from "./push.js";
