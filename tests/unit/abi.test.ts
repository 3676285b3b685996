/** The core's ABI is one: AssemblyScript's statuses, structs and exports, TypeScript's copies, and docs/ABI.md agree. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FLAG, INFO, MODE, PROOF, PROOF_COLLISIONS, RESULT } from "../../src/core/instance.js";
import { STATUS } from "../../src/errors.js";
import { MESSAGES } from "../../src/messages.js";
import { HYPERCALL_TYPES } from "../../src/tender/hypercalls.js";

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
  assert.match(page, /Flags, added up: 1 follow symlinks, 2 the object's id is wanted, 4 sizes are wanted\./);
  assert.deepEqual({ ...FLAG }, { FOLLOW: 1, OID: 2, SIZE: 4 });
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
    tableBelow("What was mounted, 48 bytes").map(([offset]) => Number(offset)),
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
    assert.equal((exports.ABI_VERSION as WebAssembly.Global).value, 2);
  }
});

test("the page lists the hypercalls that the tender has", () => {
  const documented = [...page.matchAll(/^\| `(\w+)` \| \(.*?\)(?: → i\d+)? \|/gm)].map(([, name]) => name!);
  assert.deepEqual(documented.sort(), Object.keys(HYPERCALL_TYPES).sort());
});
