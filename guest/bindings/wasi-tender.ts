/**
 * The tender's part, which the guest plays itself in a WASI runtime. It takes the tender's flags, makes its checks with
 * its messages, opens the devices read-only and leaves the rest of the arguments as the command line.
 * `manifest` is not a file: the build makes it of the guest's `manifest.json` (`count`; `names`, each followed by a NUL).
 */
import { count, names } from "./manifest";
import { end, Errno, wasi, writeAll } from "./wasi-preview1";
import { openAt, resolve, resolvedFd, resolvedLen, resolvedPtr } from "./wasi-path";

const NAME_MAX: u32 = 67;
const CMDLINE_MAX: u32 = 8192;
const BLOCK_SIZE_MAX: u64 = 1 << 30;
const DEVICES_MAX: usize = 64;
const PAGE: usize = 0x10000;
/** Far more than the command line and the paths of all devices can take. */
const ARGS_MAX: u32 = 0x10000;
const ARGS_SIZE_MAX: usize = 0x100000;

/**
 * One declared device, in the manifest's order:
 *
 *     │ capacity u64 │ path u32 (0: not attached) │ pathLen u32 │ blockSize u32 (0: default) │ fd u32 │ acquired u32 │ – │
 */
@unmanaged
class Device {
  capacity: u64;
  path: usize;
  pathLen: u32;
  blockSize: u32;
  fd: u32;
  acquired: u32;
}

const SIZE: usize = 32;
const devices: usize = memory.data(DEVICES_MAX * SIZE, 8);

/** The command line, quoted as `src/tender/cmdline.ts` does. */
export const cmdline: usize = memory.data(8192, 1);
export let cmdlineSize: u32 = 0;

/** u32 count, u32 size; or an fd. */
const out: usize = memory.data(8, 4);
const filestat: usize = memory.data(64, 8);
let program: usize = 0;

export function deviceAt(index: u32): Device {
  return changetype<Device>(devices + index * SIZE);
}

function cstrLen(ptr: usize): u32 {
  let end = ptr;
  while (load<u8>(end)) end++;
  return <u32>(end - ptr);
}

/** The declared device of that name; `count` if there is none. */
export function deviceIndex(name: usize, len: u32): u32 {
  let known = names;
  for (let index: u32 = 0; index < count; index++) {
    const knownLen = cstrLen(known);
    if (knownLen == len && !memory.compare(known, name, len)) return index;
    known += knownLen + 1;
  }
  return count;
}

function nameOf(index: u32): usize {
  let name = names;
  while (index--) name += cstrLen(name) + 1;
  return name;
}

function sayBytes(ptr: usize, len: u32): void {
  writeAll(2, ptr, len);
}

function sayCstr(ptr: usize): void {
  sayBytes(ptr, cstrLen(ptr));
}

/** Byte by byte: these are the last words, seldom spoken. */
function say(text: string): void {
  for (let i = 0; i < text.length; i++) {
    store<u8>(out, load<u16>(changetype<usize>(text) + (i << 1)));
    sayBytes(out, 1);
  }
}

/** Prints in decimal. */
function sayDecimal(value: u64): void {
  if (value > 9) sayDecimal(value / 10);
  store<u8>(out, <u8>(value % 10) + 0x30);
  sayBytes(out, 1);
}

function die(): void {
  say("\n");
  end(1);
}

/** Statuses of a program whose output cannot be written, as the tender has them: on failure, and as of SIGPIPE. */
const OUTPUT_FAILED: i32 = 8;
const PIPE_CLOSED: i32 = 141;

/** Ends the program, silently if the reader of its output has gone. */
export function cannotWrite(errno: i32): void {
  if (errno == Errno.PIPE) end(PIPE_CLOSED);
  say("solo5-wasm: cannot write to standard output: ");
  if (errno == Errno.NOSPC) say("no space left on device");
  else {
    say("errno ");
    sayDecimal(errno);
  }
  say("\n");
  end(OUTPUT_FAILED);
}

function sayManifest(): void {
  say("\nsolo5-wasm: the manifest declares");
  if (!count) say(" no devices");
  for (let index: u32 = 0; index < count; index++) {
    say(index ? ", " : ": ");
    sayCstr(nameOf(index));
    say(" (BLOCK_BASIC)");
  }
}

