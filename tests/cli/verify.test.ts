/** `docteur verify` and `docteur checksum` for continuous integration: options, reports, annotations, statuses. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Report } from "../../src/verify/index.js";
import { docteur, type RunOptions } from "../support/cli.js";
import { damagedImage, repositoryAndImage } from "../support/command-images.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { fixture, fixturePath } from "../support/fixtures.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const TINY = fixturePath("tiny.img");
const TINY_COMMIT = "7ad85c0683dd15532593efd1409b62db93f4481f";
const TINY_TREE = "716008696c401e314dddc7711a906dc6264d051c";
const OTHER = "0123456789abcdef0123456789abcdef01234567";

async function reports(
  args: string[],
  options: RunOptions = {},
): Promise<{ status: number | null; list: Report[] }> {
  const { status, stdout, stderr } = await docteur(["verify", "--json", ...args], options);
  assert.equal(stderr, "");
  const lines = stdout.split("\n");
  assert.equal(lines.pop(), "");
  return { status, list: lines.map((line) => JSON.parse(line) as Report) };
}

test("several images: a report a line, the worst status", async (t) => {
  const damaged = damagedImage(t);
  const none = join(temporaryFolder(t), "none");
  const first = await reports([TINY, damaged, fixturePath("modes.img")]);
  assert.equal(first.status, 4);
  assert.deepEqual(
    first.list.map(({ image, status }) => [image, status]),
    [
      [TINY, "sound"],
      [damaged, "damaged"],
      [fixturePath("modes.img"), "sound"],
    ],
  );
  const second = await reports([none, damaged, TINY]);
  assert.equal(second.status, 8);
  assert.deepEqual(
    second.list.map(({ status }) => status),
    ["unreadable", "damaged", "sound"],
  );
  const { stdout, stderr, status } = await docteur(["verify", TINY, damaged]);
  assert.match(stdout, new RegExp(`^image\t: ${TINY}\ncommit\t: ${TINY_COMMIT}\n`));
  assert.match(
    stderr,
    new RegExp(`^docteur: ${damaged}: the index \\(IDX\\) is damaged: its object id 0 is wrong`),
  );
  assert.equal(status, 4);
});

test("a finding in JSON has its code, object and offset", async (t) => {
  const { list } = await reports([damagedImage(t)]);
  const [report] = list as [Report];
  assert.deepEqual(
    report.findings.map(({ severity, code, offset }) => [severity, code, offset]),
    [["error", "BadIdx", 0x600 + 1032]],
  );
  assert.match(report.findings[0]!.oid!, /^[0-9a-f]{40}$/);
  assert.equal(report.commit, TINY_COMMIT);
});

test("--commit and --tree", async () => {
  for (const quick of [[], ["--quick"]]) {
    const run = async (...args: string[]): Promise<[number | null, string]> => {
      const { status, list } = await reports([...quick, ...args, TINY]);
      return [status, list[0]!.status];
    };
    assert.deepEqual(await run(`--commit=${TINY_COMMIT}`, `--tree=${TINY_TREE.toUpperCase()}`), [0, "sound"]);
    assert.deepEqual(await run(`--commit=${OTHER}`), [4, "mismatch"]);
    assert.deepEqual(await run(`--tree=${OTHER}`), [4, "mismatch"]);
    assert.deepEqual(await run(`--commit=${TINY_TREE}`), [4, "mismatch"]);
  }
});

test("arguments that make no sense end with 16", async () => {
  for (const args of [
    ["--commit=7ad85c06", TINY],
    ["--tree=HEAD", TINY],
    ["--max-findings=0", TINY],
    ["--jobs=9", TINY],
    ["--jobs=x", TINY],
    ["--memory=1M", TINY],
    ["--memory=4G", TINY],
    ["--memory=64X", TINY],
    ["--quick"],
  ]) {
    const { status, stdout, stderr } = await docteur(["verify", ...args]);
    assert.deepEqual([status, stdout], [16, ""], args.join(" "));
    assert.match(stderr, /^docteur: .*\nhint: /);
  }
});

test("--max-findings", async (t) => {
  const path = join(temporaryFolder(t), "image");
  const bytes = fixture("tiny.img").slice();
  for (let rank = 0; rank < 21; rank++) bytes[0x600 + 1032 + 21 * 20 + rank * 4]! ^= 1;
  writeFileSync(path, bytes);
  const all = (await reports([path])).list[0]!;
  assert.deepEqual([all.findings.length, all.truncated], [21, false]);
  const few = (await reports(["--max-findings", "5", path])).list[0]!;
  assert.deepEqual([few.findings, few.truncated], [all.findings.slice(0, 5), true]);
  const { stderr } = await docteur(["verify", "--max-findings=2", path]);
  assert.match(stderr, /^(docteur: the index.*\n){2}docteur: there is more \(--max-findings\)\n$/);
});

test("--memory raises the limit that a report of status 5 names", async (t) => {
  const path = join(temporaryFolder(t), "image");
  const image = new CraftedImage();
  const { oid } = image.object("blob", "text");
  const entries = Array.from({ length: 100_000 }, (_, index) =>
    treeEntry("100644", index.toString(36).padStart(30, "0"), oid),
  );
  image.commit(image.tree(...entries).oid);
  writeFileSync(path, image.finish().bytes);
  for (const memory of ["4M", "4", "4096k"]) {
    const { status, list } = await reports([`--memory=${memory}`, path]);
    assert.deepEqual([status, list[0]!.status, list[0]!.findings[0]!.code], [5, "unknown", "OutOfMemory"]);
  }
  const { stderr } = await docteur(["verify", "--memory=2M", TINY, path]);
  assert.match(stderr, /hint: raise the memory limit \(memoryLimit, --memory\)\n/);
  for (const memory of ["64M", "64", "1g"])
    assert.equal((await docteur(["verify", `--memory=${memory}`, path])).status, 0, memory);
});

/** The message of an annotation as GitHub's runner reads it. */
function unescapeData(text: string): string {
  return text
    .replace(/%0D/g, "\r")
    .replace(/%0A/g, "\n")
    .replace(/%3A/g, ":")
    .replace(/%2C/g, ",")
    .replace(/%25/g, "%");
}

