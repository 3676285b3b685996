/** The core's ABI is one: AssemblyScript's statuses, structs and exports, TypeScript's copies, and docs/ABI.md agree. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  ABI_VERSION,
  BLOCK_READ,
  type CoreExports,
  FLAG,
  INFO,
  INPUT_MAX,
  LAYOUT_STATES,
  MODE,
  PROOF,
  PROOF_COLLISIONS,
  RESULT,
  STATS,
  STATUS,
} from "../../src/abi.js";
import { MESSAGES } from "../../src/messages.js";
import { HYPERCALL_TYPES } from "../../src/tender/hypercalls.js";
import { fixture } from "../support/fixtures.js";

const root = new URL("../../../", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), "utf8");
const page = read("docs/ABI.md");

/** Constants of one namespace of an AssemblyScript source. */
function constants(file: string, namespace: string): Map<string, number> {
  const [, body] = new RegExp(`export namespace ${namespace} \\{\\n(.*?)\\n\\}`, "s").exec(read(file)) ?? [];
  assert.ok(body !== undefined, `${namespace} of ${file}`);
  const rows = [...body.matchAll(/export const (\w+): [iu]32 = (\w+);/g)];
  return new Map(rows.map(([, name, value]) => [name!, Number(value)]));
}

/** Rows of the table below a heading, each as its cells. */
function tableBelow(heading: string): string[][] {
  const [, text] = new RegExp(`^#+ ${heading}\\n(.*?)(?=^#|$(?![\\s\\S]))`, "ms").exec(page) ?? [];
  assert.ok(text !== undefined, heading);
  return [...text.matchAll(/^\| (.*) \|$/gm)].map(([, row]) => row!.split(" | ")).slice(2);
}

/** As `DocteurError.code` spells a status of AssemblyScript's. */
function camelCase(name: string): string {
  return name.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

test("statuses have one number and one name everywhere", () => {
  const named: Record<string, string> = { OK: "Ok", EINVAL: "InvalidArgument", EUNSPEC: "DeviceFailed" };
  const core = [...constants("asm/base/status.ts", "Status")].map(
    ([name, value]) => [named[name] ?? camelCase(name), value] as const,
  );
  assert.deepEqual(Object.fromEntries(core), { ...STATUS });
  assert.deepEqual(Object.keys(MESSAGES).sort(), Object.keys(STATUS).slice(2).sort());
  const rows = [...page.matchAll(/^\| (\d+) \| `(\w+)` \| /gm)].filter(([, value]) => Number(value) >= 16);
  assert.deepEqual(
    Object.fromEntries(rows.map(([, value, name]) => [name, Number(value)])),
    Object.fromEntries(Object.entries(STATUS).filter(([, value]) => value >= 16)),
  );
});

test("flags, modes and levels of proof have one number everywhere", () => {
  const modes = constants("asm/volume/mount.ts", "Mode");
  for (const [name, value] of Object.entries(MODE)) assert.equal(modes.get(name.toUpperCase()), value, name);
  assert.equal(modes.size, Object.keys(MODE).length);
  const levels = constants("asm/objects/proof.ts", "Proof");
  for (const [name, value] of Object.entries(PROOF))
    assert.equal(levels.get(name.toUpperCase()), value, name);
  assert.equal(Math.max(...levels.values()), PROOF_COLLISIONS);
  const flags = /export namespace Flag \{(.*?)\n\}/s.exec(read("asm/volume/volume.ts"))![1]!;
  for (const name of Object.keys(FLAG)) assert.match(flags, new RegExp(`export const ${name}: u32`));
  assert.match(
    page,
    /Flags, added up: 1 follow symlinks, 2 the object's id is wanted, 4 sizes are wanted, 8 a listing needs\s+no\s+ids\./,
  );
  assert.deepEqual({ ...FLAG }, { FOLLOW: 1, OID: 2, SIZE: 4, NAMES: 8 });
});

/** Offsets of the result struct's fields, laid out as AssemblyScript lays out a class. */
function resultOffsets(): Map<string, number> {
  const [, body] = /export class Result \{\n(.*?)\n\}/s.exec(read("asm/volume/operation.ts"))!;
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const [, name, bits] of body!.matchAll(/^ {2}(\w+): u(32|64);/gm)) {
    const size = Number(bits) / 8;
    offset = Math.ceil(offset / size) * size;
    offsets.set(name === "oid0" ? "oid" : name!, offset);
    offset += size;
  }
  return offsets;
}

test("states of the layout section have one number everywhere", () => {
  const states = constants("asm/layout/footer.ts", "Layout");
  assert.deepEqual(
    [...states].map(([name, value]) => [name.toLowerCase(), value]),
    LAYOUT_STATES.map((name, value) => [name, value]),
  );
});