function invalidOption(arg: usize): void {
  say("solo5-wasm: Invalid option: `");
  sayCstr(arg);
  say("'");
  die();
}

/** Whether `arg` begins with `text`, an ASCII literal. */
function startsWith(arg: usize, text: string): bool {
  for (let i = 0; i < text.length; i++)
    if (<u32>load<u8>(arg + i) != <u32>load<u16>(changetype<usize>(text) + (i << 1))) return false;
  return true;
}

/** Bytes of the name before `=`; 0 if it is not a device's, or nothing follows. */
function nameLen(ptr: usize): u32 {
  let len: u32 = 0;
  for (; load<u8>(ptr + len) != 0x3d; len++) {
    const byte: u32 = load<u8>(ptr + len);
    if (byte - 0x30 >= 10 && (byte | 0x20) - 0x61 >= 26) return 0;
  }
  return len > NAME_MAX || !load<u8>(ptr + len + 1) ? 0 : len;
}

function declared(name: usize, len: u32): Device {
  const index = deviceIndex(name, len);
  if (index == count) {
    say("solo5-wasm: ");
    sayCstr(program);
    say(": Resource not declared in manifest: '");
    sayBytes(name, len);
    say("'");
    sayManifest();
    die();
  }
  return deviceAt(index);
}

function attach(arg: usize, name: usize): void {
  const len = nameLen(name);
  if (!len) invalidOption(arg);
  const device = declared(name, len);
  if (device.path) {
    say("solo5-wasm: Device '");
    sayBytes(name, len);
    say("' attached twice");
    die();
  }
  device.path = name + len + 1;
  device.pathLen = cstrLen(device.path);
}

function setBlockSize(arg: usize, name: usize): void {
  const len = nameLen(name);
  if (!len) invalidOption(arg);
  let size: u64 = 0;
  for (let digit = name + len + 1; load<u8>(digit); digit++) {
    const value: u32 = load<u8>(digit) - 0x30;
    size = value < 10 && size <= BLOCK_SIZE_MAX ? size * 10 + value : BLOCK_SIZE_MAX + 1;
  }
  if (size < 512 || size > BLOCK_SIZE_MAX || size & (size - 1)) {
    say("solo5-wasm: Block size of '");
    sayBytes(name, len);
    say("' must be a power of two greater than or equal to 512");
    die();
  }
  const device = declared(name, len);
  if (device.blockSize) {
    say("solo5-wasm: Block size of '");
    sayBytes(name, len);
    say("' given twice");
    die();
  }
  device.blockSize = <u32>size;
}

function sayPath(device: Device): void {
  sayBytes(device.path, device.pathLen);
}

function cannotOpen(device: Device, errno: i32): void {
  say("solo5-wasm: Could not open block device: ");
  sayPath(device);
  say(": ");
  if (errno == Errno.NOENT) say("no such file or directory");
  else if (errno == Errno.ACCES) say("permission denied");
  else if (errno == Errno.PERM) say("operation not permitted");
  else if (errno == Errno.NOTDIR) say("not a directory");
  else if (errno == Errno.ISDIR) say("is a directory");
  else if (errno == Errno.NOTCAPABLE) say("not inside a preopened directory");
  else {
    say("errno ");
    sayDecimal(errno);
  }
  die();
}

/** WASI's filetype in `filestat`: WASI tells sizes only of regular files. */
function checkKind(device: Device): void {
  const kind: u32 = load<u8>(filestat, 16);
  if (kind == 3) cannotOpen(device, Errno.ISDIR);
  if (kind == 4) return;
  say("solo5-wasm: Could not open block device: ");
  sayPath(device);
  say(": is not a regular file");
  die();
}

