/** People and dates of commits, as `git log` shows them: one reader for the library and `verify`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { open } from "../../src/index.js";
import { verify } from "../../src/verify/index.js";
import { withRepository } from "../fuzz/repository.js";
import { buildImage, objectEntry, treeEntry } from "../support/pack.js";

const blob = objectEntry("blob", Buffer.from("content"));
const root = objectEntry("tree", treeEntry("100644", "file", blob.oid));

/** What follows "committer " in a commit. */
const LINES = [
  "A U Thor <a@b> 1717740550 +0200",
  "A U Thor <a@b> 0 +0000",
  "A U Thor <a@b> 0 -0000",
  "V <v@x> 8640000000000 +0000",
  "V <v@x> 8640000000001 +0000",
  "V <v@x> 253402300799 +0000",
  "V <v@x> 253402300800 +0000",
  "V <v@x> 253402300799 +0100",
  "V <v@x> 99999999999999999999 +0000",
  "V <v@x> 1312735823.5 +0000",
  "V <v@x> 1312735823 -7530",
  "V <v@x> 1312735823 +051800",
  "V <v@x> 1312735823 +0160",
  "V <v@x> 1312735823 +1",
  "V <v@x> 1312735823 +99999999999",
  "V <v@x> 1312735823 +2359",
  "V <v@x> 1312735823 +2400",
  "V <v@x> 1312735823 -05x",
  "V <v@x> 1312735823  +0200",
  "V <v@x>1312735823 +0200",
  "V <v@x> 1312735823",
  "V <v@x> 1312735823 ",
  "V <v@x> 1312735823 0200",
  "V <v@x> -1312735823 +0200",
  "V <v@x> soon +0200",
  "V <v@x> 007 +0200",
  "V <v@x> 12x +0200",
  "V <v@x> <w@y> 1312735823 +0200",
  "V <v@x>> 1312735823 +0200",
  "V \t <v@x> 1312735823\t+0200 trailing",
  "<v@x> 1312735823 +0200",
  "V v@x 1312735823 +0200",
  "V <v@x 1312735823 +0200",
  "> < 1312735823 +0200",
  "",
];

const commits = LINES.map((line) =>
  objectEntry("commit", Buffer.from(`tree ${root.oid}\nauthor A <a@b> 1 +0000\ncommitter ${line}\n\nm\n`)),
);

/** Fields of the committers, by `git log`. */
function byGit(format: string): string[] {
  const input = commits.map(({ oid }) => `${oid}\n`).join("");
  const args = ["log", "--no-walk=unsorted", "--stdin", `--format=${format}`];
  const output = withRepository([root, blob, ...commits], (git) => git(args, input)).toString();
  return output.split("\n").slice(0, commits.length);
}

test("committers and their dates are those of git log, or absent", async () => {
  const seconds = byGit("%ct");
  const isoDates = byGit("%cI");
  const names = byGit("%cn|%ce");
  let dates = 0;
  for (const [index, line] of LINES.entries()) {
    const { oid } = commits[index]!;
    const image = buildImage(oid, [root, blob, ...commits]);
    const { commit } = await open(image);
    const report = await verify(image);
    const bySeconds = /^[0-9]+$/.test(seconds[index]!) ? Number(seconds[index]) : Number.NaN;
    const expected = bySeconds <= 8.64e12 ? new Date(bySeconds * 1000) : null;
    assert.deepEqual(commit.date, expected, line);
    assert.deepEqual(commit.committer.date, expected, line);
    if (line.includes("<") && line.indexOf(">") > line.indexOf("<"))
      assert.equal(`${commit.committer.name}|${commit.committer.email}`, names[index], line);
    const iso = isoDates[index]!;
    const { date, zone } = report.committer!;
    assert.equal(zone ?? null, commit.committer.zone, line);
    if (date === undefined) {
      assert.equal(expected, null, `${line}: verify has no date`);
      continue;
    }
    dates++;
    assert.equal(Date.parse(date), expected?.getTime(), line);
    // git's own form, where ISO 8601 has it.
    const hasForm = /[+-](?:[01][0-9]|2[0-3]):[0-5][0-9]$/.test(iso);
    assert.equal(
      commit.committer.zone ?? "Z",
      hasForm ? iso.slice(-6) : (commit.committer.zone ?? "Z"),
      line,
    );
  }
  assert.ok(dates > 15, `${dates} dates`);
});

test("the last of several lines counts, and none behind a NUL or the header", async () => {
  const lines = [
    ["committer A <a@b> 1 +0000\ncommitter B <b@c> 2 +0100\n\nm", "B", 2],
    [
      "committer A <a@b> 1 +0000\ngpgsig x\n committer B <b@c> 2 +0100\n\ncommitter C <c@d> 3 +0000\n",
      "A",
      1,
    ],
  ] as const;
  for (const [text, name, time] of lines) {
    const entry = objectEntry("commit", Buffer.from(`tree ${root.oid}\nauthor A <a@b> 1 +0000\n${text}`));
    const { commit } = await open(buildImage(entry.oid, [root, blob, entry]));
    assert.deepEqual([commit.committer.name, commit.date?.getTime()], [name, time * 1000], text);
  }
});

test("a commit tells its author, committer and the start of its message", async () => {
  const message = "é".repeat(1 << 20);
  const text = `tree ${root.oid}\nauthor Zoë <z@x> 1 +0130\ncommitter C <c@d> 2 -0230\n\n${message}`;
  const entry = objectEntry("commit", Buffer.from(text));
  const { commit } = await open(buildImage(entry.oid, [root, blob, entry]));
  assert.deepEqual(commit.author, { name: "Zoë", email: "z@x", date: new Date(1000), zone: "+01:30" });
  assert.deepEqual(commit.committer, { name: "C", email: "c@d", date: new Date(2000), zone: "-02:30" });
  assert.equal(commit.message, "é".repeat(1 << 19));
  assert.deepEqual([commit.oid, commit.tree], [entry.oid, root.oid]);
});
