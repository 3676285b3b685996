/** What the tender reads of a module's bytes, the cap that it writes into them, and bytes that are no module. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { DocteurError } from "../../src/errors.js";
import { capModule } from "../../src/tender/cap-module.js";
import { PAGE, readModuleShape } from "../../src/tender/wasm-module.js";
import { guestBytes, leb } from "../support/guest-bytes.js";
import { guestPath } from "../support/programs.js";
import { seeded } from "../support/random.js";

/** The most pages that a module's memory grows to, found by growing it. */
function growsTo(bytes: Uint8Array): number {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const memory = instance.exports.memory as WebAssembly.Memory;
  for (;;) {
    try {
      memory.grow(1);
    } catch {
      return memory.buffer.byteLength / PAGE;
    }
  }
}

function capped(memory: number[], limit: number): number {
  const bytes = guestBytes({ memory });
  return growsTo(capModule(bytes, readModuleShape(bytes), limit));
}

test("the shape of a module", () => {
  const shape = readModuleShape(
    guestBytes({
      imports: [{ module: "solo5", name: "block_read", type: [["i64", "i64", "i32", "i32"], ["i32"]] }],
    }),
  );
  assert.deepEqual(shape.imports, [
    { kind: "function", module: "solo5", name: "block_read", type: "(i64, i64, i32, i32) -> i32" },
  ]);
  assert.deepEqual(
    shape.exports.map(({ kind, name, type }) => [kind, name, type]),
    [
      ["memory", "memory", ""],
      ["function", "solo5_app_main", "() -> i32"],
    ],
  );
  assert.equal(shape.memory?.minimum, 1);
  assert.equal(shape.memory?.maximum, undefined);
});

test("a memory without a maximum gets one", () => {
  assert.equal(capped([1, 0, 1], 7 * PAGE), 7);
  assert.equal(capped([1, 0, 1], 200 * PAGE), 200);
  assert.equal(capped([1, 0, 1], PAGE), 1);
});

test("a maximum above the cap is lowered, one below it stays", () => {
  assert.equal(capped([1, 1, 1, ...leb(65536)], 5 * PAGE), 5);
  assert.equal(capped([1, 1, 1, 3], 5 * PAGE), 3);
});

test("a cap that is no whole number of pages counts the whole ones", () => {
  assert.equal(capped([1, 0, 1], 3 * PAGE - 1), 2);
});

test("a memory that begins above the cap is refused", () => {
  const message = "guest needs 256 KB of memory, more than the 192 KB it may have";
  assert.throws(() => capped([1, 0, 4], 3 * PAGE), { code: "BadGuest", message });
});

test("capping keeps the rest of a module", () => {
  const bytes = readFileSync(guestPath("memory-test"));
  const result = capModule(bytes, readModuleShape(bytes), 3 << 20);
  const module = new WebAssembly.Module(result as BufferSource);
  assert.equal(WebAssembly.Module.customSections(module, "solo5.manifest").length, 1);
  assert.equal(readModuleShape(result).memory?.maximum, 48);
});

test("shared, 64-bit and second memories are refused", () => {
  for (const memory of [
    [1, 3, 1, 2],
    [1, 4, 1],
    [1, 2, 1],
  ])
    assert.throws(() => readModuleShape(guestBytes({ memory })), /unsupported limits \(shared, or 64-bit\)/);
  assert.throws(() => readModuleShape(guestBytes({ memory: [2, 0, 1, 0, 1] })), /more than one memory/);
});

test("what is no core module is refused", () => {
  const notWasm = { code: "BadGuest", message: "not a WebAssembly module" };
  for (const bytes of [[], [0], [0, 0x61, 0x73, 0x6d], [...Buffer.from("\x7fELF\x02\x01\x01\x00")]])
    assert.throws(() => readModuleShape(Uint8Array.from(bytes)), notWasm);
  assert.throws(() => readModuleShape(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)), {
    message: "not a WebAssembly core module of version 1 (0x1000d)",
  });
});

