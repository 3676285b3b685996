/** `docteur/diff`: what changed between two images. Equal directories are known by their ids, and not read. */

export { type Change, type ChangeStatus, type CompareOptions, compare } from "./compare.js";
export { type LineChange, lineChange, patchOf } from "./patch.js";
