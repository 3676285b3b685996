/** The tender as an embedder has it: outcomes, hypercalls against hostile guests and devices, and what runs before what. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { HYPERCALL_TYPES } from "../../src/tender/hypercalls.js";
import {
  type BlockDevice,
  loadGuest,
  MemoryDevice,
  type Outcome,
  RESULT,
  run,
} from "../../src/tender/index.js";
import {
  ABI,
  type GuestParts,
  guestBytes,
  manifestOf,
  RETURN_42,
  type Signature,
} from "../support/guest-bytes.js";
import { distPath, guestPath } from "../support/programs.js";

const EXIT: { module: string; name: string; type: Signature } = {
  module: "solo5",
  name: "exit",
  type: [["i32"], []],
};

function sectionsFor(...names: string[]): NonNullable<GuestParts["sections"]> {
  return [
    ["solo5.abi", ABI],
    ["solo5.manifest", manifestOf(...names)],
  ];
}

/** An image whose every 512 bytes begin with their number. */
function numbered(count: number): Uint8Array {
  const bytes = new Uint8Array(count * 512);
  for (let index = 0; index < count; index++) new DataView(bytes.buffer).setUint32(index * 512, index, true);
  return bytes;
}

function runGuest(
  name: string,
  args: string[] = [],
  devices: Record<string, BlockDevice> = {},
): [Outcome, string] {
  const chunks: Uint8Array[] = [];
  const outcome = run(readFileSync(guestPath(name)), {
    args,
    devices,
    console: (bytes) => chunks.push(bytes),
  });
  return [outcome, Buffer.concat(chunks).toString()];
}

for (const build of ["", ".simd"]) {
  for (const blockSize of [512, 1024, 8192, 32768])
    test(`guest block-test${build}: blocks of ${blockSize}`, () => {
      const devices = {
        storage: new MemoryDevice(numbered(128), blockSize),
        other: new MemoryDevice(numbered(1)),
      };
      assert.deepEqual(runGuest(`block-test${build}`, [], devices), [{ status: 0, cause: "exit" }, ""]);
    });

  test(`guest bounds-test${build}: pointers and lengths that are not the guest's`, () => {
    const devices = { storage: new MemoryDevice(numbered(2).fill(7)) };
    const expected = [{ status: 0, cause: "exit" }, "storage"];
    assert.deepEqual(runGuest(`bounds-test${build}`, ["some", "arguments"], devices), expected);
  });

  test(`guest time-test${build}: clocks and yield`, () => {
    assert.deepEqual(runGuest(`time-test${build}`), [{ status: 0, cause: "exit" }, ""]);
  });
}

test("guest exit-test: every way to end", () => {
  const outcome = (...args: string[]): Outcome => runGuest("exit-test", args)[0];
  assert.deepEqual(outcome("return", "7"), { status: 7, cause: "exit" });
  assert.deepEqual(outcome("return", "-1"), { status: -1, cause: "exit" });
  assert.deepEqual(outcome("exit", "0"), { status: 0, cause: "exit" });
  assert.deepEqual(outcome("exit", "300"), { status: 300, cause: "exit" });
  assert.deepEqual(outcome("abort"), { status: 255, cause: "abort" });
  for (const trap of ["unreachable", "bounds", "stack", "divide"]) {
    const { status, cause, reason } = outcome(trap);
    assert.deepEqual([status, cause], [255, "trap"], trap);
    assert.match(reason ?? "", /^[^\n]+$/);
  }
});

test("guest memory-test: the cap holds while it runs", () => {
  const bytes = readFileSync(guestPath("memory-test"));
  for (const pages of [1, 2, 17, 300]) {
    let text = "";
    const options = { memoryLimit: pages * 65536, console: (out: Uint8Array) => (text += Buffer.from(out)) };
    assert.equal(run(bytes, options).status, 0);
    assert.equal(text, `${pages}\n`);
  }
});

test("a loaded guest runs again and again, each time afresh", () => {
  const guest = loadGuest(readFileSync(guestPath("block-test")));
  for (let round = 0; round < 3; round++) {
    const devices = { storage: new MemoryDevice(numbered(16)), other: new MemoryDevice(numbered(1)) };
    assert.equal(run(guest, { devices }).status, 0);
  }
  const late = { message: "a loaded guest's memory limit is set: pass it to loadGuest" };
  assert.throws(() => run(guest, { memoryLimit: 1 << 20 }), late);
});

test("a guest may come in an ArrayBuffer or in a view of one", () => {
  const bytes = guestBytes();
  assert.equal(run(bytes.buffer).status, 42);
  const padded = new Uint8Array(bytes.length + 20);
  padded.set(bytes, 10);
  assert.equal(run(padded.subarray(10, 10 + bytes.length)).status, 42);
  assert.equal(run(new DataView(padded.buffer, 10, bytes.length)).status, 42);
});

test("exit does not return, also from the start function", () => {
  const start = [0x41, 7, 0x10, 0, 0x00]; // i32.const 7, call exit, unreachable
  assert.deepEqual(run(guestBytes({ imports: [EXIT], start })), { status: 7, cause: "exit" });
  assert.deepEqual(run(guestBytes({ imports: [EXIT], body: [...start, ...RETURN_42] })), {
    status: 7,
    cause: "exit",
  });
});

test("a trap in the start function is the guest's end", () => {
  assert.deepEqual(run(guestBytes({ start: [0x00] })), { status: 255, cause: "trap", reason: "unreachable" });
});

