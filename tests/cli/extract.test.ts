/** `docteur extract`: what it writes, against git, tar, unzip and Python's zipfile; interruption and continuation. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { extract } from "../../src/extract/index.js";
import { make } from "../../src/make/index.js";
import { open } from "../../src/open.js";
import { docteur } from "../support/cli.js";
import { git } from "../support/git.js";
import { commandOf } from "../support/programs.js";
import { RangeServer } from "../support/range-server.js";
import { tarOf } from "../support/tar-writer.js";
import { temporaryFolder } from "../support/temporary.js";

const DATE = "1717740550 +0200";
const SECONDS = 1717740550;

/** Everything in a folder, each with its path as a byte string. */
function* walk(folder: Buffer, shown = ""): Generator<{ path: Buffer; label: string }> {
  for (const name of readdirSync(folder, { encoding: "buffer" }).sort(Buffer.compare)) {
    const path = Buffer.concat([folder, Buffer.from("/"), name]);
    const label = `${shown}/${name.toString("latin1")}`;
    yield { path, label };
    if (lstatSync(path).isDirectory()) yield* walk(path, label);
  }
}

/** Names, kinds, executables and contents of a tree. */
function listing(folder: string): string[] {
  return Array.from(walk(Buffer.from(folder)), ({ path, label }) => {
    const found = lstatSync(path);
    if (found.isSymbolicLink()) return `${label} -> ${readlinkSync(path, "latin1")}`;
    if (found.isDirectory()) return `${label}/`;
    return `${label} ${(found.mode & 0o111) !== 0} ${readFileSync(path, "latin1")}`;
  });
}

/** A repository with names and kinds of all sorts, and its image. */
async function sample(
  t: TestContext,
  files = 300,
): Promise<{ folder: string; repository: string; image: string }> {
  const folder = temporaryFolder(t);
  const repository = join(folder, "repository");
  mkdirSync(repository);
  git(repository, "init", "-q");
  const put = (path: string | Buffer, content: string | Buffer): void => writeFileSync(path, content);
  const at = (name: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from(`${repository}/`), Buffer.from(name)]);
  for (let index = 0; index < files; index++) {
    mkdirSync(join(repository, `docs/part-${index % 7}`), { recursive: true });
    put(at(`docs/part-${index % 7}/file-${index}.md`), `# ${index}\n`.repeat(index % 50));
  }
  for (const name of ["é", "new\nline", 'quote"', "back\\slash", "-dash", " lead", ".hidden", "[a]*.txt"])
    put(at(name), `${name}\n`);
  put(at(Buffer.from([0x61, 0xff, 0x62])), "not UTF-8\n");
  put(at("empty"), "");
  put(at("large"), Buffer.alloc(3_000_000, "0123456789abcdef\n"));
  mkdirSync(join(repository, "x".repeat(90), "y".repeat(120), "z".repeat(90)), { recursive: true });
  put(at(`${"x".repeat(90)}/${"y".repeat(120)}/${"z".repeat(90)}/${"w".repeat(120)}`), "deep\n");
  put(at("run.sh"), "#!/bin/sh\n");
  chmodSync(at("run.sh"), 0o755);
  symlinkSync("docs/part-1", at("link"));
  symlinkSync("/nowhere", at("dangling"));
  symlinkSync("t".repeat(300), at("far"));
  git(repository, "add", "-A");
  const env = { GIT_COMMITTER_DATE: DATE, GIT_AUTHOR_DATE: DATE };
  execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "all"], {
    cwd: repository,
    env: { ...process.env, ...env },
  });
  const image = join(folder, "disk.img");
  await make(repository, image);
  return { folder, repository, image };
}

