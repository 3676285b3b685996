/** Images in registries: `push` and `pull`. */
export { type PullOptions, type PullProgress, type PullSummary, pull } from "./pull.js";
export { type PushOptions, type PushProgress, type PushSummary, push } from "./push.js";