test("annotations where GitHub runs it", async (t) => {
  const damaged = damagedImage(t, "100%, a:b.img");
  const env = { GITHUB_ACTIONS: "true" };
  const { stdout, status } = await docteur(["verify", damaged], { env });
  const [, kind, file, title, message] = /^::(\w+) file=([^,:]*),title=([^,:]*)::([^\n]*)\n$/.exec(stdout)!;
  assert.deepEqual(
    [status, kind, unescapeData(file!), unescapeData(title!)],
    [4, "error", damaged, "docteur: BadIdx"],
  );
  assert.match(unescapeData(message!), /^the index \(IDX\) is damaged: its object id 0 is wrong/);
  const json = await docteur(["verify", "--json", damaged], { env });
  assert.doesNotThrow(() => JSON.parse(json.stdout));
  // The runner's older commands, anywhere in a line.
  const old = imageSaying(t, "a ##[error]forged");
  const told = await docteur(["verify", "--json", old], { env });
  assert.ok(!told.stdout.includes("##["));
  assert.equal((JSON.parse(told.stdout) as Report).message, "a ##[error]forged");
  assert.equal((await docteur(["verify", "-q", damaged], { env })).stdout, "");
  assert.doesNotMatch(
    (await docteur(["verify", damaged], { env: { GITHUB_ACTIONS: "false" } })).stdout,
    /::/,
  );
});

/** A sound image with a file `-`, and a commit with this message. */
function imageSaying(t: TestContext, message: string): string {
  const image = new CraftedImage();
  const blob = image.object("blob", "content\n");
  const tree = image.tree(treeEntry("100644", "-", blob.oid), treeEntry("100644", "f", blob.oid));
  const who = "A U Thor <author@example.org> 1717740550 +0200";
  const text = `tree ${tree.oid}\nauthor ${who}\ncommitter ${who}\n\n${message}`;
  image.head(image.object("commit", text));
  const path = join(temporaryFolder(t), "saying.img");
  writeFileSync(path, image.finish().bytes);
  return path;
}

test("on GitHub a commit's message commands nothing", async (t) => {
  const message = "subject\n\n::error file=x::forged";
  const image = imageSaying(t, message);
  const { stdout } = await docteur(["verify", image], { env: { GITHUB_ACTIONS: "true" } });
  const [, token, text] = /^::stop-commands::([0-9a-f-]{36})\n(.*)\n::\1::\n$/s.exec(stdout)!;
  assert.ok(!text!.includes(token!) && text!.endsWith(`${message}\n`));
  assert.equal((await docteur(["verify", image], { env: { GITHUB_ACTIONS: "false" } })).stdout, text);
});

test("sha256sum checks a file whose name is a dash", async (t) => {
  const { stdout } = await docteur(["checksum", imageSaying(t, "message\n")]);
  const cwd = temporaryFolder(t);
  for (const name of ["-", "f"]) writeFileSync(join(cwd, name), "content\n");
  execFileSync("sha256sum", ["--check", "--strict", "--quiet"], { cwd, input: stdout });
});