test("an image is extracted as git checks the commit out, by threads and without", async (t) => {
  const { folder, repository, image } = await sample(t);
  const expected = join(folder, "expected");
  git(repository, "checkout-index", "-a", `--prefix=${expected}/`);
  for (const jobs of ["1", "3"]) {
    const out = join(folder, `out-${jobs}`);
    const { status, stderr } = await docteur(["extract", image, "-C", out, "-j", jobs], { closing: true });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /: commit [0-9a-f]{40}, 3\d\d files, 3\.\d MB written, [0-9.]+ s\n$/);
    assert.deepEqual(listing(out), listing(expected));
    for (const { path, label } of walk(Buffer.from(out)))
      assert.equal(lstatSync(path).mtimeMs, SECONDS * 1000, label);
  }
  // Several files at once, in one thread.
  const out = join(folder, "out-of-bytes");
  const { writtenBytes } = await extract(readFileSync(image), out);
  const sizes = Array.from(walk(Buffer.from(out)), ({ path }) => lstatSync(path)).map((found) =>
    found.isDirectory() ? 0 : found.size,
  );
  assert.equal(
    writtenBytes,
    sizes.reduce((sum, size) => sum + size, 0),
  );
});

/** What `docteur extract` prints. */
function printed(args: readonly string[], env: Record<string, string> = {}): Buffer {
  const [file, ...own] = commandOf("docteur");
  return execFileSync(file, [...own, "extract", ...args], {
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
}

function isMissing(program: string): boolean {
  return spawnSync(program, ["--version"]).error !== undefined;
}

test("tar archives hold what git's do, and are the same every time", async (t) => {
  const { folder, repository, image } = await sample(t);
  const expected = join(folder, "expected");
  const unpacked = join(folder, "unpacked");
  for (const path of [expected, unpacked]) mkdirSync(path);
  execFileSync("tar", ["-xf", "-", "-C", expected], {
    input: execFileSync("git", ["archive", "HEAD"], { cwd: repository, maxBuffer: 1 << 28 }),
  });
  const tar = printed(["--tar", image]);
  execFileSync("tar", ["-xf", "-", "-C", unpacked], { input: tar });
  assert.deepEqual(listing(unpacked), listing(expected));
  assert.equal(statSync(join(unpacked, "run.sh")).mtimeMs, SECONDS * 1000);
  const commit = execFileSync("git", ["get-tar-commit-id"], { input: tar.subarray(0, 1024) });
  assert.equal(commit.toString().trim(), git(repository, "rev-parse", "HEAD"));
  assert.ok(printed(["--tar", image]).equals(tar));
  const compressed = printed(["--tar.gz", image]);
  assert.ok(execFileSync("gzip", ["-dc"], { input: compressed, maxBuffer: 1 << 28 }).equals(tar));
  assert.ok(printed(["--tar.gz", image]).equals(compressed));
  if (isMissing("bsdtar")) return;
  const other = join(folder, "bsdtar");
  mkdirSync(other);
  const env = { ...process.env, LC_ALL: "C.UTF-8" };
  execFileSync("bsdtar", ["-xf", "-", "-C", other], { input: tar, env });
  assert.deepEqual(listing(other), listing(expected));
});

test("zip archives are the same every time, wherever", async (t) => {
  const { image } = await sample(t, 20);
  const [first, second] = ["Asia/Tokyo", "America/New_York"].map((TZ) => printed(["--zip", image], { TZ }));
  assert.ok(first!.equals(second!));
});

test("zip archives are what Python and unzip expect", {
  skip: isMissing("python3") ? "there is no python3" : false,
}, async (t) => {
  const { folder, repository, image } = await sample(t);
  const zip = join(folder, "files.zip");
  writeFileSync(zip, printed(["--zip", image]));
  const names = execFileSync("python3", ["-c", PYTHON, zip], { maxBuffer: 1 << 28 })
    .toString()
    .split("\0");
  const expected = join(folder, "expected");
  git(repository, "checkout-index", "-a", `--prefix=${expected}/`);
  const files = listing(expected).filter((line) => !line.includes(" -> ")).length;
  assert.equal(names.length, files + 3);
  if (!isMissing("unzip")) assert.equal(spawnSync("unzip", ["-tq", zip]).status, 0);
});

test("a zip archive of more names than 16 bits count is ZIP64's, and whole", {
  skip: isMissing("python3") ? "there is no python3" : false,
}, async (t) => {
  const folder = temporaryFolder(t);
  const count = (1 << 16) + 3;
  const source = join(folder, "source.tar");
  const members = Array.from({ length: count }, (_, index) => ({
    name: `${index >> 12}/${index}`,
    content: index % 2 === 0 ? "" : "odd\n",
  }));
  writeFileSync(source, tarOf(...members));
  const image = join(folder, "disk.img");
  await make(source, image);
  const zip = join(folder, "files.zip");
  writeFileSync(zip, printed(["--zip", image]));
  const read = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.read("3/12289") == b"odd\\n"
print(sum(not name.endswith("/") for name in z.namelist()), z.testzip())`;
  assert.equal(execFileSync("python3", ["-c", read, zip]).toString(), `${count} None\n`);
});

/** Tests an archive, and prints its names. */
const PYTHON = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
assert z.testzip() is None
assert z.read("empty") == b"" and len(z.read("large")) == 3000000
assert z.getinfo("run.sh").external_attr >> 16 == 0o100755
assert z.getinfo("link").external_attr >> 16 == 0o120777 and z.read("link") == b"docs/part-1"
assert z.getinfo("run.sh").date_time == (2024, 6, 7, 6, 9, 10)
sys.stdout.write("\\0".join(z.namelist()).encode("utf-8", "replace").decode())`;

test("paths and patterns select, and what they do not find is an error", async (t) => {
  const { folder, image } = await sample(t, 60);
  let count = 0;
  const files = async (...args: string[]): Promise<string[] | number | null> => {
    const out = join(folder, `out-${count++}`);
    const { status } = await docteur(["extract", image, "-C", out, ...args]);
    if (status !== 0) return status;
    return listing(out)
      .map((line) => line.split(" ")[0]!)
      .filter((line) => !line.endsWith("/"));
  };
  assert.deepEqual(await files("docs/part-1/file-8.md", "run.sh", "docs/part-1/file-8.md"), [
    "/docs/part-1/file-8.md",
    "/run.sh",
  ]);
  assert.equal(((await files("docs/part-1", "/docs//part-1/file-1.md")) as string[]).length, 9);
  assert.equal(((await files("**/file-1?.md")) as string[]).length, 10);
  assert.equal(((await files("docs/part-[12]")) as string[]).length, 18);
  assert.deepEqual(await files("docs/*/file-8.md", "--strip-components", "2"), ["/file-8.md"]);
  assert.deepEqual(await files("[a]*.txt"), ["/[a]*.txt"]);
  assert.deepEqual(await files('"a\\377b"'), ["/a\xffb"]);
  assert.equal(await files("nothing"), 1);
  assert.equal(await files("run.sh", "n*thing"), 1);
  assert.equal(await files("run.sh", "--strip-components", "1"), 1);
  assert.equal(await files("docs", "--tar", "--zip"), 16);
});

test("what is there stays, what differs is refused, and --overwrite replaces it", async (t) => {
  const { folder, image } = await sample(t, 20);
  const out = join(folder, "out");
  await extract(image, out);
  const before = statSync(join(out, "run.sh")).ino;
  const again = await extract(image, out);
  assert.equal(again.keptCount, again.fileCount);
  assert.equal(statSync(join(out, "run.sh")).ino, before);
  appendFileSync(join(out, "run.sh"), "echo mine\n");
  const { status, stderr } = await docteur(["extract", image, "-C", out]);
  assert.equal(status, 8);
  assert.equal(
    stderr,
    `docteur: ${out}/run.sh is there already, and differs from the image\nhint: --overwrite replaces it\n`,
  );
  assert.match(readFileSync(join(out, "run.sh"), "utf8"), /mine/);
  chmodSync(join(out, "empty"), 0o755);
  await assert.rejects(extract(image, out, { paths: ["empty"] }), { code: "Io" });
  const mended = await extract(image, out, { overwrite: true });
  assert.equal(mended.fileCount - mended.keptCount, 2);
  assert.doesNotMatch(readFileSync(join(out, "run.sh"), "utf8"), /mine/);
});

test("a part of an image at a URL, all of it, and its archive are those of the file", async (t) => {
  const { folder, repository, image } = await sample(t);
  const content = readFileSync(image);
  const server = await new RangeServer(content).start();
  t.after(() => server.stop());
  const part = join(folder, "part");
  const { status, stderr } = await docteur(["extract", server.url, "docs/part-1/file-1.md", "-C", part]);
  assert.equal(status, 0, stderr);
  assert.deepEqual(listing(part), [
    "/docs/",
    "/docs/part-1/",
    `/docs/part-1/file-1.md false ${readFileSync(join(repository, "docs/part-1/file-1.md"), "latin1")}`,
  ]);
  const expected = join(folder, "expected");
  git(repository, "checkout-index", "-a", `--prefix=${expected}/`);
  const whole = join(folder, "whole");
  assert.equal((await docteur(["extract", server.url, "-C", whole, "-j", "2"])).status, 0);
  assert.deepEqual(listing(whole), listing(expected));
  const tar = await docteur(["extract", "--tar", server.url], { encoding: "latin1" });
  assert.ok(printed(["--tar", image]).equals(Buffer.from(tar.stdout, "latin1")));
});

test("a run that was killed continues, and one that is interrupted leaves no unfinished file", async (t) => {
  const { folder, image } = await sample(t, 1500);
  const expected = join(folder, "expected");
  await extract(image, expected);
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    const out = join(folder, signal);
    const ended = await docteur(["extract", image, "-C", out, "-j", "2"], {
      onStart: (child) => {
        const timer = setInterval(() => {
          if (!existsSync(join(out, "docs/part-3"))) return;
          clearInterval(timer);
          child.kill(signal);
        }, 1);
        child.once("exit", () => clearInterval(timer));
      },
    });
    assert.equal(ended.signal, signal);
    // One that a killed run would have left.
    if (signal === "SIGINT")
      for (const name of readdirSync(out, { recursive: true, encoding: "utf8" }))
        assert.ok(!name.includes(".docteur-"), name);
    const { status, stderr } = await docteur(["extract", image, "-C", out]);
    assert.equal(status, 0, stderr);
    assert.deepEqual(listing(out), listing(expected));
  }
});

test("an aborted signal ends the work with its reason", async (t) => {
  const { folder, image } = await sample(t, 800);
  const reason = new Error("enough");
  const controller = new AbortController();
  const onProgress = (): void => controller.abort(reason);
  await assert.rejects(
    extract(image, join(folder, "out"), { jobs: 2, signal: controller.signal, onProgress }),
    (error) => error === reason,
  );
  for (const name of readdirSync(join(folder, "out"), { recursive: true, encoding: "utf8" }))
    assert.ok(!name.includes(".docteur-"), name);
});

test("a volume is extracted and stays open, and --commit proves what is written", async (t) => {
  const { folder, repository, image } = await sample(t, 20);
  const volume = await open(new Uint8Array(readFileSync(image)));
  const { commit } = await extract(volume, join(folder, "of-volume"));
  assert.equal((await volume.list("/")).length > 0, true);
  await volume.close();
  const right = await docteur(["extract", image, "-C", join(folder, "proven"), "--commit", commit]);
  assert.equal(right.status, 0, right.stderr);
  assert.deepEqual(listing(join(folder, "proven")), listing(join(folder, "of-volume")));
  const other = git(repository, "rev-parse", "HEAD^{tree}").toString().trim();
  const wrong = await docteur(["extract", image, "-C", join(folder, "other"), "--commit", other]);
  assert.equal(wrong.status, 4);
  assert.ok(!existsSync(join(folder, "other")));
});

test("a full disk is an error that names the file, and leaves no unfinished file", async (t) => {
  const { folder, image } = await sample(t, 20);
  const out = join(folder, "small");
  mkdirSync(out);
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", out]).status !== 0) {
    t.skip("a tmpfs cannot be mounted here");
    return;
  }
  try {
    const { status, stderr } = await docteur(["extract", image, "-C", out]);
    assert.equal(status, 8);
    assert.match(stderr, /^docteur: cannot write \S+small\/large: no space left on device/);
    for (const name of readdirSync(out, { recursive: true, encoding: "utf8" }))
      assert.ok(!name.includes(".docteur-"), name);
  } finally {
    spawnSync("umount", [out]);
  }
});

test("a destination that is a file, or below one, is an error", async (t) => {
  const { folder, image } = await sample(t, 5);
  writeFileSync(join(folder, "file"), "");
  for (const out of ["file", "file/below"]) {
    const { status, stderr } = await docteur(["extract", image, "-C", join(folder, out)]);
    assert.equal(status, 8, stderr);
    assert.match(stderr, /^docteur: cannot (extract into|write to) /);
  }
});
