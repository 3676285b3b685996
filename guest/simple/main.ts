/**
 * Prints one file of the image on the device `docteur`, as the original's `simple` does:
 * `solo5-wasm --block:docteur=disk.img simple.wasm --filename /README.md`.
 */
import { Mode } from "../../asm/volume/mount";
import { Status } from "../../asm/base/status";
import { Flag } from "../../asm/volume/volume";
import { blockAcquire, blockCapacity, blockHandle, blockSize, consoleWrite } from "../bindings/solo5";
import {
  argIs,
  argLen,
  argNext,
  argOption,
  args,
  argsEnd,
  cmdlineSplit,
  optionNext,
  optionValue,
} from "../lib/cmdline";
import { flush, print, printBytes, printU64 } from "../lib/console";
import { printStatus } from "../lib/status";
import { chunkLen, chunkPtr, errorOffset, volumeMount, volumeNext, volumeOpen } from "../lib/volume";

/** Exit statuses: those of the tools. */
const FOUND: i32 = 0;
const NOT_FOUND: i32 = 1;
const DAMAGED: i32 = 4;
const IO: i32 = 8;

const device: usize = memory.data<u8>([0x64, 0x6f, 0x63, 0x74, 0x65, 0x75, 0x72]);
const DEVICE_LEN: u32 = 7;

let path: usize = 0;
let mode: u32 = Mode.LIGHT;
let flags: u32 = 0;

/** Sets `mode` to the mode that `--mode` names. */
function parseMode(name: usize): bool {
  if (argIs(name, "light")) mode = Mode.LIGHT;
  else if (argIs(name, "fast")) mode = Mode.FAST;
  else if (argIs(name, "analyze")) mode = Mode.ANALYZE;
  else return false;
  return true;
}

/** Reads the command line, and prints help or an error. Sets `path` if there is a file to read. */
function parse(): i32 {
  if (!cmdlineSplit()) return usage("malformed command line");
  for (let arg = args; arg < argsEnd; ) {
    if (argIs(arg, "--help")) {
      printUsage();
      path = 0;
      return FOUND;
    }
    if (argIs(arg, "--follow")) {
      flags = Flag.FOLLOW;
      arg = argNext(arg);
      continue;
    }
    if (argOption(arg, "--mode")) {
      if (!optionValue || !parseMode(optionValue)) return usage("option --mode takes light, fast or analyze");
    } else if (argOption(arg, "--filename")) {
      if (!optionValue) return usage("option --filename needs a value");
      if (path) return usage("option --filename is there twice");
      path = optionValue;
    } else {
      print("Error: unknown argument ");
      printBytes(arg, argLen(arg));
      print(".\n");
      printUsage();
      return NOT_FOUND;
    }
    arg = optionNext;
  }
  return path ? FOUND : usage("required option --filename is missing");
}

function printUsage(): void {
  print("usage: simple [--mode light|fast|analyze] [--follow] --filename PATH\n");
  print("Prints a file of the image on the device docteur.\n");
}

function usage(what: string): i32 {
  print("Error: ");
  print(what);
  print(".\n");
  printUsage();
  return NOT_FOUND;
}

/** Prints the error in one line, behind the part of the file that was printed. Returns the exit status. */
function fail(status: i32, written: bool): i32 {
  if (written) print("\n");
  print("Error: ");
  printBytes(path, argLen(path));
  switch (status) {
    case Status.NOT_FOUND:
    case Status.DICTIONARY_EXPECTED:
      print(" not found.\n");
      return NOT_FOUND;
    case Status.VALUE_EXPECTED:
      print(" is not a file.\n");
      return NOT_FOUND;
    case Status.SUBMODULE:
      print(" is a submodule.\n");
      return NOT_FOUND;
    case Status.SYMLINK_LOOP:
      print(": too many symlinks.\n");
      return NOT_FOUND;
    case Status.PATH_TOO_LONG:
      print(": path too long.\n");
      return NOT_FOUND;
    case Status.OUT_OF_MEMORY:
      print(": out of memory.\n");
      return IO;
    default: {
      const io = status <= Status.EUNSPEC;
      print(io ? ": the device failed: " : ": the image is damaged: ");
      printStatus(status);
      const offset = errorOffset();
      if (offset) {
        print(" at offset ");
        printU64(offset);
      }
      print(".\n");
      return io ? IO : DAMAGED;
    }
  }
}

function printFile(): i32 {
  let status = blockAcquire(device, DEVICE_LEN);
  if (!status) status = volumeMount(blockHandle, blockCapacity, blockSize, mode, 0);
  if (!status) status = volumeOpen(path, argLen(path), flags);
  let written = false;
  while (!status) {
    status = volumeNext();
    if (status) break;
    if (!chunkLen) return FOUND;
    consoleWrite(chunkPtr, chunkLen);
    written = true;
  }
  return fail(status, written);
}

export function solo5_app_main(): i32 {
  let status = parse();
  if (path && !status) status = printFile();
  flush();
  return status;
}
