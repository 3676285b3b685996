/** Guests in a thread: endless loops, stacks, tables, and what costs the engine memory, each ends as an outcome. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { supervise, TIMEOUT_STATUS } from "../../src/tender/supervise.js";
import { guestBytes, leb } from "../support/guest-bytes.js";
import { guestPath } from "../support/programs.js";

const LOOP = [0x03, 0x40, 0x0c, 0, 0x0b];
const RETURN_0 = [0x41, 0];

test("a guest's own end is what it is without a thread", async () => {
  const outcome = async (...args: string[]): Promise<unknown[]> => {
    const { status, cause, isStuck } = await supervise(guestPath("exit-test"), { args });
    return [status, cause, isStuck];
  };
  assert.deepEqual(await outcome("return", "7"), [7, "exit", false]);
  assert.deepEqual(await outcome("exit", "300"), [300, "exit", false]);
  assert.deepEqual(await outcome("abort"), [255, "abort", false]);
  assert.deepEqual(await outcome("unreachable"), [255, "trap", false]);
});

test("an endless loop ends at the time limit", async () => {
  const { status, cause } = await supervise(guestBytes({ body: [...LOOP, ...RETURN_0] }), { timeLimit: 200 });
  assert.deepEqual([status, cause], [TIMEOUT_STATUS, "timeout"]);
});

test("an endless start function, and one that calls itself, end too", async () => {
  const loop = await supervise(guestBytes({ start: LOOP }), { timeLimit: 200 });
  assert.equal(loop.cause, "timeout");
  const recursion = await supervise(guestBytes({ start: [0x10, 1] }));
  assert.deepEqual([recursion.status, recursion.cause], [255, "trap"]);
});

test("a guest that sleeps ends at the time limit", async () => {
  const body = [0x42, 0x7f, 0x41, 0, 0x10, 0, ...RETURN_0]; // yield(2^64 - 1, 0)
  const imports = [{ module: "solo5", name: "yield", type: [["i64", "i32"], []] as [string[], string[]] }];
  const { cause, isStuck } = await supervise(guestBytes({ imports, body }), { timeLimit: 200 });
  assert.deepEqual([cause, isStuck], ["timeout", false]);
});

/** Code that leaves a value on the stack for each of many places that are jumped to: 4 bytes or so cost kilobytes. */
function costlyCode(): number[] {
  const values = 20_000;
  const blocks = 6_000;
  const body: number[] = [];
  for (let index = 0; index < values; index++) body.push(0x41, 0);
  for (let index = 0; index < blocks; index++) body.push(0x02, 0x40);
  for (let index = 0; index < blocks; index++) body.push(0x41, 0, 0x0d, ...leb(index));
  for (let index = 0; index < blocks; index++) body.push(0x0b);
  return [...body, 0x00];
}

test("code that costs the engine memory without end is stopped", async () => {
  const before = process.memoryUsage.rss();
  const { status, cause } = await supervise(guestBytes({ body: costlyCode() }), { memoryLimit: 65536 });
  // An engine that compiles it in little memory runs into its trap.
  assert.ok(cause === "memory" || cause === "trap", cause);
  assert.equal(status, 255);
  assert.ok(process.memoryUsage.rss() < before + 1.5 * 2 ** 30);
});

test("a guest that is refused, or has no file, is an error", async () => {
  await assert.rejects(supervise(guestBytes({ sections: [] })), {
    code: "BadGuest",
    message: /^no solo5.abi/,
  });
  await assert.rejects(supervise("/nowhere/guest.wasm"), { code: "Io" });
  const devices = { a: { path: "/nowhere/disk.img" } };
  await assert.rejects(supervise(guestBytes(), { devices }), { code: "BadGuest", message: /not declared/ });
});
