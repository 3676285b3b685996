/**
 * `docteur/diff`: what changed between two images. Equal directories are known by their ids, and not read.
 * @module docteur/diff
 */

export { type Change, type ChangeStatus, type CompareOptions, compare } from "./compare.js";
export { type Hunk, type LineChange, lineChange, patchOf } from "./patch.js";
