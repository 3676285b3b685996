/** Commits that git itself would not write: `make` refuses them, or makes an image that everybody can read. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DocteurError } from "../../src/errors.js";
import { open } from "../../src/index.js";
import { type MakeOptions, type MakeSummary, make } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { docteur } from "../support/cli.js";
import { CraftedRepository } from "../support/crafted-repository.js";
import { GIT_ENVIRONMENT } from "../support/git.js";
import { type Random, seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

/** Reads every path of an image, in every mode. @returns how many files and links there are */
async function readAll(image: string): Promise<number> {
  let fileCount = 0;
  for (const mode of ["light", "fast", "analyze"] as const) {
    fileCount = 0;
    const volume = await open(image, { mode });
    const folders = [Buffer.from("/")];
    for (const folder of folders)
      for (const { nameBytes, kind, oid } of await volume.list(folder)) {
        const path = Buffer.concat([folder, nameBytes]);
        if (kind === "directory") folders.push(Buffer.concat([path, Buffer.from("/")]));
        else if (kind !== "submodule") {
          fileCount++;
          // A link's own content, wherever it leads.
          if (kind === "symlink") await volume.object(oid);
          else await volume.get(path);
        }
      }
    await volume.close();
  }
  return fileCount;
}

/** Makes an image, and makes sure that it can be read. @returns what was made, or why nothing was */
async function attempt(
  source: string,
  out: string,
  options: MakeOptions,
): Promise<MakeSummary | DocteurError> {
  const image = join(out, "image");
  let made: MakeSummary;
  try {
    made = await make(source, image, options);
  } catch (error) {
    assert.ok(error instanceof DocteurError, `${(error as Error).stack}`);
    assert.equal(error.code, "BadSource", error.message);
    assert.deepEqual(readdirSync(out), []);
    return error;
  }
  const { status, findings } = await verify(image);
  assert.equal(status, "sound", JSON.stringify(findings));
  assert.equal(await readAll(image), made.fileCount);
  rmSync(image);
  return made;
}

const MISSING = "1234567890".repeat(4);
type Entries = [mode: string, name: string, oid: string][];

/** A tree with one flaw, in a repository that has what sound entries lead to. */
interface Flaw {
  /** What the error says of it; undefined where git calls it a warning at most, and all can read it. */
  refused: RegExp | undefined;
  entries: (oids: { blob: string; tree: string; commit: string }) => Entries;
}

const FLAWS: Record<string, Flaw> = {
  none: { refused: undefined, entries: ({ blob }) => [["100644", "a", blob]] },
  "out of order": {
    refused: /sub: "a" is out of order$/,
    entries: ({ blob }) => [
      ["100644", "b", blob],
      ["100644", "a", blob],
    ],
  },
  "a name twice": {
    refused: /sub: "a" is there twice$/,
    entries: ({ blob }) => [
      ["100644", "a", blob],
      ["100644", "a", blob],
    ],
  },
  "a name of a file and of a directory": {
    refused: /sub: "a" is there twice$/,
    entries: ({ blob, tree }) => [
      ["100644", "a", blob],
      ["100644", "a-b", blob],
      ["40000", "a", tree],
    ],
  },
  "a slash": { refused: /sub: "a\/b"/, entries: ({ blob }) => [["100644", "a/b", blob]] },
  "two dots": { refused: /sub: "\.\."/, entries: ({ tree }) => [["40000", "..", tree]] },
  "a dot": { refused: /sub: "\."/, entries: ({ tree }) => [["40000", ".", tree]] },
  ".git": { refused: /sub: "\.GIT"/, entries: ({ tree }) => [["40000", ".GIT", tree]] },
  "no name": { refused: /sub: /, entries: ({ blob }) => [["100644", "", blob]] },
  "no mode": { refused: /sub: a mode is not an octal number/, entries: ({ blob }) => [["", "a", blob]] },
  "a mode of letters": { refused: /sub: a mode/, entries: ({ blob }) => [["10x644", "a", blob]] },
  "a padded mode": { refused: undefined, entries: ({ blob }) => [["0100644", "a", blob]] },
  "padded modes": {
    refused: undefined,
    entries: ({ blob, tree }) => [
      ["000100755", "a", blob],
      ["040000", "b", tree],
    ],
  },
  "the mode 100664": { refused: undefined, entries: ({ blob }) => [["100664", "a", blob]] },
  "the mode 644, which git takes for a submodule": {
    refused: undefined,
    entries: ({ blob }) => [["644", "a", blob]],
  },
  "a mode of a FIFO, which git takes for a submodule": {
    refused: undefined,
    entries: ({ blob }) => [["10644", "a", blob]],
  },
  "a submodule": { refused: undefined, entries: () => [["160000", "a", MISSING]] },
  "a missing file": {
    refused: /sub\/a: the repository lacks the object/,
    entries: () => [["100644", "a", MISSING]],
  },
  "a missing directory": {
    refused: /sub\/a: the repository lacks the object/,
    entries: () => [["40000", "a", MISSING]],
  },
  "a file that is a directory": {
    refused: /sub\/a: its object is a/,
    entries: ({ tree }) => [["100644", "a", tree]],
  },
  "a directory that is a file": {
    refused: /sub\/a: its object is a blob/,
    entries: ({ blob }) => [["40000", "a", blob]],
  },
  "a file that is a commit": {
    refused: /sub\/a: its object is a commit/,
    entries: ({ commit }) => [["120000", "a", commit]],
  },
  "one object as a file and as a directory": {
    refused: /sub\/b: its object is of another kind$/,
    entries: ({ tree }) => [
      ["40000", "a", tree],
      ["100644", "b", tree],
    ],
  },
  "a long name": { refused: /sub: "x{200}": /, entries: ({ blob }) => [["100644", "x".repeat(4097), blob]] },
};

