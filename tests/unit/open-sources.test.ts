/** Whatever an image can be opened from: each gives the same files, is closed with the volume, and says what is wrong with it. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open as openFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { blobSource, fileHandleSource } from "../../src/devices/blob.js";
import { type SyncHandle, SyncHandleDevice } from "../../src/devices/sync-handle.js";
import { type DocteurError, type ImageSource, MemoryDevice, open, RESULT } from "../../src/index.js";
import { deviceContract } from "../contract/devices.js";
import { sourceContract } from "../contract/sources.js";
import { richImage } from "../support/rich-image.js";

const RICH = richImage(200_000);
const IMAGE = Uint8Array.from(RICH.image);
const folder = mkdtempSync(join(tmpdir(), "docteur-open-"));
after(() => rmSync(folder, { recursive: true }));

let fileCount = 0;
function fileOf(bytes: Uint8Array): string {
  const path = join(folder, `image-${fileCount++}.img`);
  writeFileSync(path, bytes);
  return path;
}

const handles: FileHandle[] = [];
async function handleOf(bytes: Uint8Array): Promise<FileHandle> {
  const handle = await openFile(fileOf(bytes), "r");
  handles.push(handle);
  return handle;
}

/** A handle as workers have it. */
class FakeSyncHandle implements SyncHandle {
  readonly #bytes: Uint8Array;
  isClosed = false;
  /** Bytes that one read gives at the most. */
  most = Number.POSITIVE_INFINITY;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get [Symbol.toStringTag](): string {
    return "FileSystemSyncAccessHandle";
  }

  getSize(): number {
    return this.#bytes.length;
  }

  read(buffer: Uint8Array, { at }: { at: number }): number {
    if (this.isClosed) throw new Error("InvalidStateError");
    const part = this.#bytes.subarray(at, at + Math.min(buffer.length, this.most));
    buffer.set(part);
    return part.length;
  }

  close(): void {
    this.isClosed = true;
  }
}

function fileSystemHandle(bytes: Uint8Array): { getFile(): Promise<Blob> } {
  const handle = { getFile: async () => new Blob([Uint8Array.from(bytes)]) };
  return Object.assign(handle, { [Symbol.toStringTag]: "FileSystemFileHandle" });
}

function shared(bytes: Uint8Array): SharedArrayBuffer {
  const buffer = new SharedArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}

const own = (bytes: Uint8Array): ImageSource => ({
  size: bytes.length,
  read: async (offset: number, length: number) => bytes.slice(offset, offset + length),
});

sourceContract("Blob", (bytes) => blobSource(new Blob([Uint8Array.from(bytes)])));
sourceContract("FileHandle", async (bytes) => fileHandleSource(await handleOf(bytes)));
deviceContract(
  "sync access handle",
  (bytes, blockSize) => new SyncHandleDevice(new FakeSyncHandle(bytes), blockSize),
);

/** Sources, by how they are called; whether they can be opened again. */
const SOURCES: Record<
  string,
  [make: (bytes: Uint8Array) => ImageSource | Promise<ImageSource>, again: boolean]
> = {
  "a path": [fileOf, true],
  "a file: URL": [(bytes) => pathToFileURL(fileOf(bytes)), true],
  "a file: URL in a string": [(bytes) => pathToFileURL(fileOf(bytes)).href, true],
  "a Uint8Array": [(bytes) => bytes, true],
  "a Buffer": [(bytes) => Buffer.from(bytes), true],
  "an ArrayBuffer": [(bytes) => Uint8Array.from(bytes).buffer, true],
  "a SharedArrayBuffer": [shared, true],
  "bytes in shared memory": [(bytes) => new Uint8Array(shared(bytes)), true],
  "a Blob": [(bytes) => new Blob([Uint8Array.from(bytes)]), true],
  "a File": [(bytes) => new File([Uint8Array.from(bytes)], "disk.img"), true],
  "a Response": [(bytes) => new Response(Uint8Array.from(bytes)), false],
  "a FileHandle": [handleOf, false],
  "a FileSystemFileHandle": [fileSystemHandle, true],
  "a sync access handle": [(bytes) => new FakeSyncHandle(bytes), false],
  "a source of ranges": [own, false],
  "a block device": [(bytes) => new MemoryDevice(bytes), false],
};

for (const [name, [make, again]] of Object.entries(SOURCES)) {
  test(`an image is opened from ${name}`, async () => {
    const source = await make(IMAGE);
    const volume = await open(source);
    assert.equal(volume.commit.oid, RICH.commit);
    for (const [path, content] of RICH.files)
      assert.deepEqual(Buffer.from(await volume.get(path)), content, path);
    if (again) {
      const other = await volume.reopen();
      assert.deepEqual(await other.get("/run"), new Uint8Array(RICH.files.get("/run")!));
      await other.close();
    } else await assert.rejects(volume.reopen(), { code: "InvalidArgument", message: /can be opened once$/ });
    await volume.close();
    await assert.rejects(volume.get("/run"), { code: "Closed" });
  });

  test(`${name} of an image that was cut short is refused`, async () => {
    for (const length of [0, 100, 512 * 3 + 1])
      if (length >= 512 || name !== "a block device")
        await assert.rejects(
          async () => open(await make(IMAGE.subarray(0, length))),
          (error: DocteurError) => {
            assert.ok(["Truncated", "InvalidArgument"].includes(error.code), error.code);
            return true;
          },
        );
  });
}

