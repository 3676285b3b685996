/** A WASI host of few words, in this process: arguments, output, and one folder with one file, a block device. */
import { type BlockDevice, RESULT } from "../../src/devices/device.js";

const ERRNO = { success: 0, badf: 8, io: 29, noent: 44 } as const;
const FOLDER = Buffer.from(".");
const FOLDER_FD = 3;
const FILE_FD = 4;
const FOLDER_KIND = 3;
const FILE_KIND = 4;

/** Thrown through the frames of a command that exits. */
class Exit {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }
}

/** What a command did. */
export interface WasiOutcome {
  status: number;
  stdout: Buffer;
  stderr: Buffer;
  /** Descriptors that it opened and did not close. */
  openFiles: number;
}

/** What a command is given. */
export interface WasiOptions {
  /** Without the program's name; no NUL in any of them. */
  args: readonly Uint8Array[];
  /** The file `disk.img` of the folder. It may answer what it likes. */
  disk?: BlockDevice;
  /** The most bytes that a read gives; a short one is no error. */
  readMax?: number;
}

/**
 * Runs a command. A trap is thrown.
 * @param module a command that imports no more than the guests do
 */
export function runWasi(module: WebAssembly.Module, options: WasiOptions): WasiOutcome {
  const { disk, readMax = Number.POSITIVE_INFINITY } = options;
  const args = ["guest", ...options.args].map((arg) => Buffer.concat([Buffer.from(arg), Buffer.alloc(1)]));
  const outputs: Buffer[][] = [[], [], []];
  let openFiles = 0;
  let memory: WebAssembly.Memory;
  const view = (): DataView => new DataView(memory.buffer);
  const bytes = (ptr: number, length: number): Uint8Array => new Uint8Array(memory.buffer, ptr >>> 0, length);
  const vectors = (iovs: number, count: number): Uint8Array[] =>
    Array.from({ length: count }, (_, index) =>
      bytes(view().getUint32(iovs + index * 8, true), view().getUint32(iovs + index * 8 + 4, true)),
    );
  const setFilestat = (stat: number, kind: number): number => {
    bytes(stat, 64).fill(0);
    view().setUint8(stat + 16, kind);
    view().setBigUint64(stat + 32, BigInt(kind === FILE_KIND ? disk!.capacity : 0), true);
    return ERRNO.success;
  };
  const isDisk = (path: number, length: number): boolean =>
    disk !== undefined && Buffer.from(bytes(path, length)).toString() === "disk.img";
  const imports = {
    args_sizes_get(count: number, size: number) {
      view().setUint32(count, args.length, true);
      view().setUint32(size, Buffer.concat(args).length, true);
      return ERRNO.success;
    },
    args_get(argv: number, buf: number) {
      let at = buf;
      args.forEach((arg, index) => {
        view().setUint32(argv + index * 4, at, true);
        bytes(at, arg.length).set(arg);
        at += arg.length;
      });
      return ERRNO.success;
    },
    fd_prestat_get(fd: number, prestat: number) {
      if (fd !== FOLDER_FD) return ERRNO.badf;
      view().setUint32(prestat, 0, true);
      view().setUint32(prestat + 4, FOLDER.length, true);
      return ERRNO.success;
    },
    fd_prestat_dir_name(_fd: number, path: number, length: number) {
      bytes(path, length).set(FOLDER);
      return ERRNO.success;
    },
    path_filestat_get(_fd: number, _flags: number, path: number, length: number, stat: number) {
      return isDisk(path, length) ? setFilestat(stat, FILE_KIND) : ERRNO.noent;
    },
    path_open(...call: (number | bigint)[]) {
      const [, , path, length, , , , , fdOut] = call as number[];
      if (!isDisk(path!, length!)) return ERRNO.noent;
      openFiles++;
      view().setUint32(fdOut!, FILE_FD, true);
      return ERRNO.success;
    },
    fd_filestat_get(fd: number, stat: number) {
      return setFilestat(stat, fd === FILE_FD ? FILE_KIND : FOLDER_KIND);
    },
    fd_pread(_fd: number, iovs: number, count: number, offset: bigint, readOut: number) {
      const [first] = vectors(iovs, count);
      const target = first!.subarray(0, Math.min(first!.length, readMax));
      let result: number = RESULT.EUNSPEC;
      try {
        result = disk!.read(Number(offset), target);
      } catch {
        // What a device throws is a failure of its host's.
      }
      view().setUint32(readOut, target.length, true);
      return result === RESULT.OK ? ERRNO.success : ERRNO.io;
    },
    fd_write(fd: number, iovs: number, count: number, writtenOut: number) {
      const parts = vectors(iovs, count).map((part) => Buffer.from(part));
      outputs[fd]!.push(...parts);
      view().setUint32(
        writtenOut,
        parts.reduce((sum, part) => sum + part.length, 0),
        true,
      );
      return ERRNO.success;
    },
    proc_exit(status: number) {
      throw new Exit(status);
    },
  };
  const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: imports });
  memory = instance.exports.memory as WebAssembly.Memory;
  let status = 0;
  try {
    (instance.exports._start as () => void)();
  } catch (error) {
    if (!(error instanceof Exit)) throw error;
    status = error.status;
  }
  return { status, stdout: Buffer.concat(outputs[1]!), stderr: Buffer.concat(outputs[2]!), openFiles };
}
