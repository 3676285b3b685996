/** Runs WASI preview 1 programs: their descriptors, arguments and ends. */
import { readFileSync, readSync } from "node:fs";
import { isatty } from "node:tty";
import { DocteurError } from "../../src/errors.js";
import { ioError } from "../../src/node/io-error.js";
import { BrokenPipe, writeAll } from "../../src/node/write-all.js";
import type { VolumeSync } from "../../src/sync/volume.js";
import { flush } from "../cli/output.js";

/** What a program is given. */
export interface Program {
  /** Its name in messages. */
  name: string;
  args: string[];
  /** `NAME=VALUE`, each. */
  env: string[];
  volume: VolumeSync;
  /** Where it finds the image. */
  directory: string;
}

type Shim = typeof import("@bjorn3/browser_wasi_shim");

/** The status of a program that traps, as of a guest that does. */
const TRAPPED = 255;
/** Milliseconds between two looks at an input that has nothing yet. */
const PAUSE = 10;

async function loadShim(): Promise<Shim> {
  try {
    return await import("@bjorn3/browser_wasi_shim");
  } catch (cause) {
    throw new DocteurError(
      "Io",
      "WASI programs need the package @bjorn3/browser_wasi_shim, which is not installed",
      {
        hint: "npm install @bjorn3/browser_wasi_shim",
        cause,
      },
    );
  }
}

/** A descriptor of this process, as the program's. */
function standardStream(shim: Shim, fd: number, name: string): InstanceType<Shim["Fd"]> {
  const { wasi } = shim;
  // C libraries take a character device that cannot seek for a terminal.
  const filetype = isatty(fd) ? wasi.FILETYPE_CHARACTER_DEVICE : wasi.FILETYPE_UNKNOWN;
  return new (class extends shim.Fd {
    override fd_fdstat_get(): { ret: number; fdstat: InstanceType<typeof wasi.Fdstat> } {
      const fdstat = new wasi.Fdstat(filetype, 0);
      fdstat.fs_rights_base = BigInt(fd === 0 ? wasi.RIGHTS_FD_READ : wasi.RIGHTS_FD_WRITE);
      return { ret: 0, fdstat };
    }

    override fd_filestat_get(): { ret: number; filestat: InstanceType<typeof wasi.Filestat> } {
      return { ret: 0, filestat: new wasi.Filestat(BigInt(fd), filetype, 0n) };
    }

    override fd_read(size: number): { ret: number; data: Uint8Array } {
      if (fd !== 0) return { ret: wasi.ERRNO_BADF, data: new Uint8Array() };
      const data = new Uint8Array(Math.min(size, 1 << 16));
      return { ret: 0, data: data.subarray(0, readInput(data)) };
    }

    override fd_write(data: Uint8Array): { ret: number; nwritten: number } {
      if (fd === 0) return { ret: wasi.ERRNO_BADF, nwritten: 0 };
      writeAll(fd, data, name);
      return { ret: 0, nwritten: data.length };
    }
  })();
}

/** Reads standard input, and waits for it. @returns bytes; 0 at its end */
function readInput(into: Uint8Array): number {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      return into.length === 0 ? 0 : readSync(0, into, 0, into.length, null);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN")
        throw new DocteurError("Io", `cannot read standard input: ${code}`, { cause: error });
      Atomics.wait(cell, 0, 0, PAUSE);
    }
  }
}

/**
 * Runs a program to its end.
 * @returns its exit status
 * @throws DocteurError `BadGuest` for a module that is not a program for WASI preview 1; `Io` where the shim is missing
 */
export async function runWasi(module: WebAssembly.Module, program: Program): Promise<number> {
  const shim = await loadShim();
  const { preopen } = await import("../../src/wasi/index.js");
  const streams = ["standard input", "standard output", "standard error"];
  const wasi = new shim.WASI(
    program.args,
    program.env,
    [
      ...streams.map((name, fd) => standardStream(shim, fd, name)),
      preopen(program.volume, program.directory),
    ],
    { debug: false },
  );
  const instance = instantiate(module, wasi, program);
  flush();
  try {
    return wasi.start(instance);
  } catch (error) {
    if (error instanceof BrokenPipe || error instanceof DocteurError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    process.stderr.write(`docteur: ${program.name}: trap: ${reason}\n`);
    return TRAPPED;
  }
}

/** A program's instance, as the shim takes it. */
type Startable = Parameters<InstanceType<Shim["WASI"]>["start"]>[0];

function refusal(message: string, cause?: unknown): DocteurError {
  const hint = "docteur run takes programs for WASI preview 1 (wasm32-wasip1)";
  return new DocteurError("BadGuest", message, { hint, cause });
}

/** Reads a program. @throws DocteurError `Io`; `BadGuest` for what is not a module */
export function readProgram(path: string): WebAssembly.Module {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw ioError("read", path, cause);
  }
  try {
    return new WebAssembly.Module(bytes);
  } catch (cause) {
    throw refusal(`${path} is not a WebAssembly module`, cause);
  }
}

/** Makes an instance. @throws DocteurError `BadGuest` for a module that wants more than WASI, or that cannot start */
function instantiate(
  module: WebAssembly.Module,
  wasi: InstanceType<Shim["WASI"]>,
  program: Program,
): Startable {
  const { name } = program;
  const given: Record<string, object> = {
    wasi_snapshot_preview1: { ...wasi.wasiImport, args_sizes_get: argsSizes(wasi, program.args) },
  };
  const unknown = WebAssembly.Module.imports(module).find(
    (wanted) => !Object.hasOwn(given[wanted.module] ?? {}, wanted.name),
  );
  if (unknown !== undefined) throw refusal(`${name} imports ${unknown.name} of ${unknown.module}`);
  let instance: WebAssembly.Instance;
  try {
    instance = new WebAssembly.Instance(module, given as WebAssembly.Imports);
  } catch (cause) {
    throw refusal(`${name}: ${(cause as Error).message}`, cause);
  }
  const { _start, memory } = instance.exports;
  if (typeof _start !== "function") throw refusal(`${name} exports no _start`);
  if (!(memory instanceof WebAssembly.Memory)) throw refusal(`${name} exports no memory`);
  return instance as unknown as Startable;
}

/** `args_sizes_get`, in bytes of UTF-8: the shim's counts the units of UTF-16. */
function argsSizes(
  wasi: InstanceType<Shim["WASI"]>,
  args: readonly string[],
): (countAt: number, sizeAt: number) => number {
  const size = args.reduce((sum, arg) => sum + Buffer.byteLength(arg) + 1, 0);
  return (countAt, sizeAt) => {
    const view = new DataView(wasi.inst.exports.memory.buffer);
    view.setUint32(countAt, args.length, true);
    view.setUint32(sizeAt, size, true);
    return 0;
  };
}
