/** Untrusted text for people: it commands neither a terminal nor a CI runner, and it shows what it holds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { printable, printableLines } from "../../src/text/printable.js";
import { parsePath, quotePath } from "../../src/text/quoted-path.js";
import { seeded } from "../support/random.js";

/** Texts that must not be shown as they are, with what they are shown as in a message and as a path. */
const UNSAFE: [text: string, message: string, path: string][] = [
  ["a\x1b[31m", "a\\x1b[31m", '"a\\033[31m"'],
  ["\x1b]0;title\x07", "\\x1b]0;title\\x07", '"\\033]0;title\\a"'],
  ["two\nlines\r\t", "two\\x0alines\\x0d\\x09", '"two\\nlines\\r\\t"'],
  ["del\x7f", "del\\x7f", '"del\\177"'],
  ["c1\u009b31m", "c1\\x9b31m", '"c1\\302\\23331m"'],
  ["gpj\u202eexe", "gpj\\u202eexe", '"gpj\\342\\200\\256exe"'],
  ["\u2066isolate\u2069", "\\u2066isolate\\u2069", '"\\342\\201\\246isolate\\342\\201\\251"'],
  ["line\u2028break", "line\\u2028break", '"line\\342\\200\\250break"'],
  ["soft\u00adhyphen\ufeff", "soft\\xadhyphen\\ufeff", '"soft\\302\\255hyphen\\357\\273\\277"'],
  ["tag\u{e0041}", "tag\\u{e0041}", '"tag\\363\\240\\201\\201"'],
  ["##[error]x", "#\\x23[error]x", '"#\\043[error]x"'],
  ["a ###[b", "a ##\\x23[b", '"a ##\\043[b"'],
  ["##vso[task.setvariable]", "#\\x23vso[task.setvariable]", '"#\\043vso[task.setvariable]"'],
];

const PLAIN = [
  "a b",
  "é\u00a0ÿ",
  "日本語",
  "\u{1f468}\u200d\u{1f469}\u200d\u{1f467}",
  "می\u200cخواهم",
  "# [x]",
  "##a",
  "'",
];

test("no hidden character and no runner's command is shown as it is", () => {
  for (const [text, message, path] of UNSAFE) {
    assert.equal(printable(text), message);
    assert.equal(quotePath(text), path);
  }
  assert.equal(printable("lone \ud800"), "lone \\ud800");
  assert.equal(printableLines("commit\t: 1\n\x1b]0;t\x07\r\n"), "commit\t: 1\n\\x1b]0;t\\x07\\x0d\n");
});

test("ordinary text is shown as it is", () => {
  for (const text of PLAIN) assert.deepEqual([printable(text), quotePath(text)], [text, text]);
});

test("quotes, backslashes, workflow commands and nothing at all need quotes in a path", () => {
  const cases: [string, string][] = [
    ['say "hi"', '"say \\"hi\\""'],
    ["a\\b", '"a\\\\b"'],
    ["::error::x", '"::error::x"'],
    ["  ::error::x", '"  ::error::x"'],
    ["", '""'],
  ];
  for (const [text, path] of cases) assert.equal(quotePath(text), path);
});

test("bytes that are not UTF-8 are octal escapes, one each", () => {
  const cases: [bytes: number[], shown: string][] = [
    [[0x63, 0x61, 0x66, 0xe9], '"caf\\351"'],
    // Cut off, overlong, a surrogate, beyond U+10FFFF, a lone continuation.
    [[0xe2, 0x82], '"\\342\\202"'],
    [[0xc0, 0xaf], '"\\300\\257"'],
    [[0xed, 0xa0, 0x80], '"\\355\\240\\200"'],
    [[0xf4, 0x90, 0x80, 0x80], '"\\364\\220\\200\\200"'],
    [[0x80, 0xc3, 0xa9], '"\\200é"'],
    [[0xff, 0x2f, 0xe2, 0x80, 0xae], '"\\377/\\342\\200\\256"'],
  ];
  for (const [bytes, text] of cases) assert.equal(quotePath(Uint8Array.from(bytes)), text);
});

test("what is shown is read as the same bytes", () => {
  const random = seeded(7);
  const pieces = [...UNSAFE.map(([text]) => text), ...PLAIN, '"', "\\", "/", "::", "##", "[", "\\351"];
  for (let round = 0; round < 3000; round++) {
    const parts = Array.from({ length: 1 + random(4) }, () =>
      random(3) === 0 ? Buffer.from([random(256), random(256)]) : Buffer.from(pieces[random(pieces.length)]!),
    );
    const bytes = Buffer.concat(parts);
    const shown = quotePath(bytes);
    assert.deepEqual(Buffer.from(parsePath(shown)!), bytes, `round ${round}: ${shown}`);
    assert.equal(printable(shown), shown);
  }
});

test("what begins with a quote and is no quoted path is refused", () => {
  for (const text of ['"', '"a', '"a"b', '"a"b"', '"\\8"', '"\\400"', '"\\35"', '"\\x41"', '"\\"'])
    assert.equal(parsePath(text), undefined, text);
  assert.deepEqual(parsePath('./"a'), new TextEncoder().encode('./"a'));
});
