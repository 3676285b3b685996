/**
 * Names that are not plain text, wherever a name can come from: they are shown in quotes, can be asked for as they are
 * shown, and command neither a terminal nor a runner of CI jobs.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { quotePath } from "../../src/text/quoted-path.js";
import { docteur, type RunResult } from "../support/cli.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { commitAll, git } from "../support/git.js";
import { distPath, runNode } from "../support/programs.js";
import { temporaryFolder } from "../support/temporary.js";

/** Names that file systems take, with some of all that must not be shown as it is. */
const NAMES = [
  "##[error]x",
  "##vso[task.complete]",
  "::error::x",
  "gpj.\u202eexe",
  "\x1b[31mred",
  "\u009b31m",
  "two\nlines",
  'say "hi"',
  "back\\slash",
  "plain",
  "日本語",
].map((name) => Buffer.from(name));
/** All of them in two names: each command that is tried starts a process. */
const ALL_IN_TWO = [
  NAMES.slice(0, 6),
  NAMES.slice(6).concat(Buffer.from("##[error]x"), Buffer.from("\n::error::x")),
].map((names) => names.join(" "));
const BYTES = [Buffer.from("caf\xe9", "latin1"), Buffer.from([0xff, 0x80, 0x20, 0xe2, 0x82])];

/** An image with these names in its root and in a directory that is not UTF-8 either; each file holds its name. */
function namesImage(t: TestContext): string {
  const image = new CraftedImage();
  const entries = [...NAMES, ...BYTES]
    .sort(Buffer.compare)
    .map((name) => treeEntry("100644", name.toString("latin1"), image.object("blob", name).oid));
  const folder = image.tree(...entries);
  image.commit(image.tree(treeEntry("40000", "d\xe9", folder.oid)).oid);
  const path = join(temporaryFolder(t), "names.img");
  writeFileSync(path, image.finish().bytes);
  return path;
}