test("handles are closed with the volume, and where opening fails", async () => {
  for (const bytes of [IMAGE, IMAGE.subarray(0, 1000), new Uint8Array(1024)]) {
    const sync = new FakeSyncHandle(bytes);
    const handle = await handleOf(bytes);
    let closed = 0;
    const source = { size: bytes.length, read: async () => new Uint8Array(0), close: () => void closed++ };
    for (const given of [sync, handle, source]) {
      const volume = await open(given as ImageSource, { retries: 0 }).catch(() => undefined);
      await volume?.close();
    }
    assert.ok(sync.isClosed);
    assert.equal(handle.fd, -1);
    assert.equal(closed, 1);
  }
  for (const handle of handles) await handle.close();
});

test("a Response that is not the whole of a file is refused", async () => {
  const body = new Uint8Array(1024);
  for (const status of [206, 404, 500])
    await assert.rejects(open(new Response(body, { status })), {
      code: "Io",
      message: `cannot open the Response: its status is ${status}, not 200`,
    });
  const read = new Response(body);
  await read.arrayBuffer();
  await assert.rejects(open(read), { code: "InvalidArgument", message: /its body has been read$/ });
  const broken = new Response(
    new ReadableStream({
      pull() {
        throw new Error("reset");
      },
    }),
  );
  await assert.rejects(open(broken), { code: "Network", message: /reset$/ });
});

test("a FileHandle of a directory is refused, and a file that becomes shorter is a failure", async () => {
  await assert.rejects(open(await openFile(folder)), {
    code: "InvalidArgument",
    message: "cannot open the open file: it is not a regular file",
  });
  const path = fileOf(IMAGE);
  const volume = await open(await openFile(path), { pageSize: 4096 });
  writeFileSync(path, IMAGE.subarray(0, 8192));
  await assert.rejects(volume.get("/large/whole"), {
    code: "DeviceFailed",
    message: /the device failed to read.*the open file became shorter/,
  });
  await volume.close();
});

test("a sync access handle may read in parts, and a failure of it is one of the device", () => {
  const handle = new FakeSyncHandle(IMAGE);
  handle.most = 100;
  const device = new SyncHandleDevice(handle);
  const target = new Uint8Array(1024);
  assert.equal(device.read(512, target), RESULT.OK);
  assert.deepEqual(target, IMAGE.subarray(512, 1536));
  handle.most = 0;
  assert.equal(device.read(512, target), RESULT.EUNSPEC);
  handle.close();
  assert.equal(device.read(512, target), RESULT.EUNSPEC);
  assert.match(String(device.failure), /InvalidStateError/);
});

test("what an image cannot be opened from is refused, and what can is said", async () => {
  const things: unknown[] = [
    undefined,
    null,
    42,
    true,
    10n,
    Symbol("image"),
    () => IMAGE,
    [],
    {},
    new Map(),
    new Date(),
    Promise.resolve(IMAGE),
    new DataView(new ArrayBuffer(512)),
    new Uint16Array(512),
    new Request("http://host.invalid/"),
    new ReadableStream(),
    { size: 512 },
    { read: async () => IMAGE },
    { size: Number.NaN, read: async () => IMAGE },
    { size: -512, read: async () => IMAGE },
    { blockSize: 500, capacity: 1000, read: () => 0 },
  ];
  for (const thing of things)
    await assert.rejects(open(thing as ImageSource), (error: DocteurError) => {
      assert.equal(error.name, "DocteurError");
      assert.equal(error.code, "InvalidArgument");
      assert.ok(error.hint, String(error));
      return true;
    });
  for (const url of ["ftp://host/a", "nowhere://x", "data://x"])
    await assert.rejects(open(url), {
      code: "InvalidArgument",
      hint: /^the schemes that it knows are file:, http:, https:/,
    });
});

test("options of devices are checked", async () => {
  for (const options of [
    { pageSize: 1000 },
    { pageSize: 2048 },
    { pageSize: 1 << 25 },
    { cacheSize: -1 },
    { timeout: 0 },
    { timeout: Number.POSITIVE_INFINITY },
    { retries: 1.5 },
    { concurrency: 0 },
    { fetch: "fetch" },
    { headers: 7 },
    { sign: "x" },
    { maxDownload: "1" },
    { pagesize: 4096 },
  ])
    await assert.rejects(open(IMAGE, options as never), { code: "InvalidArgument" }, JSON.stringify(options));
});