test("garbage is an image that is none", async (t) => {
  const folder = temporaryFolder(t);
  const random = seeded(7);
  for (let round = 0; round < 4; round++) {
    const bytes = Buffer.alloc(512 * (1 + random(8)));
    for (let at = 0; at < bytes.length; at++) bytes[at] = random(256);
    if (round > 1) bytes.set(fixture("tiny.img").subarray(0, 40));
    writeFileSync(join(folder, "garbage"), bytes);
    for (const quick of [[], ["--quick"]]) {
      const { status, list } = await reports([...quick, join(folder, "garbage")]);
      assert.deepEqual([status, list[0]!.status], [4, "damaged"], `round ${round}`);
    }
  }
});

test("--against", async (t) => {
  const { folder, image } = await repositoryAndImage(t);
  for (const quick of [[], ["--quick"]]) {
    for (const against of [folder, `${folder}@main`, `${folder}@HEAD`])
      assert.deepEqual((await reports([...quick, "--against", against, image])).status, 0, against);
    const { status, list } = await reports([...quick, "--against", `${folder}@one`, image]);
    assert.deepEqual([status, list[0]!.status], [4, "mismatch"]);
    assert.deepEqual([...new Set(list[0]!.findings.map(({ code }) => code))], ["Mismatch"]);
    assert.ok(list[0]!.findings.some(({ path }) => path === "/a"));
  }
  const unusable: [string, number][] = [
    [join(folder, "none"), 12],
    [`${folder}@nothing`, 13],
    [temporaryFolder(t), 8],
  ];
  for (const [against, expected] of unusable)
    assert.equal((await docteur(["verify", "--against", against, image])).status, expected, against);
  assert.equal((await docteur(["verify", "--against", `${folder}@-x`, image])).status, 16);
});

const hasSha256sum = spawnSync("sha256sum", ["--version"]).status === 0;

test("checksum, as sha256sum checks it", { skip: !hasSha256sum }, async (t) => {
  const work = temporaryFolder(t);
  const tree = join(work, "tree");
  mkdirSync(join(tree, "a"), { recursive: true });
  for (const name of ["a/z", "a.b", "back\\slash", "new\nline", "é", "a!", "empty"])
    writeFileSync(join(tree, name), name === "empty" ? "" : `content of ${name}\n`);
  writeFileSync(join(tree, "large"), Buffer.alloc(2_500_000, "0123456789"));
  chmodSync(join(tree, "a.b"), 0o755);
  symlinkSync("a.b", join(tree, "link"));
  const image = join(work, "disk.img");
  assert.equal((await docteur(["make", "-q", tree, image])).status, 0);
  const { stdout, status, stderr } = await docteur(["checksum", image]);
  assert.deepEqual([status, stderr], [0, ""]);
  const paths = stdout
    .trimEnd()
    .split("\n")
    .map((line) => line.replace(/^\\?[0-9a-f]{64} {2}/, ""));
  assert.deepEqual(paths, ["a!", "a.b", "a/z", "back\\\\slash", "empty", "large", "new\\nline", "é"]);
  execFileSync("sha256sum", ["--check", "--quiet", "--strict"], { cwd: tree, input: stdout });
  writeFileSync(join(tree, "a/z"), "something else\n");
  assert.equal(spawnSync("sha256sum", ["--check", "--quiet"], { cwd: tree, input: stdout }).status, 1);
  const blobs = await docteur(["checksum", "--git", image]);
  const oid = execFileSync("git", ["hash-object", join(tree, "a.b")])
    .toString()
    .trim();
  assert.ok(blobs.stdout.includes(`${oid}  a.b\n`));
  assert.match(blobs.stdout, /^[0-9a-f]{40} {2}link$/m);
});

test("several errors end with their number, with which a damaged image is named", async (t) => {
  const bytes = fixture("tiny.img");
  // The first object's stream, and so its checksum and that of the PACK.
  bytes[60]! ^= 0xff;
  const path = join(temporaryFolder(t), "bad.img");
  writeFileSync(path, bytes);
  const { status, stderr } = await docteur(["verify", path], { closing: true });
  assert.equal(status, 4);
  const lines = stderr.trimEnd().split("\n");
  const errors = lines.filter((line) => line.startsWith("docteur: "));
  assert.ok(errors.length > 1, stderr);
  assert.equal(lines.at(-1), `${path}: damaged: ${errors.length} errors`);
  const few = await docteur(["verify", "--max-findings", "1", path], { closing: true });
  assert.equal(few.stderr, `${errors[0]}\ndocteur: there is more (--max-findings)\n`);
  const quiet = await docteur(["verify", "-q", path], { closing: true });
  assert.equal(quiet.stderr, "");
});
