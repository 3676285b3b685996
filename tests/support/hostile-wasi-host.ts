/**
 * A WASI host that lies: it answers any call with any errno, or with results that are wrong, and leaves out what it
 * should write. It writes nowhere but where a call lets it, and never returns from `proc_exit`: else there is nothing
 * that a command could do.
 */
import type { Random } from "./random.js";

/** Thrown through the frames of a command that exits. */
class Exit {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }
}

/** What a command did under such a host. */
export interface HostileOutcome {
  status: number;
  /** The bytes that the host said it took. */
  stdout: Buffer;
  calls: number;
  /** The lies that it was told, for the report of a failure. */
  lies: string[];
}

/** What a lying host has. */
export interface HostileOptions {
  args: readonly string[];
  /** The content of `disk.img`. */
  disk: Uint8Array;
  random: Random;
  /** One call in that many is answered with a lie. */
  every: number;
}

/** The most calls that a sound command makes, by far; the fewest that endless ones soon pass. */
const CALLS_MAX = 50_000;
const EAGAIN = 6;
const ODD = [
  0, 1, 2, 3, 4, 7, 0x7f, 0xff, 511, 512, 513, 4096, 4097, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
  0xfffffffe, 0xffffffff,
];

/**
 * Runs a command. A trap is thrown, and so is an error where it calls without end.
 * @param module a command that imports no more than the guests do
 */
