/** What is measured on: a directory's files, as a repository that git has packed and as an image of it. */
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DocteurError } from "../../src/errors.js";
import { make } from "../../src/make/index.js";
import { runGit } from "./git.js";

/** A file of the corpus's commit. */
export interface CorpusFile {
  path: string;
  oid: string;
  size: number;
}

export interface Corpus {
  name: string;
  /** The directory of files. */
  workTree: string;
  /** A git repository of them, all in one pack. */
  repository: string;
  /** The commit, 40 hexadecimal digits. */
  commit: string;
  /** The path of our image of that commit. */
  image: string;
  /** Files in path order, without symbolic links and paths that git's line protocol or a string cannot hold. */
  files: CorpusFile[];
}

/** Bytes of the default corpus, at most, and of a file in it. */
const DEFAULT_BYTES = 28_000_000;
const FILE_BYTES = 10_000_000;

/** Programs for one platform: they are not the same everywhere. */
const PLATFORM =
  /^(\.bin|@esbuild|esbuild\/bin|@biomejs\/cli-[^/]*|binaryen\/bin|\.package-lock\.json)(\/|$)/;

/**
 * Selects files of a folder that together stay below a bound: in the order of their paths' SHA-1, so that what is taken
 * is a mixture, and the same everywhere.
 * @returns paths relative to `folder`, with slashes
 */
export async function selectFiles(
  folder: string,
  bound = DEFAULT_BYTES,
  fileBound = FILE_BYTES,
): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => !PLATFORM.test(path));
  const keys = new Map(paths.map((path) => [path, createHash("sha1").update(path).digest("hex")]));
  const selected: string[] = [];
  let left = bound;
  for (const path of paths.sort((a, b) => (keys.get(a)! < keys.get(b)! ? -1 : 1))) {
    const { size } = await stat(join(folder, path));
    if (size > fileBound || size > left) continue;
    left -= size;
    selected.push(path);
  }
  return selected;
}

async function copyDefault(target: string): Promise<void> {
  const modules = fileURLToPath(new URL("../../../node_modules", import.meta.url));
  for (const path of await selectFiles(modules)) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    copyFileSync(join(modules, path), join(target, path));
  }
}

/**
 * Commits all of `workTree`, which is not written to, into a repository of its own, and packs that.
 * @param window among how many objects git looks for a delta's base
 */
export async function createRepository(repository: string, workTree: string, window = 10): Promise<string> {
  await runGit(["init", "-q", "-b", "main", repository]);
  const gitDirectory = join(repository, ".git");
  mkdirSync(join(gitDirectory, "info"), { recursive: true });
  // Files go in as they are, whatever attributes the corpus brings along.
  writeFileSync(
    join(gitDirectory, "info", "attributes"),
    "* -text -eol -ident -filter -working-tree-encoding\n",
  );
  const run = (...args: string[]): Promise<Buffer> =>
    // A commit of many files would pack them in the background, while others are measured.
    runGit(["-c", "gc.auto=0", `--git-dir=${gitDirectory}`, `--work-tree=${workTree}`, ...args], {
      cwd: workTree,
    });
  await run("add", "-A", "-f", ".");
  await run("commit", "-q", "--allow-empty", "-m", "corpus");
  await run("repack", "-adfq", `--window=${window}`, "--depth=50");
  return (await run("rev-parse", "HEAD")).toString().trim();
}

/** Parses `ls-tree -r -l -z`: `100644 blob OID SIZE<tab>PATH`, sizes padded. */
export function parseListing(listing: Buffer): CorpusFile[] {
  const files: CorpusFile[] = [];
  for (const line of listing.toString("utf8").split("\0")) {
    const [, mode, oid, size, path] = /^(\d+) blob ([0-9a-f]{40}) +(\d+)\t(.*)$/s.exec(line) ?? [];
    if (path === undefined || mode === "120000" || /[\n\ufffd]/.test(path)) continue;
    files.push({ path, oid: oid!, size: Number(size) });
  }
  return files;
}

/**
 * Makes a corpus in a temporary folder.
 * @param directory any directory of files; by default a part of this package's own `node_modules`
 * @param onStep told what is being done
 * @returns the corpus, and a function that removes it
 */
export async function createCorpus(
  directory: string | undefined,
  onStep: (step: string) => void,
  signal: AbortSignal,
): Promise<{ corpus: Corpus; remove: () => void }> {
  if (directory !== undefined && !statSync(directory, { throwIfNoEntry: false })?.isDirectory())
    throw new DocteurError("BadSource", `not a directory: ${directory}`);
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "docteur-bench-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const name = directory === undefined ? "node_modules" : basename(resolve(directory));
    const workTree = directory === undefined ? join(folder, "files") : resolve(directory);
    onStep("gathering files");
    if (directory === undefined) await copyDefault(workTree);
    signal.throwIfAborted();
    onStep("git add, git repack");
    const repository = join(folder, "repository");
    const commit = await createRepository(repository, workTree);
    signal.throwIfAborted();
    onStep("docteur make");
    const image = join(folder, "image");
    await make(repository, image, { signal });
    const files = parseListing(
      await runGit(["ls-tree", "-r", "-l", "-z", "--full-tree", commit], { cwd: repository }),
    );
    if (files.length === 0) throw new DocteurError("BadSource", `no files in ${directory}`);
    return { corpus: { name, workTree, repository, commit, image, files }, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
