/** The headers of the guest kit say what the tender and the core do. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { FLAG, INFO, MODE, PROOF, PROOF_COLLISIONS, RESULT, STATUS } from "../../src/abi.js";
import { CMDLINE_MAX } from "../../src/tender/cmdline.js";
import { HYPERCALL_TYPES } from "../../src/tender/hypercalls.js";
import { distPath } from "../support/programs.js";

const header = (name: string): string => readFileSync(distPath(`../guest/c/${name}`), "utf8");
const solo5 = header("solo5_wasm.h");
const docteur = header("docteur.h");

/** Numbers of macros by name. */
function macros(text: string): Map<string, number> {
  return new Map(
    [...text.matchAll(/^#define (\w+) (\d+)(?: |$)/gm)].map(([, name, value]) => [name!, Number(value)]),
  );
}

/** `BadAdler` as `BAD_ADLER`. */
const snake = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "_").toUpperCase();

/** Types of C in the notation of `HYPERCALL_TYPES`: a pointer is an i32. */
const wasmType = (text: string): string =>
  text.includes("*") || /int32_t/.test(text) ? "i32" : /int64_t/.test(text) ? "i64" : "()";

test("hypercalls, their names and types", () => {
  const found = new Map<string, string>();
  const pattern = /SOLO5_IMPORT\((\w+)\)\s+(?:__attribute__\(\(noreturn\)\) )?(\w+) solo5_(\w+)\(([^)]*)\);/g;
  for (const [, name, result, symbol, parameters] of solo5.matchAll(pattern)) {
    assert.equal(symbol, name);
    const types = parameters === "void" ? [] : parameters!.split(",").map(wasmType);
    found.set(name!, `(${types.join(", ")}) -> ${wasmType(result!)}`);
  }
  assert.deepEqual(Object.fromEntries(found), HYPERCALL_TYPES);
});

test("results and statuses", () => {
  const results = macros(solo5);
  assert.equal(results.get("SOLO5_CMDLINE_MAX"), CMDLINE_MAX);
  const known = macros(docteur);
  for (const [name, value] of Object.entries(STATUS)) {
    if (value > STATUS.DeviceFailed) assert.equal(known.get(`DOCTEUR_${snake(name)}`), value, name);
    else assert.ok([...results].some(([macro, number]) => macro.startsWith("SOLO5_R_") && number === value));
  }
  const first = Math.min(...Object.values(STATUS).filter((value) => value > STATUS.DeviceFailed));
  const statuses = [...known.values()].filter((value) => value >= first);
  assert.equal(statuses.length, Object.values(STATUS).filter((value) => value >= first).length);
});

test("modes, proofs and flags", () => {
  const known = macros(docteur);
  for (const [name, value] of Object.entries(MODE))
    assert.equal(known.get(`DOCTEUR_MODE_${snake(name)}`), value);
  for (const [name, value] of Object.entries(PROOF))
    assert.equal(known.get(`DOCTEUR_PROOF_${snake(name)}`), value);
  assert.equal(known.get("DOCTEUR_PROOF_COLLISIONS"), PROOF_COLLISIONS);
  for (const [name, value] of Object.entries(FLAG)) assert.equal(known.get(`DOCTEUR_${name}`), value);
});

/** Offsets of a struct's fields in 32-bit C, by their names in camel case. */
function offsets(text: string, name: string): Record<string, number> {
  const [, body] = new RegExp(`struct ${name} \\{\\n(.*?)\\n\\};`, "s").exec(text)!;
  const found: Record<string, number> = {};
  let at = 0;
  for (const [, type, pointer, field, count] of body!.matchAll(
    /^ +(?:const )?(\w+) (\*?)(\w+)(?:\[(\d+)\])?;/gm,
  )) {
    const size = pointer === "*" ? 4 : type === "uint8_t" ? 1 : /64/.test(type!) ? 8 : 4;
    at = Math.ceil(at / size) * size;
    found[field!.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())] = at;
    at += size * Number(count ?? 1);
  }
  return found;
}

test("structs", () => {
  const { offset, ...result } = offsets(docteur, "docteur_result");
  assert.deepEqual(result, RESULT);
  assert.equal(offset, 16);
  assert.deepEqual(offsets(docteur, "docteur_info"), INFO);
});
