/** `docteur diff`: what it prints in each of its forms, and its exit status. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { docteur } from "../support/cli.js";
import { expectFailures } from "../support/command-failures.js";
import { commitAll, git } from "../support/git.js";
import { temporaryFolder } from "../support/temporary.js";

interface Images {
  folder: string;
  old: string;
  young: string;
}

/** A repository of two commits, tagged, and an image of each. */
async function imagesOf(t: TestContext): Promise<Images> {
  const folder = temporaryFolder(t);
  const at = (path: string): string => join(folder, "repository", path);
  const write = (path: string, content: string): void => {
    mkdirSync(join(at(path), ".."), { recursive: true });
    writeFileSync(at(path), content);
  };
  mkdirSync(at(""));
  git(at(""), "init", "--quiet");
  write("docs/guide.txt", "one\ntwo\nthree\n");
  write("docs/old name", "moved\n");
  write("gone", "gone");
  write("link", "a file");
  write("pixels", "\0\x01");
  write("run", "#!/bin/sh\n");
  write("same/kept", "kept\n");
  git(at(""), "tag", commitAll(at(""), "old") && "old");
  write("docs/guide.txt", "one\nTWO\nthree\nfour\n");
  rmSync(at("docs/old name"));
  write("docs/new\tname", "moved\n");
  rmSync(at("gone"));
  rmSync(at("link"));
  symlinkSync("gone", at("link"));
  write("pixels", "\0\x01\x02");
  chmodSync(at("run"), 0o755);
  git(at(""), "tag", commitAll(at(""), "young") && "young");
  const images = { folder: at(""), old: join(folder, "old.img"), young: join(folder, "young.img") };
  for (const ref of ["old", "young"] as const) {
    const { status } = await docteur(["make", at(""), "-b", ref, images[ref]]);
    assert.equal(status, 0);
  }
  return images;
}

test("names, counts, patches and JSON", async (t) => {
  const { folder, old, young } = await imagesOf(t);
  const diff = async (...args: string[]): Promise<string> => {
    const { stdout, stderr, status } = await docteur(["diff", ...args, old, young]);
    assert.deepEqual([status, stderr], [1, ""]);
    return stdout;
  };
  const names = `M\t/docs/guide.txt
R\t/docs/old name\t"/docs/new\\tname"
D\t/gone
T\t/link
M\t/pixels
M\t/run
`.split("\n");
  const [guide, renamed, ...rest] = names;
  assert.equal(await diff(), [guide, renamed, ...rest].join("\n"));
  assert.equal(
    await diff("--no-renames", "-z"),
    [
      "M",
      "/docs/guide.txt",
      "A",
      "/docs/new\tname",
      "D",
      "/docs/old name",
      "D",
      "/gone",
      "T",
      "/link",
      "M",
      "/pixels",
      "M",
      "/run",
      "",
    ].join("\0"),
  );
  assert.equal(await diff("-q"), "");
  assert.equal(
    await diff("--stat"),
    ` docs/guide.txt                    |   3 ++-
 docs/old name => "docs/new\\tname" |   0
 gone                              |   1 -
 link                              |   2 +-
 pixels                            | Bin 2 -> 3 bytes
 run                               |   0
 6 files changed, 3 insertions(+), 3 deletions(-)
`,
  );
  const patch = await diff("-p");
  assert.match(
    patch,
    /^diff --git a\/docs\/guide\.txt b\/docs\/guide\.txt\nindex [0-9a-f]{40}\.\.[0-9a-f]{40} 100644\n/,
  );
  assert.match(patch, /\n@@ -1,3 \+1,4 @@\n one\n-two\n\+TWO\n three\n\+four\n/);
  assert.match(patch, /similarity index 100%\nrename from docs\/old name\nrename to "docs\/new\\tname"\n/);
  assert.match(patch, /\n-gone\n\\ No newline at end of file\n/);
  assert.match(patch, /\nold mode 100644\nnew mode 100755\n$/);
  assert.match(patch, /Binary files a\/pixels and b\/pixels differ\n/);
  assert.match(await diff("-U", "0", "-p"), /@@ -2 \+2 @@\n-two\n\+TWO\n@@ -3,0 \+4 @@\n\+four\n/);
  const json = JSON.parse(await diff("--json")) as { status: string; before: object; after: object }[];
  assert.deepEqual(
    json.map(({ status }) => status),
    ["modified", "renamed", "deleted", "typechange", "modified", "modified"],
  );
  assert.deepEqual(json.at(-1)!.after, {
    path: "/run",
    kind: "executable",
    mode: "100755",
    oid: git(folder, "rev-parse", "young:run"),
  });
  assert.equal(json[2]!.after, undefined);
});

test("parts, commits of repositories, and images that do not differ", async (t) => {
  const { folder, old, young } = await imagesOf(t);
  const expect = async (args: string[], stdout: string, status: number): Promise<void> =>
    assert.deepEqual(await docteur(["diff", ...args]), { status, signal: null, stdout, stderr: "" });
  await expect([old, young, "/same"], "", 0);
  await expect([old, young, "/gone"], "D\t/gone\n", 1);
  await expect(["--json", old, young, "/same"], "[]\n", 0);
  await expect([old, `${folder}@old`], "", 0);
  await expect([`${folder}@old`, `${folder}@young`, "/gone"], "D\t/gone\n", 1);
  await expect(
    ["--stat", young, old, "/docs/guide.txt"],
    " docs/guide.txt | 3 +--\n 1 file changed, 1 insertion(+), 2 deletions(-)\n",
    1,
  );
});

test("what cannot be compared ends with another status than 1", async (t) => {
  const { folder, old, young } = await imagesOf(t);
  const more = "hint: docteur diff --help says more";
  await expectFailures([
    [["diff", old], 16, "docteur: B is missing", more],
    [["diff", old, young, "/nowhere"], 16, "docteur: neither image has /nowhere", more],
    [["diff", "--stat", "-p", old, young], 16, "docteur: --patch and --stat exclude each other", more],
    [["diff", "-z", "-p", old, young], 16, "docteur: -z goes with names, not with --patch", more],
    [["diff", "-U", "3", old, young], 16, "docteur: --unified goes with --patch", more],
    [
      ["diff", old, join(folder, "none")],
      8,
      `docteur: Could not open block device: ${join(folder, "none")}: no such file or directory`,
    ],
    [
      ["diff", old, `${folder}@none`],
      13,
      `docteur: no branch, tag or commit none in ${folder.replace(/\/$/, "")}`,
      `hint: it has ${git(folder, "branch", "--show-current")}, old, young`,
    ],
  ]);
});
