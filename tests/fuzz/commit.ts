/**
 * Fuzzes commit objects: a batch of hostile ones in one sound pack, mounted one by one. An independent parser says what each of them is; git agrees on
 * the tree and the date of what has the form that git writes.
 */
import assert from "node:assert/strict";
import { parseCommit } from "../../src/git/commit.js";
import { open } from "../../src/index.js";
import { coreVariants } from "../support/core.js";
import { buildImage, objectEntry, type PackEntry, treeEntry } from "../support/pack.js";
import type { Random } from "../support/random.js";
import { mutate } from "./mutate.js";
import { withRepository } from "./repository.js";
import { inputOf, type Target } from "./target.js";
import { attempt } from "./walk.js";

const BATCH = 40;

function pick<T>(random: Random, values: readonly T[]): T {
  return values[random(values.length)]!;
}

function randomWho(random: Random): string {
  const name = pick(random, [
    "A U Thor",
    "",
    " ",
    "<",
    "x > y",
    "\xff\xfe",
    "committer 1 2 3",
    "Dr. Greenthumb",
  ]);
  const email = pick(random, ["<a@b>", "<>", "", "<a", "a>", "<a> <b>"]);
  const time = pick(random, [
    "1717740550",
    "0",
    "-1",
    "--5",
    "",
    "999999999999999999",
    "9999999999999999999",
    "253402300800",
    "12x",
    "007",
    "1e9",
    "+7",
  ]);
  const zone = pick(random, ["+0200", "-0000", "", "x", "+0200 ", "+9999"]);
  return random(3)
    ? `A U Thor <a@b> ${random(2) ? 1717740550 : random(1 << 30)} +0200`
    : `${name} ${email} ${time} ${zone}`;
}

/** A commit as git writes it, each part of which may be something else; then perhaps mutated. */
function randomCommit(random: Random, tree: string): Buffer {
  const head = random(12)
    ? `tree ${tree}\n`
    : pick(random, [
        `tree ${tree.toUpperCase()}\n`,
        `tree ${tree}`,
        "",
        `tree ${tree.slice(1)}\n`,
        `tree  ${tree}\n`,
        `tree ${tree} \n`,
        `tree ${"00".repeat(20)}\n`,
      ]);
  const lines = [`author ${randomWho(random)}`, `committer ${randomWho(random)}`];
  if (random(3) === 0) lines.unshift(`parent ${tree}`);
  if (random(5) === 0) lines.push("gpgsig -----BEGIN\n committer Nobody <n@n> 5 +0000\n -----END");
  if (random(8) === 0) lines.splice(random(lines.length), 1);
  if (random(8) === 0) lines.push(lines.shift()!);
  const message = pick(random, [
    "\n\nmessage\n",
    "\n",
    "",
    "\n\n",
    "\n\ncommitter C <c@c> 77 +0000\n",
    "\n\n\xff",
  ]);
  const commit = Buffer.from(head + lines.join("\n") + message, "latin1");
  return random(3) ? commit : mutate(commit, random, 3);
}

/** The tree and the committer's time by git's rules; undefined where the commit is malformed. */
function readCommit(data: Buffer): { tree: string; time: number | null } | undefined {
  const text = data.toString("latin1");
  const tree = /^tree ([0-9a-fA-F]{40})\n/.exec(text)?.[1]?.toLowerCase();
  if (tree === undefined) return undefined;
  let time: number | null = null;
  const [header] = text.slice(46).split("\0", 1);
  for (const line of header!.split("\n")) {
    if (line === "") break;
    if (!line.startsWith("committer ")) continue;
    const [, digits] = /<.*>[ \t\r]*([0-9]+)[ \t\r]*[+-][0-9][^>]*$/s.exec(line) ?? [];
    time = digits === undefined || Number(digits) > 8.64e12 ? null : Number(digits);
  }
  return { tree, time };
}

/** A commit whose meaning is beyond doubt: git's own form. */
const PLAIN =
  /^tree [0-9a-fA-F]{40}\n(?:parent [0-9a-f]{40}\n)*author [^<>\n\0]+ <[^<>\n\0]*> [0-9]{1,10} [+-][0-9]{4}\ncommitter [^<>\n\0]+ <[^<>\n\0]*> (0|[1-9][0-9]{0,9}) [+-][0-9]{4}\n(?:\n[^\0]*)?$/;

function askGit(commits: readonly PackEntry[], entries: readonly PackEntry[]): void {
  const plain = commits.filter(({ content }) => PLAIN.test(content.toString("latin1")));
  // A parent that is missing, or no commit, is of no matter here.
  const alone = plain.filter(({ content }) => !content.includes("\nparent "));
  if (alone.length === 0) return;
  const ids = alone.map(({ oid }) => `${oid}\n`).join("");
  const format = ["log", "--no-walk=unsorted", "--stdin", "--format=%H %T %ct"];
  const answers = withRepository(entries, (git) => git(format, ids)).toString("latin1");
  const expected = alone.map(({ oid, content }) => {
    const { tree, time } = readCommit(content)!;
    return `${oid} ${tree} ${time}\n`;
  });
  assert.equal(answers, expected.join(""), "git's reading");
}

/** A case is a batch of commits on one of the four builds. */
export const commit: Target = async () => {
  const variants = await coreVariants();
  return async (fuzz) => {
    const { random, index, keep, count, given } = fuzz;
    const blob = objectEntry("blob", Buffer.from("content"));
    const root = objectEntry("tree", treeEntry("100644", "file", blob.oid));
    const contents = Array.from({ length: given === undefined ? BATCH : 1 }, () =>
      inputOf(fuzz, (random) => randomCommit(random, root.oid)),
    );
    const commits = [
      ...new Map(
        contents.map((content) => [content.toString("latin1"), objectEntry("commit", content)]),
      ).values(),
    ];
    const entries = [root, blob, ...commits];
    const { module } = variants[index % variants.length]!;
    const image = buildImage(commits[0]!.oid, entries);
    for (const { oid, content } of commits) {
      image.write(oid, "hex");
      keep(image);
      const opened = await attempt(() =>
        open(image, { module, mode: pick(random, ["light", "fast", "analyze"] as const) }),
      );
      const expected = readCommit(content);
      if (opened.value === undefined) {
        const code = expected === undefined ? "BadCommit" : "MissingObject";
        assert.equal(opened.code, expected?.tree === root.oid ? undefined : code, content.toString("latin1"));
      } else {
        const { tree, date } = opened.value.commit;
        assert.deepEqual(
          { tree, time: date?.getTime() ?? null },
          { tree: expected!.tree, time: expected!.time === null ? null : expected!.time * 1000 },
        );
      }
      parseCommit(content);
      count(opened.code ?? "opened");
    }
    askGit(commits, entries);
  };
};