function createCrafted(t: TestContext) {
  const work = temporaryFolder(t);
  const repository = new CraftedRepository(join(work, "crafted.git"));
  const blob = repository.write("blob", "content\n");
  const tree = repository.tree([["100644", "file", blob]]);
  const commit = repository.commit(tree);
  const out = join(work, "out");
  mkdirSync(out);
  return { work, out, repository, oids: { blob, tree, commit } };
}

const WAYS: Record<string, MakeOptions> = {
  "git packs": {},
  "docteur packs": { repack: true, workers: 1 },
  "a part": { subdir: "top" },
};

for (const [way, options] of Object.entries(WAYS))
  test(`trees with one flaw each, ${way}`, async (t) => {
    const { out, repository, oids } = createCrafted(t);
    for (const [name, { refused, entries }] of Object.entries(FLAWS)) {
      const sub = repository.tree(entries(oids));
      const top = repository.tree([["40000", "sub", sub]]);
      const commit = repository.commit(repository.tree([["40000", "top", top]]));
      const result = await attempt(repository.path, out, options);
      if (refused === undefined) {
        assert.ok(!(result instanceof DocteurError), `${name}: ${(result as Error).message}`);
        assert.equal(result.sourceCommit, commit);
      } else {
        assert.ok(result instanceof DocteurError, `${name} is taken`);
        assert.match(result.message, refused);
      }
    }
  });

test("the hint of an error is a way to an image", async (t) => {
  const { work, repository, oids } = createCrafted(t);
  const tree = repository.tree([
    ["100644", "b", oids.blob],
    ["100644", "a", oids.blob],
  ]);
  const commit = repository.commit(tree);
  const image = join(work, "image");
  const failed = await docteur(["make", repository.path, image]);
  assert.equal(failed.status, 8);
  assert.equal(
    failed.stderr,
    `docteur: the commit ${commit} cannot be in an image: its root: "a" is out of order\n` +
      `hint: git archive ${commit} | docteur make - IMAGE makes an image of the same files, in sound trees\n`,
  );
  const { stdout: input } = spawnSync("git", ["-C", repository.path, "archive", commit], {
    env: GIT_ENVIRONMENT,
  });
  assert.equal((await docteur(["make", "-", image], { input })).status, 0);
  assert.equal((await docteur(["ls", image])).stdout, "a\nb\n");
});

test("contents that are not those of their ids", async (t) => {
  const { out, repository } = createCrafted(t);
  for (const [kind, content, mode] of [
    ["blob", "other\n", "100644"],
    ["tree", "", "40000"],
  ] as const) {
    const oid = repository.write(kind, content, kind === "blob" ? "1".repeat(40) : "2".repeat(40));
    repository.commit(repository.tree([[mode, "a", oid]]));
    for (const options of [{}, { repack: true, workers: 1 }]) {
      const result = await attempt(repository.path, out, options);
      assert.match(
        (result as Error).message,
        new RegExp(`git gives other content than that of the object ${oid}$`),
      );
    }
  }
});

test("paths that readers do not take, though each tree is sound", async (t) => {
  const { out, repository, oids } = createCrafted(t);
  const nest = (depth: number, name: string, inner: string): string => {
    let tree = inner;
    for (let level = 0; level < depth; level++) tree = repository.tree([["40000", name, tree]]);
    return tree;
  };
  for (const [tree, isTaken] of [
    [nest(511, "d", oids.tree), true],
    [nest(512, "d", oids.tree), false],
    [nest(3000, "d", oids.tree), false],
    [nest(20, "n".repeat(200), oids.tree), true],
    [nest(21, "n".repeat(200), oids.tree), false],
  ] as const) {
    // First where it is no deeper than may be, then deeper.
    const twice = repository.tree([
      ["40000", "a", tree],
      ["40000", "b", nest(1, "d", tree)],
    ]);
    for (const [root, expected] of [
      [tree, isTaken],
      [twice, isTaken && tree !== nest(511, "d", oids.tree)],
    ] as const) {
      repository.commit(root);
      const result = await attempt(repository.path, out, {});
      assert.equal(!(result instanceof DocteurError), expected, `${(result as Error).message}`);
    }
  }
});