export function runUnderLies(
  module: WebAssembly.Module,
  { args, disk, random, every }: HostileOptions,
): HostileOutcome {
  const lies: string[] = [];
  const stdout: Buffer[] = [];
  const strings = ["guest", ...args].map((arg) => Buffer.from(`${arg}\0`));
  let memory: WebAssembly.Memory;
  let calls = 0;
  let waits = 0;
  const view = (): DataView => new DataView(memory.buffer);
  const bytes = (ptr: number, length: number): Uint8Array => new Uint8Array(memory.buffer, ptr, length);
  const odd = (near: number): number => (random(2) ? ODD[random(ODD.length)]! : (near + random(5) - 2) >>> 0);
  const isLie = (): boolean => random(every) === 0;
  /** A result of a call: written, written wrong, or left out. */
  const u32 = (name: string, ptr: number, value: number): void => {
    const shown = isLie() ? odd(value) : value;
    if (shown !== value) lies.push(`${name}: ${shown} for ${value}`);
    if (isLie()) lies.push(`${name}: not written`);
    else view().setUint32(ptr, shown, true);
  };
  const filestat = (stat: number, kind: number, size: number): void => {
    bytes(stat, 64).fill(0);
    const shownKind = isLie() ? random(256) : kind;
    const sizes = [
      0n,
      511n,
      512n,
      BigInt(size) + 512n,
      2n ** 53n,
      2n ** 63n,
      2n ** 64n - 512n,
      2n ** 64n - 1n,
    ];
    const shownSize = isLie() ? sizes[random(sizes.length)]! : BigInt(size);
    if (shownKind !== kind || shownSize !== BigInt(size)) lies.push(`filestat: ${shownKind}, ${shownSize}`);
    view().setUint8(stat + 16, shownKind);
    view().setBigUint64(stat + 32, shownSize, true);
  };
  const isDisk = (path: number, length: number): boolean =>
    Buffer.from(bytes(path, length)).toString() === "disk.img";
  const read = (iov: number, offset: bigint, readOut: number): number => {
    const target = bytes(view().getUint32(iov, true), view().getUint32(iov + 4, true));
    const at = Number(offset);
    const rest = at < disk.length ? disk.subarray(at, at + target.length) : new Uint8Array(0);
    const given = rest.subarray(0, isLie() ? random(rest.length + 1) : rest.length);
    if (given.length < rest.length) lies.push(`short read: ${given.length} of ${rest.length}`);
    target.set(given);
    const shown = isLie() ? target.length + 1 + random(1000) : given.length;
    if (shown !== given.length) lies.push(`read: ${shown} of ${target.length}`);
    view().setUint32(readOut, shown, true);
    return 0;
  };
  const write = (fd: number, iov: number, writtenOut: number): number => {
    const source = Buffer.from(bytes(view().getUint32(iov, true), view().getUint32(iov + 4, true)));
    const taken = isLie() ? random(source.length + 1) : source.length;
    if (taken < source.length) lies.push(`short write: ${taken} of ${source.length}`);
    if (fd === 1) stdout.push(source.subarray(0, taken));
    const before = lies.length;
    u32("written", writtenOut, taken);
    // What the host says that it took is what counts; a lie that cannot be true must not end well.
    if (lies.length > before && fd === 1) {
      stdout.pop();
      const said = view().getUint32(writtenOut, true);
      if (said <= source.length) stdout.push(source.subarray(0, said));
    }
    return 0;
  };
  const sound: Record<string, (...args: never[]) => number> = {
    args_sizes_get(count: number, size: number) {
      u32("argc", count, strings.length);
      u32("args size", size, Buffer.concat(strings).length);
      return 0;
    },
    args_get(argv: number, buf: number) {
      let at = buf;
      for (const [index, string] of strings.entries()) {
        // Never beyond what a call lets the host write, which lies of the sizes make smaller.
        if (at + string.length > memory.buffer.byteLength) break;
        if (lies.some((lie) => lie.startsWith("arg"))) break;
        u32("pointer", argv + index * 4, at);
        bytes(at, string.length).set(string);
        if (isLie()) {
          lies.push("no terminator");
          bytes(at, string.length)[string.length - 1] = 0x41;
        }
        at += string.length;
      }
      return 0;
    },
    fd_prestat_get(fd: number, prestat: number) {
      if (fd !== 3 && !isLie()) return 8;
      if (fd !== 3) lies.push(`preopen: ${fd}`);
      u32("preopen kind", prestat, 0);
      u32("name length", prestat + 4, 1);
      return 0;
    },
    fd_prestat_dir_name(_fd: number, path: number, length: number) {
      const names = ["", "/", "..", "disk", "disk.img", "\0", "\xff\xfe", "a".repeat(5000)];
      const isOther = isLie();
      const name = isOther ? names[random(names.length)]! : ".";
      if (isOther) lies.push(`name: ${name.slice(0, 10)}`);
      bytes(path, length).set(Buffer.from(name, "latin1").subarray(0, length));
      return 0;
    },
    path_filestat_get(_fd: number, _flags: number, path: number, length: number, stat: number) {
      if (!isDisk(path, length)) return 44;
      filestat(stat, 4, disk.length);
      return 0;
    },
    path_open(...call: never[]) {
      const [, , path, length, , , , , fdOut] = call as number[];
      if (!isDisk(path!, length!)) return 44;
      u32("descriptor", fdOut!, 4);
      return 0;
    },
    fd_filestat_get(_fd: number, stat: number) {
      filestat(stat, 4, disk.length);
      return 0;
    },
    fd_pread(_fd: number, iovs: number, _count: number, offset: bigint, readOut: number) {
      return read(iovs, offset, readOut);
    },
    fd_write(fd: number, iovs: number, _count: number, writtenOut: number) {
      return write(fd, iovs, writtenOut);
    },
    proc_exit(status: number) {
      throw new Exit(status);
    },
  };
  const imports = Object.fromEntries(
    Object.entries(sound).map(([name, call]) => [
      name,
      (...given: never[]) => {
        if (++calls > CALLS_MAX) throw new Error("calls without end");
        if (name !== "proc_exit" && isLie()) {
          // A descriptor that never takes anything is waited for without end, as a pipe is that nobody reads.
          let errno = 1 + random(80);
          if (errno === EAGAIN && waits++ > 20) errno = 29;
          lies.push(`${name}: errno ${errno}`);
          return errno;
        }
        return call(...given);
      },
    ]),
  );
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
  memory = instance.exports.memory as WebAssembly.Memory;
  let status = 0;
  try {
    (instance.exports._start as () => void)();
  } catch (error) {
    if (!(error instanceof Exit)) {
      (error as Error).message += ` (${lies.join("; ")})`;
      throw error;
    }
    status = error.status;
  }
  return { status, stdout: Buffer.concat(stdout), calls, lies };
}