test("every prefix of a module, and any byte of it changed, gives a shape or a typed refusal", () => {
  const bytes = readFileSync(guestPath("hello"));
  const check = (mutant: Uint8Array): void => {
    try {
      const shape = readModuleShape(mutant);
      capModule(mutant, shape, 1 << 20);
    } catch (error) {
      assert.equal((error as DocteurError).code, "BadGuest", String((error as Error).stack));
    }
  };
  for (let length = 0; length < bytes.length; length++) check(bytes.subarray(0, length));
  const random = seeded(3);
  for (let round = 0; round < 3000; round++) {
    const mutant = Uint8Array.from(bytes);
    mutant[random(300)] = random(256);
    check(mutant);
  }
});

/** How far the tables of a capped guest grow, found by growing each in turn by `step`. */
function tablesGrowTo(tables: number[], limit: number): number[] {
  const count = tables[0]!;
  const exports = Array.from({ length: count }, (_, index) => ({ name: `t${index}`, kind: 1, index }));
  const bytes = guestBytes({ tables, exports });
  const capped = capModule(bytes, readModuleShape(bytes), limit);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(capped as BufferSource));
  return exports.map(({ name }) => {
    const table = instance.exports[name] as WebAssembly.Table;
    for (;;) {
      try {
        table.grow(1);
      } catch {
        return table.length;
      }
    }
  });
}

const FUNCREF = 0x70;
const EXTERNREF = 0x6f;

test("tables grow no further than the memory limit allows, all of them together", () => {
  const limit = 256 * 256;
  assert.deepEqual(tablesGrowTo([1, FUNCREF, 0, 0], limit), [256]);
  assert.deepEqual(tablesGrowTo([1, FUNCREF, 1, 7, ...leb(1_000_000)], limit), [256]);
  assert.deepEqual(tablesGrowTo([1, FUNCREF, 1, 7, 9], limit), [9]);
  assert.deepEqual(tablesGrowTo([2, FUNCREF, 0, 0, EXTERNREF, 0, 10], limit), [123, 133]);
  // A modest one gets what it declares, and leaves the rest to the others.
  assert.deepEqual(
    tablesGrowTo([3, FUNCREF, 0, 0, FUNCREF, 1, 0, 10, EXTERNREF, 0, 0], limit),
    [123, 10, 123],
  );
});

function refusal(parts: Parameters<typeof guestBytes>[0], limit = 1 << 20): string {
  const bytes = guestBytes(parts);
  assert.ok(WebAssembly.validate(bytes));
  try {
    capModule(bytes, readModuleShape(bytes), limit);
  } catch (error) {
    assert.equal((error as DocteurError).code, "BadGuest");
    return (error as DocteurError).message;
  }
  return "";
}

test("tables that begin larger than they may be are refused", () => {
  const message = "guest needs 4097 table elements, more than the 4096 it may have";
  assert.equal(refusal({ tables: [1, FUNCREF, 0, ...leb(4096)] }), "");
  assert.equal(refusal({ tables: [1, FUNCREF, 0, ...leb(4097)] }), message);
  assert.equal(refusal({ tables: [2, FUNCREF, 0, ...leb(4000), EXTERNREF, 0, 97] }), message);
});

test("too many global variables are refused", () => {
  const globals = (count: number): number[] => [
    ...leb(count),
    ...Array.from({ length: count }, () => [0x7f, 0, 0x41, 0, 0x0b]).flat(),
  ];
  assert.equal(refusal({ globals: globals(10_000) }), "");
  const message = "guest has 10001 global variables, more than the 10000 it may have";
  assert.equal(refusal({ globals: globals(10_001) }), message);
});

test("a small function with many local variables and places to jump to is refused", () => {
  const body = [...Array(700).fill([0x02, 0x40, 0x0b]).flat(), 0x41, 0];
  assert.equal(refusal({ locals: 20_000, body }), "");
  assert.match(refusal({ locals: 50_000, body }), /^function 0 has 50000 local variables in 2\d\d\d bytes/);
});

test("sections of tables that the cap could make valid are refused", () => {
  const refused = (tables: number[], message: RegExp): void =>
    assert.throws(() => readModuleShape(guestBytes({ tables })), message);
  refused([1, FUNCREF, 0, 1, 0, 0], /table section longer than what it holds/);
  refused([1, FUNCREF, 1, 5, 4], /maximum of a table below its minimum/);
  refused([1, 0x40, 0, FUNCREF, 0, 1, 0xd0, FUNCREF, 0x0b], /unsupported type of a table/);
  refused([1, FUNCREF, 4, 1], /unsupported limits/);
});
