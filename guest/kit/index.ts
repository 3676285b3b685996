/**
 * The guest kit, `docteur/guest`: all that a guest in AssemblyScript needs of docteur. docs/GUESTS.md shows how a guest is
 * written and built.
 */
export { Mode } from "../../asm/volume/mount";
export { Proof } from "../../asm/objects/proof";
export { Status } from "../../asm/base/status";
export { Entry } from "../../asm/git/tree";
export { Result } from "../../asm/volume/operation";
export { Flag, infoPtr, result } from "../../asm/volume/volume";
export { blockAcquire, blockCapacity, blockHandle, blockSize, consoleWrite } from "../bindings/solo5";
export {
  argIs,
  argLen,
  argNext,
  argOption,
  args,
  argsEnd,
  argStartsWith,
  cmdlineSplit,
  optionNext,
  optionValue,
} from "../lib/cmdline";
export { flush, print, printByte, printBytes, printText, printU64, printUtf16 } from "../lib/console";
export {
  block_acquire,
  block_read,
  block_write,
  clock_monotonic,
  clock_wall,
  cmdline_read,
  cmdline_size,
  console_write,
  solo5_abort,
  solo5_exit,
  solo5_yield,
} from "../lib/hypercalls";
export { printStatus } from "../lib/status";
export { chunkLen, chunkPtr, errorOffset, volumeNext, volumeOpen } from "../lib/volume";
export { abort } from "./abort";
export { volumeList, volumeMount, volumeObject, volumeRead, volumeStat } from "./volume";

// The stub runtime, 0, takes memory that is the reader's, too.
if (ASC_RUNTIME == 0) ERROR("docteur/guest needs the runtime incremental or minimal, not stub");
