/** What is shown to terminals: no name inside an image commands one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeControls, hideControls } from "../../tools/terminal.js";

const shown = (name: string | Uint8Array): string => hideControls(Buffer.from(name)).toString("latin1");

test("controls in names are question marks, byte for byte", () => {
  assert.equal(shown("\x1b]0;title\x07\x7f\t\n"), "?]0;title????");
  assert.equal(shown("a\u009b31mb\u0080\u009f"), "a??31mb????");
  assert.equal(shown(Uint8Array.of(0xc2)), "\xc2");
});

test("all other bytes are as they were", () => {
  for (const name of ["a b", "é\u00a0\u00ff", "\u{1f9ea}", "\u0160"])
    assert.equal(hideControls(Buffer.from(name)).toString(), name);
  const bytes = Buffer.from([0xff, 0x80, 0x9b, 0xc3, 0x9b]);
  assert.ok(hideControls(bytes).equals(bytes));
});

test("a text keeps its lines and tabs", () => {
  const text = Buffer.from("commit\t: 1\n\x1b]0;title\x07\r\n");
  assert.equal(hideControls(text, true).toString("latin1"), "commit\t: 1\n?]0;title??\n");
});

test("controls in messages are escapes", () => {
  assert.equal(escapeControls("a\x1b[31m\n\x7f\u009bé"), "a\\x1b[31m\\x0a\\x7f\\x9bé");
});