test("the result struct has the offsets that the host and the page give", () => {
  const offsets = resultOffsets();
  for (const [name, offset] of Object.entries(RESULT)) assert.equal(offsets.get(name), offset, name);
  const documented = tableBelow("The result struct, 80 bytes").map(([offset]) => Number(offset));
  const fields = [...offsets].filter(([name]) => !/^oid[12]$|^reserved/.test(name));
  assert.deepEqual(
    documented,
    fields.map(([, offset]) => offset).sort((a, b) => a - b),
  );
});

test("what was mounted has the offsets that the host and the page give", () => {
  assert.deepEqual(
    tableBelow("What was mounted, 52 bytes").map(([offset]) => Number(offset)),
    Object.values(INFO),
  );
});

test("the page lists the exports of the built core, with their parameters", () => {
  for (const build of ["dist/core.wasm", "dist/core.simd.wasm"]) {
    const module = new WebAssembly.Module(readFileSync(new URL(build, root)));
    assert.deepEqual(WebAssembly.Module.imports(module), [
      { module: "solo5", name: "block_read", kind: "function" },
    ]);
    const { exports } = new WebAssembly.Instance(module, { solo5: { block_read: () => 3 } });
    const documented = new Map<string, number | undefined>([["memory", undefined]]);
    for (const [cell] of tableBelow("Exports"))
      for (const [, name, parameters] of cell!.matchAll(/`(\w+)(?:\(([^)]*)\))?(?::| →|`)/g))
        documented.set(
          name!,
          parameters === undefined ? undefined : parameters === "" ? 0 : parameters.split(",").length,
        );
    assert.deepEqual([...documented.keys()].sort(), Object.keys(exports).sort());
    for (const [name, value] of Object.entries(exports))
      if (typeof value === "function") assert.equal(documented.get(name), value.length, name);
    assert.equal((exports.ABI_VERSION as WebAssembly.Global).value, ABI_VERSION);
  }
});

test("the page lists the hypercalls that the tender has", () => {
  const documented = [...page.matchAll(/^\| `(\w+)` \| \(.*?\)(?: → i\d+)? \|/gm)].map(([, name]) => name!);
  assert.deepEqual(documented.sort(), Object.keys(HYPERCALL_TYPES).sort());
});

test("what the page says of input and stats is what the host has", () => {
  assert.match(page, new RegExp(`\\| \`input\\(\\) → ptr\` \\| ${INPUT_MAX} bytes `));
  const [, fields] = /\| `stats\(\) → ptr` \| eleven u64: (.*?) \|/.exec(page)!;
  assert.equal(fields!.split(", ").length, STATS.length);
});

test("an embedder reads a file with these constants and the built core alone", () => {
  const image = fixture("tiny.img");
  let memory = new Uint8Array();
  const block_read = (_handle: bigint, offset: bigint, target: number, size: number): number => {
    memory = new Uint8Array(exports.memory.buffer);
    const at = Number(offset);
    if (at + size > image.length) return BLOCK_READ.EINVAL;
    memory.set(image.subarray(at, at + size), target);
    return BLOCK_READ.OK;
  };
  const module = new WebAssembly.Module(readFileSync(new URL("dist/core.wasm", root)));
  const instance = new WebAssembly.Instance(module, { solo5: { block_read } });
  const exports = instance.exports as unknown as CoreExports;
  assert.equal(exports.mountBegin(0n, BigInt(image.length), 512n, MODE.light, 0), STATUS.Ok);
  assert.equal(exports.prove(PROOF.oid, 0), STATUS.Ok);
  const handle = exports.operation();
  assert.equal(exports.mount(handle), STATUS.Ok);
  const field = (offset: number): number =>
    new DataView(exports.memory.buffer).getUint32(exports.result(handle) + offset, true);
  const call = (path: string, run: (at: number, length: number) => number): number => {
    const bytes = new TextEncoder().encode(path);
    new Uint8Array(exports.memory.buffer).set(bytes, exports.input());
    return run(exports.input(), bytes.length);
  };
  const read = (path: string): number =>
    call(path, (at, length) => exports.read(handle, at, length, FLAG.FOLLOW, 0n, 1 << 20));
  assert.equal(
    call("/", (at, length) => exports.stat(handle, at, length, 0)),
    STATUS.Ok,
  );
  assert.equal(field(RESULT.kind), 1);
  assert.equal(read("/not/there"), STATUS.NotFound);
  assert.equal(read("/a/sibling.txt"), STATUS.Ok);
  const data = Buffer.from(exports.memory.buffer, field(RESULT.data), field(RESULT.dataLen));
  assert.equal(data.toString(), "sibling\n");
});
