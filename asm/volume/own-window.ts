/** The window of the running operation, which uses one at a time. */
import { faultAt } from "../base/fault";
import { LAYOUT, SEEKING } from "../base/features";
import { Status } from "../base/status";
import { EntryHeader } from "../git/entry";
import { checkpointAfter, checkpointsUse } from "../objects/checkpoints";
import { windowOpen, windowStatus } from "./blob-stream";
import { here } from "./operation";
import { seekBetween, seeks } from "./seek";
import { Window } from "./window";
import { windowFind, windowUse } from "./windows";

/** The operation's window. */
// @ts-ignore: decorator
@inline
export function ownWindow(): Window {
  return changetype<Window>(here().window);
}

function use(window: Window): void {
  here().window = changetype<usize>(window);
  windowUse(window);
  if (SEEKING && !(LAYOUT && window.isMarked)) checkpointsUse(window.blob, window.size);
}

/** Leaves the operation's window to later readers of its blob. */
export function windowLeave(): void {
  const read = here();
  if (!read.window) return;
  changetype<Window>(read.window).user = 0;
  read.window = 0;
}

/** Whether a seek point or a checkpoint lies between the window's end and a position. */
function isFar(window: Window, position: u64): bool {
  if (!SEEKING) return false;
  const reached = window.stream.inflate.totalOut;
  if (LAYOUT && seeks(window.blob) && seekBetween(reached, position)) return true;
  return position > reached && checkpointAfter(window.blob, reached, position + 1) <= position;
}

/**
 * Takes the window that is in a blob before a position, if it is nearer than all checkpoints.
 * @returns whether the operation uses it now
 */
export function windowTake(blob: u64, oid: usize, position: u64, isProving: bool): bool {
  const window = windowFind(blob, oid, position, isProving);
  if (window == null || isFar(window, position)) return false;
  if (LAYOUT && !isProving && window.isMarked != seeks(blob)) return false;
  windowLeave();
  use(window);
  return true;
}

/** Whether the operation's window is in a blob before a position, and nearer than all checkpoints. */
export function isNear(blob: u64, position: u64): bool {
  if (!here().window) return false;
  const window = ownWindow();
  return window.blob == blob && position >= window.start && !isFar(window, position);
}

/** Opens a blob in a window: see `windowOpen`. @returns OK, OUT_OF_MEMORY, or the device's status */
export function windowEnter(offset: u64, entry: EntryHeader, oid: usize, position: u64, isProving: bool): i32 {
  windowLeave();
  const window = windowOpen(offset, entry, oid, position, isProving);
  if (window == null) {
    faultAt(offset);
    return windowStatus;
  }
  use(window);
  return Status.OK;
}