/** Fails where a text commands: a control, a character that turns the direction, a runner's command. */
function assertHarmless({ stdout, stderr }: Pick<RunResult, "stdout" | "stderr">, where: string): void {
  assert.doesNotMatch(stdout + stderr, /[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/, where);
  assert.doesNotMatch(stdout + stderr, /##[a-z]*\[|^\s*::/im, where);
}

test("what ls prints can be given to cat and ls", async (t) => {
  const image = namesImage(t);
  const listed = await docteur(["ls", "-r", image]);
  assertHarmless(listed, "ls -r");
  const [folder, ...paths] = listed.stdout.split("\n").slice(0, -1);
  assert.equal(folder, '"/d\\351"');
  assert.equal(paths.length, NAMES.length + BYTES.length);
  const seen = await Promise.all(
    paths.map(async (path) => {
      const content = await docteur(["cat", image, path], { encoding: "latin1" });
      assert.deepEqual([content.status, content.stderr], [0, ""], path);
      const [alone, name] = [await docteur(["ls", image, path]), Buffer.from(content.stdout, "latin1")];
      assert.equal(alone.stdout, `${quotePath(name)}\n`);
      return content.stdout;
    }),
  );
  const expected = [...NAMES, ...BYTES].sort(Buffer.compare).map((name) => name.toString("latin1"));
  assert.deepEqual(seen, expected);
  const plain = await docteur(["ls", image, folder]);
  assert.deepEqual(
    plain.stdout.split("\n").slice(0, -1),
    expected.map((name) => quotePath(Buffer.from(name, "latin1"))),
  );
  const raw = await docteur(["ls", "-z", image, folder], { encoding: "latin1" });
  assert.deepEqual(raw.stdout.split("\0").slice(0, -1), expected);
});

test("ls --json shows a path that is not UTF-8 in quotes, too", async (t) => {
  const { stdout } = await docteur(["ls", "--json", "-r", namesImage(t)]);
  assert.doesNotMatch(stdout, /##\[|[\u202e\u009b]/);
  const entries = JSON.parse(stdout) as { name: string; quoted?: string }[];
  assert.ok(entries.some(({ name }) => name === "##[error]x"));
  assert.ok(entries.some(({ quoted }) => quoted === '"/d\\351/caf\\351"'));
});

test("errors show every name in one harmless line, wherever it comes from", async (t) => {
  const image = namesImage(t);
  const work = temporaryFolder(t);
  for (const name of ALL_IN_TWO) {
    const commands = [
      ["ls", image, `/${name}`],
      ["cat", image, `/${name}`],
      ["cat", image, `"${name}`],
      ["cat", image, "/x", name],
      ["ls", `--${name}`, image],
      ["ls", "--mode", name, image],
      ["ls", "--bs", name, image],
      ["ls", "--commit", name, image],
      ["verify", "--against", name, image],
      ["verify", "--tree", name, image],
      ["verify", join(work, name)],
      ["cat", join(work, name), "/"],
      ["checksum", join(work, name)],
      ["make", join(work, name), join(work, "image")],
      ["make", `https://[${name}/`, join(work, "image")],
      ["make", "-b", name, work, join(work, "image")],
      ["make", "-d", name, work, join(work, "image")],
      ["make", work, join(work, "none", name)],
      [name],
    ];
    for (const args of commands) {
      const result = await docteur(args);
      assert.notEqual(result.status, 0, args.join(" "));
      assertHarmless(result, args.join(" "));
      assert.ok(result.stderr.split("\n").length <= 3, result.stderr);
    }
    for (const args of [[`--block:docteur=${join(work, name)}`, "guest"], [join(work, name)], [`--${name}`]])
      assertHarmless(runNode("tools/solo5-wasm.js", args, work), args.join(" "));
  }
});

/** An image whose tree holds names that verify and readers find fault with, or objects that are not there. */
test("verify, ls and checksum of damaged images show names in harmless lines", async (t) => {
  const path = join(temporaryFolder(t), "damaged.img");
  for (const text of ALL_IN_TWO) {
    const image = new CraftedImage();
    const name = Buffer.from(text);
    const entry = name.toString("latin1");
    const lost = image.tree(
      treeEntry("100644", entry, "b".repeat(40)),
      treeEntry("100644", entry, "b".repeat(40)),
    );
    image.commit(image.tree(treeEntry("40000", entry, lost.oid)).oid);
    writeFileSync(path, image.finish().bytes);
    for (const args of [
      ["verify", path],
      ["verify", "--json", path],
      ["verify", "--quick", path],
      ["ls", "-lr", path],
      ["checksum", path],
      ["cat", path, `"${quotePath(name).replaceAll('"', "")}/x"`],
    ]) {
      const result = await docteur(args, { env: { GITHUB_ACTIONS: undefined } });
      assertHarmless(result, args.join(" "));
    }
    const onGitHub = await docteur(["verify", path], { env: { GITHUB_ACTIONS: "true" } });
    assert.doesNotMatch(onGitHub.stdout, /##[a-z]*\[|\u202e/);
    for (const line of onGitHub.stdout.split("\n").slice(0, -1))
      assert.match(line, /^::(?:error|warning|notice) file=/);
  }
});

test("make shows the names of its source in harmless lines", async (t) => {
  const work = temporaryFolder(t);
  const [folder, image] = [join(work, "folder"), join(work, "image")];
  for (const name of [...NAMES, ...BYTES]) {
    const inside = Buffer.concat([Buffer.from(`${folder}/`), name]);
    mkdirSync(inside, { recursive: true });
    mkdirSync(Buffer.concat([inside, Buffer.from("/.git")]));
    writeFileSync(Buffer.concat([inside, Buffer.from("/file")]), name);
    symlinkSync(
      Buffer.concat([Buffer.from("nowhere-"), name]),
      Buffer.concat([inside, Buffer.from("/link")]),
    );
  }
  const made = await docteur(["make", folder, image], { closing: true });
  assert.equal(made.status, 0, made.stderr);
  assertHarmless(made, "make");
  assert.match(made.stderr, /"[^"]*folder\/caf\\351\/.git" is left out: git trees hold no .git/);
  const compat = await docteur(["make", "--compat", folder, image]);
  assert.equal(compat.status, 8);
  assertHarmless(compat, "make --compat");

  const repository = join(work, "repository");
  mkdirSync(repository);
  git(repository, "init", "-q", "-b", "main");
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 5\n`;
  writeFileSync(Buffer.concat([Buffer.from(`${repository}/`), BYTES[0]!]), pointer);
  writeFileSync(join(repository, "a\u202eb"), pointer);
  commitAll(repository, "pointers");
  const pointers = await docteur(["make", repository, image]);
  assert.equal(
    pointers.stderr,
    'docteur: warning: 2 files are Git LFS pointers, not the content: "a\\342\\200\\256b", "caf\\351"\n',
  );
  assertHarmless(await docteur(["make", "--strict", repository, image]), "make --strict");
  const { stdout } = await docteur(["make", "-q", "--json", repository, image]);
  assert.deepEqual(JSON.parse(stdout).lfsPointers.first, [
    { path: "/a\u202eb" },
    { path: "/caf\ufffd", quoted: '"/caf\\351"' },
  ]);
});

const isLinux = process.platform === "linux";
test("a path of bytes that are not UTF-8 is found as it is on Linux, which tells the bytes", {
  skip: !isLinux,
}, (t) => {
  const script = `exec "$0" "$@" "$(printf '/d\\351/caf\\351')"`;
  const args = ["-c", script, process.execPath, distPath("tools/docteur.js"), "cat", namesImage(t)];
  const { status, stdout, stderr } = spawnSync("sh", args, { encoding: "latin1" });
  assert.deepEqual([status, stdout, stderr], [0, "caf\xe9", ""]);
});
