/** Texts that every match of an expression contains: sound for random expressions, and found where there are some. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { requiredTexts } from "../../src/sweep/literals.js";
import { Needle } from "../../src/sweep/needle.js";
import { Pattern } from "../../src/sweep/pattern.js";
import { type Random, seeded } from "../support/random.js";

test("texts of known expressions", () => {
  for (const [source, texts] of [
    ["hello", ["hello"]],
    ["use[A-Z]\\w+Context", ["Context"]],
    ["(foo|barr)x?", ["foo", "barr"]],
    ["ab?cde", ["cde"]],
    ["ab+c", ["ab"]],
    ["a{2}bc", ["bc"]],
    ["a\\.b", ["a.b"]],
    ["\\u{41}\\x42", ["AB"]],
    ["(?:long)?short", ["short"]],
    ["(?<name>word)\\k<name>", ["word"]],
    ["(?!not)this", ["this"]],
    ["a|", undefined],
    ["\\d+", undefined],
    ["(?:x)*", undefined],
    ["[abc]", undefined],
    ["", undefined],
  ] as const)
    assert.deepEqual(requiredTexts(source), texts, source);
});

const PARTS = [
  "a",
  "b",
  "ab",
  ".",
  "\\w",
  "[ab]",
  "[^a]",
  "(a|b)",
  "(?:ab)",
  "a*",
  "b+",
  "a?",
  "(ab){2}",
  "\\x61",
  "\\u0062",
  "(?=a)",
  "(?!b)",
  "a{0,2}",
  "(?<n>b)",
  "|",
  "b{1,}?",
];

function sourceOf(random: Random): string {
  return Array.from({ length: 1 + random(6) }, () => PARTS[random(PARTS.length)]!)
    .join("")
    .replaceAll("(?<n>b)", () => `(?<n${random(1_000_000)}>b)`);
}

test("a search finds the lines that the expression finds line by line", () => {
  const random = seeded(5);
  for (let round = 0; round < 3000; round++) {
    const source = sourceOf(random);
    let regex: RegExp;
    try {
      regex = new RegExp(source, "su");
    } catch {
      continue;
    }
    const ignoreCase = random(3) === 0;
    if (ignoreCase) regex = new RegExp(source, "sui");
    const lines = Array.from({ length: 12 }, () =>
      Array.from({ length: random(7) }, () => "aabbABxé\u212a"[random(9)]).join(""),
    );
    const pattern = new Pattern({ source, fixed: false, ignoreCase, word: false });
    const bytes = Buffer.from(`${lines.join("\n")}\n`);
    pattern.begin(bytes);
    const found: string[] = [];
    for (let at = 0; pattern.next(at); at = pattern.end + 1)
      found.push(bytes.toString("utf8", pattern.start, pattern.end));
    assert.deepEqual(
      found,
      lines.filter((line) => regex.test(line)),
      `${source} ${ignoreCase}`,
    );
  }
});

test("letters that are equal beyond ASCII are found when case is ignored", () => {
  const pattern = new Pattern({ source: "sky", fixed: true, ignoreCase: true, word: false });
  for (const line of ["SKY", "\u017fky", "S\u212ay"]) {
    pattern.begin(Buffer.from(line));
    assert.ok(pattern.next(0), line);
  }
});

test("a needle is found where indexOf finds it", () => {
  const random = seeded(6);
  for (let round = 0; round < 4000; round++) {
    const letters = ["ab", "aab", "e t", "xyz"][random(4)]!;
    const word = (length: number): Buffer =>
      Buffer.from(Array.from({ length }, () => letters[random(letters.length)]).join(""));
    const [hay, bytes] = [word(random(600)), word(1 + random(5))];
    const from = random(hay.length + 1);
    assert.equal(new Needle(bytes).find(hay, from), hay.indexOf(bytes, from));
  }
});
