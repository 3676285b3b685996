/** A tender that lies to the guest `simple` in every hypercall, within the guest's memory. */
import { RESULT } from "../../src/devices/device.js";
import type { Random } from "./random.js";

/** Thrown through the frames of a guest that exits. */
class Exit {
  readonly status: number;

  constructor(status: number) {
    this.status = status;
  }
}

const SIZES = [
  0n,
  1n,
  511n,
  512n,
  1024n,
  65_536n,
  2n ** 24n,
  2n ** 32n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 512n,
  2n ** 64n - 1n,
];
const CALLS_MAX = 50_000;

/**
 * Runs the guest. A trap is thrown, and so is an error where it calls without end.
 * @param every one call in that many is answered with a lie
 */
export function runUnderTender(
  module: WebAssembly.Module,
  { cmdline, disk, random, every }: { cmdline: string; disk: Uint8Array; random: Random; every: number },
): { status: number; stdout: Buffer; lies: string[] } {
  const stdout: Buffer[] = [];
  const lies: string[] = [];
  const line = Buffer.from(cmdline);
  let memory: WebAssembly.Memory;
  let calls = 0;
  const bytes = (ptr: number, length: number): Uint8Array => new Uint8Array(memory.buffer, ptr >>> 0, length);
  const isLie = (what: string): boolean => {
    if (++calls > CALLS_MAX) throw new Error("calls without end");
    if (random(every) !== 0) return false;
    lies.push(what);
    return true;
  };
  const answer = (): number => [RESULT.AGAIN, RESULT.EINVAL, RESULT.EUNSPEC, 4, 16, 255, -1][random(7)]!;
  const solo5 = {
    console_write(buf: number, size: number): void {
      stdout.push(Buffer.from(bytes(buf, size)));
    },
    block_acquire(_name: number, _nameLen: number, handleOut: number, infoOut: number): number {
      if (isLie("block_acquire")) return answer();
      const view = new DataView(memory.buffer);
      view.setBigUint64(handleOut, isLie("handle") ? 2n ** 64n - 1n : 0n, true);
      view.setBigUint64(
        infoOut,
        isLie("capacity") ? SIZES[random(SIZES.length)]! : BigInt(disk.length),
        true,
      );
      view.setBigUint64(infoOut + 8, isLie("block size") ? SIZES[random(SIZES.length)]! : 512n, true);
      return RESULT.OK;
    },
    block_read(_handle: bigint, offset: bigint, buf: number, size: number): number {
      if (isLie("block_read")) return answer();
      const at = Number(BigInt.asUintN(64, offset));
      if (at + size > disk.length) return RESULT.EINVAL;
      bytes(buf, size).set(disk.subarray(at, at + size));
      return RESULT.OK;
    },
    cmdline_size(): number {
      return isLie("cmdline_size") ? [0, 1, 8192, 8193, -1, 0x7fffffff][random(6)]! : line.length;
    },
    cmdline_read(buf: number): void {
      if (isLie("cmdline_read")) return;
      bytes(buf, line.length).set(line);
    },
    clock_monotonic: (): bigint => 0n,
    clock_wall: (): bigint => 0n,
    yield: (): void => undefined,
    block_write: (): number => RESULT.EINVAL,
    exit(status: number): never {
      throw new Exit(status);
    },
    abort(): never {
      throw new Exit(255);
    },
  };
  const instance = new WebAssembly.Instance(module, { solo5 });
  memory = instance.exports.memory as WebAssembly.Memory;
  try {
    const status = (instance.exports.solo5_app_main as () => number)();
    return { status, stdout: Buffer.concat(stdout), lies };
  } catch (error) {
    if (error instanceof Exit) return { status: error.status, stdout: Buffer.concat(stdout), lies };
    (error as Error).message += ` (${lies.join("; ")})`;
    throw error;
  }
}
