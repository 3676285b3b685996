/** Devices in memory and in files: the contract, and what each refuses. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { RESULT } from "../../src/devices/device.js";
import { FileDevice, probeSize } from "../../src/devices/file.js";
import { MemoryDevice } from "../../src/devices/memory.js";
import type { DocteurError } from "../../src/errors.js";
import { deviceContract } from "../contract/devices.js";

const folder = mkdtempSync(join(tmpdir(), "docteur-devices-"));
after(() => rmSync(folder, { recursive: true }));

let fileCount = 0;
function file(bytes: Uint8Array): string {
  const path = join(folder, `image-${fileCount++}`);
  writeFileSync(path, bytes);
  return path;
}

deviceContract("memory", (bytes, blockSize) => new MemoryDevice(bytes, blockSize));
deviceContract("file", (bytes, blockSize) => new FileDevice(file(bytes), blockSize));

function refusal(code: string, message: string): (error: DocteurError) => boolean {
  return (error) => {
    assert.deepEqual([error.code, error.message], [code, message]);
    return true;
  };
}

test("a size that is no whole number of blocks is refused", () => {
  const path = file(new Uint8Array(1536));
  const expected = refusal(
    "InvalidArgument",
    `${path}: Backing storage size must be block aligned (1024 bytes)`,
  );
  assert.throws(() => new FileDevice(path, 1024), expected);
  const inMemory = refusal(
    "InvalidArgument",
    "image: Backing storage size must be block aligned (512 bytes)",
  );
  assert.throws(() => new MemoryDevice(new Uint8Array(513)), inMemory);
});

test("a device has one block at least", () => {
  for (const size of [0, 1, 511]) {
    const path = file(new Uint8Array(size));
    const why = "Backing storage must be at least 1 block (512 bytes) in size";
    assert.throws(() => new FileDevice(path), refusal("InvalidArgument", `${path}: ${why}`));
    assert.throws(() => new MemoryDevice(new Uint8Array(size)), refusal("InvalidArgument", `image: ${why}`));
  }
});

test("a block size is a power of two, at least 512", () => {
  const path = file(new Uint8Array(4096));
  for (const size of [0, 1, 256, 511, 513, 1000, -512, 1024.5, Number.NaN, 2 ** 31]) {
    const expected = refusal("InvalidArgument", `Block size ${size} is not a power of two, at least 512`);
    assert.throws(() => new MemoryDevice(new Uint8Array(4096), size), expected);
    assert.throws(() => new FileDevice(path, size), expected);
  }
});

test("a file that is not there is refused", () => {
  const path = join(folder, "nowhere");
  const message = `Could not open block device: ${path}: no such file or directory`;
  assert.throws(() => new FileDevice(path), refusal("Io", message));
});

test("a directory is refused", () => {
  const path = join(folder, "directory");
  mkdirSync(path);
  assert.throws(
    () => new FileDevice(path),
    refusal("Io", `Could not open block device: ${path}: is a directory`),
  );
});

test("a FIFO that no one writes is refused at once", () => {
  const path = join(folder, "fifo");
  execFileSync("mkfifo", [path]);
  const why = "is neither a regular file nor a block device";
  assert.throws(() => new FileDevice(path), refusal("Io", `Could not open block device: ${path}: ${why}`));
});

test("a character device is refused", () => {
  const why = "is neither a regular file nor a block device";
  assert.throws(
    () => new FileDevice("/dev/zero"),
    refusal("Io", `Could not open block device: /dev/zero: ${why}`),
  );
});

test("a file that becomes shorter under the device is a failure, which says why", () => {
  const path = file(new Uint8Array(2048));
  const device = new FileDevice(path);
  truncateSync(path, 600);
  assert.equal(device.read(0, new Uint8Array(512)), RESULT.OK);
  assert.equal(device.read(512, new Uint8Array(512)), RESULT.EUNSPEC);
  assert.equal((device.failure as DocteurError).message, `${path}: file became shorter`);
  device.close();
});

test("a closed file device fails", () => {
  const device = new FileDevice(file(new Uint8Array(512)));
  device.close();
  assert.equal(device.read(0, new Uint8Array(512)), RESULT.EUNSPEC);
});

test("reads do not depend on where they go: past 4 GiB in a sparse file", () => {
  const path = file(new Uint8Array(0));
  truncateSync(path, 5 * 2 ** 30);
  const device = new FileDevice(path);
  assert.equal(device.capacity, 5 * 2 ** 30);
  const target = new Uint8Array(512).fill(1);
  assert.equal(device.read(5 * 2 ** 30 - 512, target), RESULT.OK);
  assert.ok(target.every((byte) => byte === 0));
  device.close();
});

test("a size is found by reading alone, as a block device needs", () => {
  for (const size of [0, 1, 2, 3, 511, 512, 513, 4095, 65536, 1000003, 3 * 2 ** 30 + 512]) {
    const path = file(new Uint8Array(0));
    truncateSync(path, size);
    const fd = openSync(path, "r");
    try {
      assert.equal(probeSize(fd), size);
    } finally {
      closeSync(fd);
    }
  }
});
