/** The command line: quoting, its limit, and that the guests' splitter gives back what was joined. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CMDLINE_MAX, encodeCommandLine } from "../../src/tender/cmdline.js";
import { run } from "../../src/tender/index.js";
import { guestPath } from "../support/programs.js";
import { seeded } from "../support/random.js";

const hello = readFileSync(guestPath("hello"));

function encode(...args: string[]): string {
  return new TextDecoder().decode(encodeCommandLine(args));
}

/** What the guest `hello` makes of its command line. */
function helloSays(args: string[]): string {
  const chunks: Uint8Array[] = [];
  const outcome = run(hello, { args, console: (bytes) => chunks.push(bytes) });
  assert.deepEqual(outcome, { status: 0, cause: "exit" });
  return Buffer.concat(chunks).toString();
}

test("arguments are joined by spaces, and quoted where they need it", () => {
  assert.equal(encode(), "");
  assert.equal(encode("--filename", "/README.md"), "--filename /README.md");
  assert.equal(encode("a b", ""), '"a b" ""');
  assert.equal(encode('"', "\\", 'a"b\\c'), '"\\"" "\\\\" "a\\"b\\\\c"');
  assert.equal(encode("\t", "a\nb"), '"\t" "a\nb"');
  assert.equal(encode("é'$`*"), "é'$`*");
});

test("a command line has at most 8192 bytes", () => {
  assert.equal(encodeCommandLine(["x".repeat(CMDLINE_MAX)]).length, CMDLINE_MAX);
  const tooLong = { code: "InvalidArgument", message: "Guest command line too long (max=8192 bytes)" };
  assert.throws(() => encodeCommandLine(["x".repeat(CMDLINE_MAX + 1)]), tooLong);
  assert.throws(() => encodeCommandLine(["é".repeat(CMDLINE_MAX / 2), ""]), tooLong);
});

test("an argument holds no NUL", () => {
  assert.throws(() => encodeCommandLine(["a\0b"]), { message: "Guest command line holds a NUL" });
});

test("guests split what was joined", () => {
  const random = seeded(7);
  const alphabet = ["a", "b", " ", '"', "\\", "\t", "\n", "é", "'", "=", "-"];
  for (let round = 0; round < 300; round++) {
    const args = Array.from({ length: random(6) }, () =>
      Array.from({ length: random(8) }, () => alphabet[random(alphabet.length)]).join(""),
    );
    const expected = `Hello, World\nCommand line is: '${encode(...args)}'\n${args.map((arg) => `[${arg}]\n`).join("")}`;
    assert.equal(helloSays(args), expected);
  }
});

test("the longest command line arrives whole", () => {
  const arg = "0123456789abcdef".repeat(CMDLINE_MAX / 16);
  assert.equal(helloSays([arg]), `Hello, World\nCommand line is: '${arg}'\n[${arg}]\n`);
});
