/** Symbolic links that lead nowhere: make counts those that no reader of the image follows. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { DocteurError, open } from "../../src/index.js";
import { type MakeSummary, make, makeImage } from "../../src/make/index.js";
import { docteur } from "../support/cli.js";
import { commitAll, GIT_ENVIRONMENT, git } from "../support/git.js";
import { type Random, seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

/** Whether a reader follows a link, to whatever it is that it leads to. */
async function isFollowed(volume: Awaited<ReturnType<typeof open>>, path: string): Promise<boolean> {
  try {
    await volume.get(path, { follow: true });
    return true;
  } catch (error) {
    assert.ok(error instanceof DocteurError);
    return error.code === "ValueExpected";
  }
}

/** Links of a random source, by path: they lead to files, folders, each other, out of the source, and to nothing. */
function randomLinks(random: Random, folders: readonly string[]): Map<string, string> {
  const names = ["file", "x", "l0", "l1", "l2", "l3", ".", "..", "a", "b", "a/b", "", "l1/file", "../l2"];
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const links = new Map<string, string>();
  for (const folder of folders)
    for (let index = 0; index < 4; index++) {
      const parts = Array.from({ length: 1 + random(4) }, () => pick(names));
      const target = `${random(4) === 0 ? "/" : ""}${parts.join("/")}`;
      links.set(`${folder}l${index}`, target === "" ? "." : target);
    }
  return links;
}

test("random links: those are told that readers do not follow, in every kind of source", async (t) => {
  const work = temporaryFolder(t);
  const folders = ["", "a/", "a/b/", "b/"];
  let told = 0;
  let linkCount = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const source = join(work, `source${seed}`);
    const links = randomLinks(seeded(seed), folders);
    for (const folder of folders) {
      mkdirSync(join(source, folder), { recursive: true });
      writeFileSync(join(source, folder, "file"), "content");
    }
    for (const [path, target] of links) symlinkSync(target, join(source, path));
    const image = join(work, "image");
    const summaries: MakeSummary[] = [await make(source, image)];
    const volume = await open(image);
    const dangling: string[] = [];
    for (const path of links.keys()) if (!(await isFollowed(volume, path))) dangling.push(path);
    await volume.close();
    execFileSync("tar", ["-C", source, "-cf", join(work, "archive"), "."]);
    summaries.push(await make(join(work, "archive"), image));
    git(source, "init", "-q", "-b", "main");
    commitAll(source, "links");
    summaries.push(await make(source, image), await make(source, image, { repack: true }));
    const files = Object.fromEntries([
      ...folders.map((folder) => [`${folder}file`, "content"]),
      ...[...links].map(([path, link]) => [path, { link }]),
    ]);
    for (const { danglingLinks } of [...summaries, await makeImage(files)]) {
      assert.equal(danglingLinks.count, dangling.length, `seed ${seed}`);
      assert.equal(danglingLinks.first.length, Math.min(dangling.length, 5));
      for (const { path } of danglingLinks.first)
        assert.ok(dangling.includes(path.slice(1)), `seed ${seed}: ${path}`);
    }
    told += dangling.length;
    linkCount += links.size;
  }
  // Both kinds were there.
  assert.ok(told > 20 && told < linkCount - 20, `${told} of ${linkCount}`);
});

test("links at the limits of readers", async () => {
  const chain = (length: number): Record<string, { link: string } | string> => ({
    end: "content",
    ...Object.fromEntries(
      Array.from({ length }, (_, at) => [`l${at}`, { link: at === 0 ? "end" : `l${at - 1}` }]),
    ),
  });
  const long = `${"n".repeat(255)}/`;
  for (const [files, count] of [
    [chain(40), 0],
    [chain(41), 1],
    [chain(43), 3],
    [{ loop: { link: "loop" } }, 1],
    [{ far: { link: `${"./".repeat(3000)}file` }, file: "" }, 0],
    [{ far: { link: `${long.repeat(17)}${"../".repeat(17)}file` }, file: "" }, 1],
    [{ far: { link: `${long.repeat(15)}${"../".repeat(15)}file` }, file: "" }, 0],
    [{ deep: { link: `${"d/".repeat(512)}${"../".repeat(512)}file` }, file: "" }, 0],
    [{ deep: { link: `${"d/".repeat(513)}${"../".repeat(513)}file` }, file: "" }, 1],
    [
      {
        out: { link: "../../../file" },
        absolute: { link: "/file" },
        host: { link: "/etc/passwd" },
        file: "",
      },
      1,
    ],
    [{ through: { link: "file/" }, below: { link: "file/x" }, file: "" }, 1],
  ] as const) {
    const { image, danglingLinks } = await makeImage(files as Parameters<typeof makeImage>[0]);
    const label = JSON.stringify(danglingLinks);
    assert.equal(danglingLinks.count, count, label);
    const volume = await open(image);
    let dangling = 0;
    for (const [path, file] of Object.entries(files))
      if (typeof file === "object" && !(await isFollowed(volume, path))) dangling++;
    assert.equal(dangling, count, label);
    await volume.close();
  }
});

test("a link to a submodule leads somewhere, one into it does not", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(source);
  git(source, "init", "-q", "-b", "main");
  symlinkSync("sub", join(source, "to"));
  symlinkSync("sub/file", join(source, "into"));
  git(source, "add", ".");
  git(source, "update-index", "--add", "--cacheinfo", `160000,${"1234567890".repeat(4)},sub`);
  git(source, "commit", "-q", "-m", "m");
  const { danglingLinks } = await make(source, join(work, "image"));
  assert.deepEqual(danglingLinks, { count: 1, first: [{ path: "/into" }] });
});

test("trees that hold each other many times: counting ends", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(source);
  git(source, "init", "-q", "--bare");
  const write = (type: string, input: string): string =>
    execFileSync("git", ["hash-object", "-t", type, "-w", "--stdin", "--literally"], {
      cwd: source,
      env: GIT_ENVIRONMENT,
      input: Buffer.from(input, "latin1"),
      encoding: "utf8",
    }).trim();
  const raw = (oid: string): string => Buffer.from(oid, "hex").toString("latin1");
  let tree = write("tree", `120000 link\0${raw(write("blob", "nowhere"))}`);
  for (let level = 0; level < 60; level++)
    tree = write("tree", ["a", "b"].map((name) => `40000 ${name}\0${raw(tree)}`).join(""));
  git(source, "update-ref", "refs/heads/main", git(source, "commit-tree", "-m", "m", tree));
  git(source, "symbolic-ref", "HEAD", "refs/heads/main");
  const { danglingLinks, fileCount } = await make(source, join(work, "image"));
  assert.equal(danglingLinks.first.length, 5);
  // Of 2^60 paths as many are looked up as a source of 60 small trees may ask for.
  assert.equal(fileCount, Number.MAX_SAFE_INTEGER);
  assert.ok(danglingLinks.count > 5 && danglingLinks.count < 100_000, String(danglingLinks.count));
});

test("the command names the first of them", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  for (let index = 0; index < 6; index++) {
    const path = join(source, `d${index}`, "link");
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync("nothing", path);
  }
  const { status, stderr } = await docteur(["make", source, join(work, "image")]);
  assert.equal(status, 0);
  const paths = [0, 1, 2, 3, 4].map((index) => `d${index}/link`).join(", ");
  assert.match(stderr, /^docteur: warning: 6 symbolic links lead to nothing in the image: /);
  assert.ok(stderr.includes(`${paths}, …\n`), stderr);
  assert.equal((await docteur(["make", "-q", source, join(work, "image")])).stderr, "");
});