/** Looks before it opens: to open a FIFO would block. */
function open(device: Device): void {
  const blockSize: u32 = device.blockSize ? device.blockSize : 512;
  device.blockSize = blockSize;
  if (!resolve(device.path, device.pathLen)) cannotOpen(device, Errno.NOTCAPABLE);
  let errno = wasi.path_filestat_get(resolvedFd, 1, resolvedPtr, resolvedLen, filestat);
  if (errno) cannotOpen(device, errno);
  checkKind(device);
  errno = openAt(out);
  if (errno) cannotOpen(device, errno);
  device.fd = load<u32>(out);
  errno = wasi.fd_filestat_get(device.fd, filestat);
  if (errno) cannotOpen(device, errno);
  checkKind(device);
  device.capacity = load<u64>(filestat, 32);
  const tooSmall = device.capacity < blockSize;
  if (!tooSmall && !(device.capacity & (blockSize - 1))) return;
  say("solo5-wasm: ");
  sayPath(device);
  say(tooSmall ? ": Backing storage must be at least 1 block (" : ": Backing storage size must be block aligned (");
  sayDecimal(blockSize);
  say(tooSmall ? " bytes) in size" : " bytes)");
  die();
}

function openAll(): void {
  for (let index: u32 = 0; index < count; index++) {
    const device = deviceAt(index);
    if (device.path) continue;
    if (device.blockSize) {
      say("solo5-wasm: Block size given for '");
      sayCstr(nameOf(index));
      say("', which is not attached");
      die();
    }
    say("solo5-wasm: ");
    sayCstr(program);
    say(": Device '");
    sayCstr(nameOf(index));
    say("' of type BLOCK_BASIC declared but not attached");
    sayManifest();
    die();
  }
  for (let index: u32 = 0; index < count; index++) open(deviceAt(index));
}

function append(byte: u32): void {
  if (cmdlineSize == CMDLINE_MAX) {
    say("solo5-wasm: Guest command line too long (max=8192 bytes)");
    die();
  }
  store<u8>(cmdline + cmdlineSize++, byte);
}

function appendQuoted(arg: usize): void {
  let quoted = !load<u8>(arg);
  for (let ptr = arg; load<u8>(ptr); ptr++) {
    const byte: u32 = load<u8>(ptr);
    if (byte == 0x20 || byte - 9 < 5 || byte == 0x22 || byte == 0x5c) quoted = true;
  }
  if (quoted) append(0x22);
  for (let ptr = arg; load<u8>(ptr); ptr++) {
    const byte: u32 = load<u8>(ptr);
    if (byte == 0x22 || byte == 0x5c) append(0x5c);
    append(byte);
  }
  if (quoted) append(0x22);
}

function badArgs(): void {
  say("solo5-wasm: cannot read the arguments");
  die();
}

/** The number of arguments. */
let argc: u32 = 0;

/**
 * Gets the arguments into the memory above the static data, which is the guest's own as soon as it runs. Each must lie
 * where it was to be written: the byte behind that is a NUL, which ends the last of them at the latest.
 */
function readArgs(): usize {
  if (wasi.args_sizes_get(out, out + 4)) badArgs();
  argc = load<u32>(out);
  const size: usize = load<u32>(out, 4);
  if (argc > ARGS_MAX || size > ARGS_SIZE_MAX) badArgs();
  const argv = (__heap_base + 7) & ~7;
  const strings = argv + (<usize>argc << 2);
  const last = strings + size;
  const pages = <i32>((last + PAGE) / PAGE) - memory.size();
  if ((pages > 0 && memory.grow(pages) < 0) || wasi.args_get(argv, strings)) badArgs();
  store<u8>(last, 0);
  for (let ptr = argv; ptr < strings; ptr += 4) {
    const arg: usize = load<u32>(ptr);
    if (arg < strings || arg >= last) badArgs();
  }
  return argv;
}

/** Does all work of a tender before the guest's first instruction. */
export function boot(): void {
  const argv = readArgs();
  // Without any argument there is no name either; the arguments' own terminator is an empty one.
  program = argc ? load<u32>(argv) : cmdline;
  let index: u32 = 1;
  for (; index < argc; index++) {
    const arg: usize = load<u32>(argv + (index << 2));
    if (startsWith(arg, "--block:")) attach(arg, arg + 8);
    else if (startsWith(arg, "--block-sector-size:")) setBlockSize(arg, arg + 20);
    else if (startsWith(arg, "--mem=")) {
      say("solo5-wasm: --mem is not for WASI, whose runtime limits the memory");
      die();
    } else {
      if (startsWith(arg, "--") && !load<u8>(arg + 2)) index++;
      break;
    }
  }
  openAll();
  for (const first = index; index < argc; index++) {
    if (index > first) append(0x20);
    appendQuoted(load<u32>(argv + (index << 2)));
  }
}
