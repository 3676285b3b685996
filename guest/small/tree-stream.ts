/** Look-ups in trees that do not fit into memory, for guests: there are none. */
import { Status } from "../../asm/base/status";

/** What `asm/volume/tree-stream.ts` exports. */
export const isStreamed: bool = false;

export function treeStreamInit(_limit: u32, _forMarks: u32): void {}

export function treeStreamShed(): void {}

export function treeStreamCancel(): void {}

export function treeStreams(_offset: u64): i32 {
  return Status.OK;
}

export function treeStreamProve(_offset: u64, _oid: usize): i32 {
  return Status.OK;
}

export function treeStreamFind(_offset: u64, _oid: usize, _name: usize, _nameLen: u32): i32 {
  return Status.NOT_FOUND;
}
