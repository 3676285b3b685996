/** Reads everything of an image that may be anything, and holds what comes against what must be. */
import assert from "node:assert/strict";
import {
  DocteurError,
  type Entry,
  type Mode,
  type OpenOptions,
  open,
  STATUS,
  type Volume,
} from "../../src/index.js";
import { gitOid } from "../support/fixtures.js";
import type { Random } from "../support/random.js";
import { processorTime } from "./target.js";

/** An operation on any image ends before that, in milliseconds. */
const PATIENCE = 5000;
/** Statuses of hosts and devices that break their contract: ours do not. */
const NEVER: readonly string[] = ["InvalidArgument", "DeviceFailed"];

/** What an operation gave: its value, or the code of its error. */
export type Outcome<T> = { value: T; code?: undefined } | { code: string; value?: undefined };

/** Runs an operation; a thrown error that is none of an image's is a finding. */
export async function attempt<T>(operation: () => Promise<T>): Promise<Outcome<T>> {
  const start = processorTime();
  try {
    return { value: await operation() };
  } catch (error) {
    if (!(error instanceof DocteurError)) throw error;
    if (!(error.code in STATUS) || NEVER.includes(error.code)) throw error;
    return { code: error.code };
  } finally {
    const took = processorTime() - start;
    assert.ok(took < PATIENCE, `an operation took ${took} ms`);
  }
}

/** What was read, by path in "latin1". */
export interface Seen {
  lists: Map<string, Outcome<Entry[]>>;
  files: Map<string, Outcome<Uint8Array>>;
}

/** Options of `walk`. */
export interface WalkOptions {
  module: WebAssembly.Module;
  mode: Mode;
  memoryLimit: number;
  /** How many entries are read, at the most: trees that hold each other have no end. */
  budget: number;
  random: Random;
  /** How far reads are proven. */
  proof?: Pick<OpenOptions, "proof" | "collisions" | "commit">;
}

async function visitFile(
  volume: Volume,
  path: string,
  listed: Entry,
  options: WalkOptions,
): Promise<Outcome<Uint8Array>> {
  const bytes = Buffer.from(path, "latin1");
  const whole = await attempt(() => volume.get(bytes));
  const stat = await attempt(() => volume.stat(bytes));
  if (stat.value !== undefined) {
    assert.equal(stat.value.kind, listed.kind, "kind");
    assert.equal(stat.value.oid, listed.oid, "oid");
  }
  if (whole.value === undefined) return whole;
  const { length } = whole.value;
  if (listed.size !== undefined) assert.equal(listed.size, length, "the listed size");
  if (stat.value !== undefined) assert.equal(stat.value.size, length, "the size");
  if (options.mode === "analyze" || options.proof?.proof === "oid")
    assert.equal(gitOid("blob", whole.value), listed.oid, "what has been hashed");
  const offset = options.random(length + 2);
  const part = await attempt(() => volume.getPartial(bytes, offset, 1 + options.random(length + 9)));
  // Memory may have room for the one and not for the other; nothing else can differ.
  if (part.value === undefined) assert.equal(part.code, "OutOfMemory", "a part of what was read whole");
  else
    assert.ok(
      Buffer.from(whole.value.subarray(offset, offset + part.value.length)).equals(part.value),
      "a part",
    );
  if (listed.kind === "symlink") {
    await attempt(() => volume.get(bytes, { follow: true }));
    await attempt(() => volume.list(bytes, { follow: true }));
  }
  return whole;
}

/** Opens an image and reads it, from the root on. */
export async function walk(image: Uint8Array, options: WalkOptions): Promise<Outcome<Seen>> {
  const { module, mode, memoryLimit, proof } = options;
  const opened = await attempt(() => open(image, { module, mode, memoryLimit, ...proof }));
  if (opened.value === undefined) return opened;
  const volume = opened.value;
  const seen: Seen = { lists: new Map(), files: new Map() };
  const queue = [""];
  let { budget } = options;
  for (let folder = queue.shift(); folder !== undefined && budget > 0; folder = queue.shift()) {
    const bytes = Buffer.from(folder, "latin1");
    let list = await attempt(() => volume.list(bytes, { sizes: true }));
    if (list.value === undefined) list = await attempt(() => volume.list(bytes));
    seen.lists.set(folder, list);
    for (const entry of list.value ?? []) {
      if (budget-- <= 0) break;
      const path = `${folder}/${Buffer.from(entry.nameBytes).toString("latin1")}`;
      if (entry.kind === "directory") queue.push(path);
      else seen.files.set(path, await visitFile(volume, path, entry, options));
    }
  }
  assert.ok(volume.stats().memoryBytes <= memoryLimit, "the memory limit");
  await volume.close();
  return { value: seen };
}

/** Every file of an image that `verify` has passed: they can be read, and are what their ids say. */
export function assertSound(seen: Outcome<Seen>, what: string): void {
  assert.ok(seen.value !== undefined, `${what}: cannot be opened: ${seen.code}`);
  for (const [path, list] of seen.value.lists) {
    assert.ok(list.value !== undefined, `${what}: ${path} cannot be listed: ${list.code}`);
    for (const entry of list.value) {
      const file = seen.value.files.get(`${path}/${Buffer.from(entry.nameBytes).toString("latin1")}`);
      if (file === undefined || entry.kind === "submodule") continue;
      assert.ok(file.value !== undefined, `${what}: ${entry.path} cannot be read: ${file.code}`);
      assert.equal(gitOid("blob", file.value), entry.oid, `${what}: ${entry.path}`);
    }
  }
}

/** What was read with proof of a commit is what the sound image of that commit holds, all of it or less. */
export function assertProven(seen: Outcome<Seen>, sound: Seen): void {
  for (const [path, { value }] of seen.value?.lists ?? []) {
    const expected = sound.lists.get(path)?.value;
    const names = (list: readonly Entry[]): string[] =>
      list.map(({ oid, mode, path: at }) => `${mode} ${oid} ${at}`);
    if (value !== undefined)
      assert.deepEqual(names(value), names(expected ?? []), `a proven list of ${path}`);
  }
  for (const [path, { value }] of seen.value?.files ?? [])
    if (value !== undefined) assert.deepEqual(value, sound.files.get(path)?.value, `proven bytes of ${path}`);
}