test("trees that hold each other cost what they are, not the number of their paths", async (t) => {
  const { out, repository, oids } = createCrafted(t);
  let tree = oids.tree;
  for (let level = 0; level < 30; level++)
    tree = repository.tree(Array.from("0123456789", (name) => ["40000", name, tree] as const));
  repository.commit(tree);
  for (const options of [{}, { repack: true, workers: 1 }]) {
    const summary = await make(repository.path, join(out, "image"), options);
    assert.equal(summary.objectCount, 33);
    assert.equal(summary.fileCount, Number.MAX_SAFE_INTEGER);
    assert.equal((await verify(join(out, "image"))).status, "sound");
  }
});

const COMMITS: [rest: string, isTaken: boolean][] = [
  ["", true],
  ["\n", true],
  ["author\ncommitter\n\nmessage", true],
  ["author A <a@b> 99999999999999999999 +0000\ncommitter C 1 1\n\n", true],
  [`parent ${MISSING}\nparent ${MISSING}\n\n`, true],
  ["gpgsig -----BEGIN\n x\n\n\0\xff", true],
];

test("commits with odd headers", async (t) => {
  const { out, repository, oids } = createCrafted(t);
  for (const [rest, isTaken] of COMMITS) {
    repository.commit(oids.tree, rest);
    const result = await attempt(repository.path, out, {});
    if (isTaken && result instanceof DocteurError) assert.match(result.message, /^git cannot read HEAD/);
  }
  // git reads capital digits.
  repository.head(repository.write("commit", `tree ${oids.tree.toUpperCase()}\n\n`));
  assert.ok(!((await attempt(repository.path, out, {})) instanceof DocteurError));
  for (const content of [`tree ${oids.tree}`, `tree  ${oids.tree}\n\n`, ""]) {
    repository.head(repository.write("commit", content));
    assert.ok((await attempt(repository.path, out, {})) instanceof DocteurError, content);
  }
});

/** Modes, most of them sound. */
const MODES_TAKEN = ["100644", "100755", "120000", "0100644", "100600", "160000"];

function randomName(random: Random): string {
  if (random(12) === 0)
    return ["a/b", "..", ".git", "git~1", "", "-", " ", "\xff\xfe", "x".repeat(300)][random(9)]!;
  return Array.from({ length: 1 + random(3) }, () => "ab.-0/"[random(5)]!).join("");
}

/** A random tree; now and then an entry of it is unsound. */
function randomTree(
  random: Random,
  repository: CraftedRepository,
  blobs: string[],
  trees: string[],
  depth: number,
): string {
  const entries = Array.from({ length: random(6) }, (): [string, string, string] => {
    const isTree = depth > 0 && random(2) === 0;
    const oid = isTree
      ? random(4) === 0 && trees.length > 0
        ? trees[random(trees.length)]!
        : randomTree(random, repository, blobs, trees, depth - 1)
      : blobs[random(blobs.length)]!;
    const mode = isTree ? ["40000", "40000", "040000"][random(3)]! : MODES_TAKEN[random(MODES_TAKEN.length)]!;
    if (random(40) === 0) return [random(2) === 0 ? mode : "40000", randomName(random), MISSING];
    return [
      mode,
      randomName(random),
      random(40) === 0 && trees.length > 0 ? trees[random(trees.length)]! : oid,
    ];
  });
  const key = ([mode, name]: (typeof entries)[0]): string => (/^0?4/.test(mode) ? `${name}/` : name);
  const names = new Set<string>();
  const kept = entries.filter((entry) => random(30) === 0 || (!names.has(entry[1]) && names.add(entry[1])));
  if (random(20) > 0)
    kept.sort((left, right) =>
      Buffer.compare(Buffer.from(key(left), "latin1"), Buffer.from(key(right), "latin1")),
    );
  const tree = repository.tree(kept);
  trees.push(tree);
  return tree;
}

test("random commits: what make takes, verify and all readers take", async (t) => {
  const { out, repository, oids } = createCrafted(t);
  const random = seeded(Number(process.env.CRAFTED_SEED ?? 13));
  const blobs = [oids.blob, repository.write("blob", ""), repository.write("blob", "x".repeat(2000))];
  let takenCount = 0;
  const rounds = Number(process.env.CRAFTED_ROUNDS ?? 40);
  for (let round = 0; round < rounds; round++) {
    repository.commit(randomTree(random, repository, blobs, [], 1 + random(4)));
    const git = await attempt(repository.path, out, {});
    const own = await attempt(repository.path, out, { repack: true, workers: 1 });
    assert.equal((own as Error).message, (git as Error).message);
    if (!(git instanceof DocteurError)) takenCount++;
  }
  assert.ok(takenCount > rounds / 10 && takenCount < rounds, `${takenCount} of ${rounds} were taken`);
});
