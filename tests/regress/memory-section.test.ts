/** The tender writes a module's memory section anew, and so made modules valid that no engine takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DocteurError } from "../../src/errors.js";
import { loadGuest } from "../../src/tender/index.js";
import { guestBytes, leb } from "../support/guest-bytes.js";

const MALFORMED: [title: string, memory: number[], why: RegExp][] = [
  ["bytes after the limits", [1, 0, 1, 0, 0], /memory section longer than what it holds at byte \d+$/],
  ["bytes after no memory", [0, 0], /memory section longer than what it holds at byte \d+$/],
  ["a maximum above 65536 pages", [1, 1, 1, ...leb(65537)], /memory too large at byte \d+$/],
];

for (const [title, memory, message] of MALFORMED)
  test(`a guest whose memory section is malformed is refused: ${title}`, () => {
    const bytes = guestBytes({ memory });
    assert.ok(!WebAssembly.validate(bytes));
    assert.throws(
      () => loadGuest(bytes),
      (error) => error instanceof DocteurError && error.code === "BadGuest" && message.test(error.message),
    );
  });
