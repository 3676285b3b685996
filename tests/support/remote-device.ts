/** A remote device over a source that answers as a test says, with a clock that the test moves. */
import assert from "node:assert/strict";
import { RemoteDevice, type RemoteOptions } from "../../src/devices/remote.js";
import { RESULT } from "../../src/index.js";
import { ManualClock } from "./manual-clock.js";
import { ScriptedSource } from "./scripted-source.js";

export const PAGE = 4096;

/** Lets everything run that waits for nothing but its turn. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 3; count++) await new Promise((resolve) => setImmediate(resolve));
}

export interface Setup {
  source: ScriptedSource;
  device: RemoteDevice;
  clock: ManualClock;
  /** Reads a sector of a page, or several pages from their start. */
  read(page: number, pages?: number): number;
}

export function setUp(pageCount: number, options: RemoteOptions = {}): Setup {
  const source = new ScriptedSource(pageCount * PAGE);
  const clock = new ManualClock();
  const device = new RemoteDevice(source, { pageSize: PAGE, ...options }, { clock });
  const read = (page: number, pages?: number): number => {
    const target = new Uint8Array(pages === undefined ? 512 : pages * PAGE);
    const result = device.read(page * PAGE, target);
    if (result === RESULT.OK)
      assert.deepEqual(target, source.bytes.subarray(page * PAGE, page * PAGE + target.length));
    return result;
  };
  return { source, device, clock, read };
}