test("no pointer is valid before the guest's memory is known", () => {
  const acquire: [string[], string[]] = [["i32", "i32", "i32", "i32"], ["i32"]];
  const imports = [EXIT, { module: "solo5", name: "block_acquire", type: acquire as Signature }];
  const zero = [0x41, 0];
  const start = [...zero, ...zero, ...zero, ...zero, 0x10, 1, 0x10, 0]; // exit(block_acquire(0, 0, 0, 0))
  assert.deepEqual(run(guestBytes({ imports, start })), { status: RESULT.EINVAL, cause: "exit" });
});

test("no instruction of a refused guest runs", () => {
  const start = [0x41, 7, 0x10, 0];
  const guest = guestBytes({ imports: [EXIT], start, sections: sectionsFor("docteur") });
  assert.throws(() => run(guest), { code: "BadGuest" });
});

/** A guest that acquires `docteur` and exits with what its first read of 512 bytes answers. */
function readingGuest(): Uint8Array<ArrayBuffer> {
  const imports = [
    EXIT,
    { module: "solo5", name: "block_acquire", type: [["i32", "i32", "i32", "i32"], ["i32"]] as Signature },
    { module: "solo5", name: "block_read", type: [["i64", "i64", "i32", "i32"], ["i32"]] as Signature },
  ];
  // Its one device is named "a", which it puts at 0 with an i32.store8.
  const body = [0x41, 0, 0x41, 0xe1, 0, 0x3a, 0, 0];
  body.push(0x41, 0, 0x41, 1, 0x41, 8, 0x41, 16, 0x10, 1, 0x1a);
  body.push(0x42, 0, 0x42, 0, 0x41, 0x80, 4, 0x41, 0x80, 4, 0x10, 2);
  return guestBytes({ imports, body, sections: sectionsFor("a") });
}

test("what a device answers, and what a guest is told", () => {
  const device = (read: BlockDevice["read"]): Record<string, BlockDevice> => ({
    a: { blockSize: 512, capacity: 512, read },
  });
  const answers: [BlockDevice["read"], number][] = [
    [() => RESULT.OK, RESULT.OK],
    [() => RESULT.EINVAL, RESULT.EINVAL],
    [() => RESULT.EUNSPEC, RESULT.EUNSPEC],
    [() => RESULT.AGAIN, RESULT.EUNSPEC],
    [() => 99 as never, RESULT.EUNSPEC],
    [() => undefined as never, RESULT.EUNSPEC],
    [
      () => {
        throw new Error("a device must not throw");
      },
      RESULT.EUNSPEC,
    ],
  ];
  for (const [read, status] of answers)
    assert.deepEqual(run(readingGuest(), { devices: device(read) }), { status, cause: "exit" });
});

test("a device that breaks its contract is refused", () => {
  const read = (): 0 => RESULT.OK;
  const refused = (blockSize: number, capacity: number): void => {
    const devices = { a: { blockSize, capacity, read } };
    assert.throws(
      () => run(readingGuest(), { devices }),
      { code: "InvalidArgument" },
      `${blockSize} ${capacity}`,
    );
  };
  refused(500, 1000);
  refused(256, 512);
  refused(512, 0);
  refused(512, 513);
  refused(1024, 512);
  refused(512, Number.POSITIVE_INFINITY);
  refused(512, Number.NaN);
});

test("a console that throws ends the guest, so that its output has no holes", () => {
  const console = (): void => {
    throw new Error("closed");
  };
  const expected = { status: 8, cause: "console", reason: "closed" };
  assert.deepEqual(run(readFileSync(guestPath("hello")), { console }), expected);
});

test("what a console keeps does not change under it", () => {
  let kept: Uint8Array | undefined;
  run(readFileSync(guestPath("hello")), { console: (bytes) => (kept ??= bytes) });
  assert.equal(new TextDecoder().decode(kept), "Hello, World\nCommand line is: ''\n");
});

test("a memory limit below a page is refused", () => {
  for (const memoryLimit of [0, 65535, -1, Number.NaN])
    assert.throws(() => run(guestBytes(), { memoryLimit }), { code: "InvalidArgument" });
});

const WASI_NAMES = [
  "args_get",
  "args_sizes_get",
  "fd_filestat_get",
  "fd_pread",
  "fd_prestat_dir_name",
  "fd_prestat_get",
  "fd_write",
  "path_filestat_get",
  "path_open",
  "proc_exit",
];

/** What bundling replaces in a WASI guest: the block device. */
const BUNDLED_NAMES = ["block_acquire", "block_read"];

for (const file of readdirSync(distPath("guest")).filter((name) => name.endsWith(".wasm")))
  test(`${file} imports and exports what the ABI has, and nothing else`, () => {
    const module = new WebAssembly.Module(readFileSync(distPath(`guest/${file}`)));
    const isToBundle = file.includes(".bundled.");
    const isWasi = isToBundle || file.includes(".wasi.");
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      assert.equal(kind, "function");
      if (isToBundle && from === "solo5") assert.ok(BUNDLED_NAMES.includes(name), name);
      else {
        assert.equal(from, isWasi ? "wasi_snapshot_preview1" : "solo5");
        assert.ok(isWasi ? WASI_NAMES.includes(name) : Object.hasOwn(HYPERCALL_TYPES, name), name);
      }
    }
    const exports = WebAssembly.Module.exports(module).map(({ name }) => name);
    assert.deepEqual(exports.sort(), isWasi ? ["_start", "memory"] : ["memory", "solo5_app_main"]);
    if (!isWasi) loadGuest(readFileSync(distPath(`guest/${file}`)));
  });
