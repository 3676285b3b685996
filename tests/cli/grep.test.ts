/** `docteur grep`: its forms beside those of `git grep`, JSON, colours and exit statuses. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { docteur } from "../support/cli.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { commitAll, GIT_ENVIRONMENT, git } from "../support/git.js";
import { temporaryFolder } from "../support/temporary.js";
import { flawedDirectories } from "../support/unsound-images.js";

const FILES: Record<string, string | Buffer> = {
  "a/one.txt": "alpha\nbeta\ngamma alpha\ndelta\n",
  "a/two.md": "Alpha\nno end",
  "b/same.txt": "alpha\nbeta\ngamma alpha\ndelta\n",
  "b/binary": Buffer.from("alpha\0beta\n"),
  "b/latin": Buffer.from("caf\xe9 alpha\n", "latin1"),
  empty: "",
};

async function imageOf(t: TestContext): Promise<{ folder: string; image: string }> {
  const top = temporaryFolder(t);
  const folder = join(top, "repository");
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  git(folder, "init", "-q");
  commitAll(folder, "texts");
  const image = join(top, "image");
  assert.equal((await docteur(["make", folder, image])).status, 0);
  return { folder, image };
}

test("the forms of the output are those of git grep", async (t) => {
  const { folder, image } = await imageOf(t);
  for (const options of [
    ["alpha"],
    ["-n", "alpha"],
    ["-l", "alpha"],
    ["-L", "alpha"],
    ["-c", "alpha"],
    ["-o", "al.h"],
    ["-on", "a"],
    ["-il", "ALPHA"],
    ["-C1", "-n", "gamma"],
    ["-B1", "gamma"],
    ["-a", "alpha"],
    ["-lz", "beta"],
    ["-v", "-c", "alpha"],
    ["-w", "alph"],
    ["-F", "al.ha"],
    ["-m1", "alpha"],
    ["--color=always", "-n", "gamma"],
  ]) {
    const pattern = options.pop()!;
    const plain = options.filter((option) => !option.startsWith("--color"));
    const theirs = spawnSync("git", ["grep", "--threads=1", "-E", ...plain, "-e", pattern], {
      cwd: folder,
      env: { ...GIT_ENVIRONMENT, LC_ALL: "C.UTF-8" },
    });
    const ours = await docteur(["grep", ...options, pattern, image], { encoding: "latin1" });
    const where = [...options, pattern].join(" ");
    const text = ours.stdout.replace(/\x1b\[\d+m/g, "");
    assert.equal(text.replace(/(^|\n|\0|file )\//g, "$1"), theirs.stdout.toString("latin1"), where);
    assert.equal(text === ours.stdout, plain.length === options.length, where);
    assert.deepEqual([ours.stderr, ours.status], ["", theirs.status], where);
  }
});

test("paths and patterns of names choose the files", async (t) => {
  const { image } = await imageOf(t);
  const grep = async (...args: string[]): Promise<string> => (await docteur(["grep", ...args])).stdout;
  assert.equal(await grep("-l", "alpha", image, "a"), "/a/one.txt\n");
  assert.equal(await grep("beta", image, "/a/one.txt"), "beta\n");
  assert.equal(await grep("-H", "beta", image, "/a/one.txt"), "/a/one.txt:beta\n");
  assert.equal(await grep("--no-filename", "beta", image, "/a"), "beta\n");
  assert.equal(await grep("-l", "--include", "*.txt", "alpha", image), "/a/one.txt\n/b/same.txt\n");
  assert.equal(await grep("-l", "--include", "b/*", "alpha", image), "/b/binary\n/b/latin\n/b/same.txt\n");
  assert.equal(await grep("-l", "--exclude", "{a,b}/*", "alpha", image), "");
  assert.equal(await grep("-l", "--exclude", "*.txt", "--exclude", "bin*", "alpha", image), "/b/latin\n");
  assert.equal(await grep("-L", "--include", "*.txt", "delta", image), "");
});

test("JSON has lines and the places of matches in bytes", async (t) => {
  const { image } = await imageOf(t);
  const { stdout } = await docteur(["grep", "--json", "alpha", image, "b/latin", "b/binary"]);
  assert.deepEqual(JSON.parse(stdout), [
    {
      path: "/b/latin",
      binary: false,
      lineCount: 1,
      lines: [
        { number: 1, found: true, text: "caf\ufffd alpha", base64: "Y2Fm6SBhbHBoYQ==", spans: [[5, 10]] },
      ],
    },
    { path: "/b/binary", binary: true, lineCount: 1, lines: [] },
  ]);
  assert.equal((await docteur(["grep", "--json", "nothing at all", image])).stdout, "[]\n");
});

test("exit statuses, and wrong patterns", async (t) => {
  const { image } = await imageOf(t);
  const run = async (...args: string[]): Promise<[number | null, string, string]> => {
    const { status, stdout, stderr } = await docteur(["grep", ...args]);
    return [status, stdout, stderr];
  };
  assert.deepEqual(await run("-q", "alpha", image), [0, "", ""]);
  assert.deepEqual(await run("nothing at all", image), [1, "", ""]);
  const [status, stdout, stderr] = await run("(", image);
  assert.deepEqual([status, stdout], [16, ""]);
  assert.match(stderr, /^docteur: not a regular expression: .*\nhint: .*--fixed-strings takes any text\n$/);
});

test("a damaged file fails the search, unless it is not searched", async (t) => {
  const image = new CraftedImage();
  const good = image.object("blob", "alpha\n");
  const bad = image.raw("a".repeat(40), Buffer.from([0x35, 0x78, 0x9d, 0, 0, 0, 0, 0, 0, 0]));
  image.commit(image.tree(treeEntry("100644", "bad", bad.oid), treeEntry("100644", "good", good.oid)).oid);
  const path = join(temporaryFolder(t), "image");
  writeFileSync(path, image.finish().bytes);
  for (const jobs of ["1", "3"]) {
    const failed = await docteur(["grep", "-j", jobs, "alpha", path]);
    assert.deepEqual([failed.status, failed.stdout], [4, ""]);
    const found = await docteur(["grep", "-j", jobs, "alpha", path, "/good"]);
    assert.deepEqual([found.status, found.stdout], [0, "alpha\n"]);
  }
});

test("directories that no other command reads are refused", async (t) => {
  const path = join(temporaryFolder(t), "image");
  for (const [name, bytes] of flawedDirectories()) {
    writeFileSync(path, bytes);
    const { status, stdout } = await docteur(["ls", "-r", path]);
    for (const args of [
      ["checksum", path],
      ["grep", "-l", "fine", path],
    ]) {
      const result = await docteur(args);
      if (status !== 0) assert.deepEqual([result.status, result.stdout], [status, ""], name);
      for (const [, found] of result.stdout.matchAll(/^(?:[0-9a-f]{64} {2})?(.*)$/gm))
        if (found !== "") assert.ok(stdout.includes(found!), `${name}: ${found}`);
    }
  }
});
