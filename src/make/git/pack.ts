/**
 * A commit of a git repository, packed by the `git` program.
 *
 * The repository is asked two things, under its user's own settings: which commit, and where its objects are. The pack
 * is then made in a scratch repository that borrows those objects and has no settings at all, so that neither the
 * configuration, attributes, replace refs and packs of the one nor of the other change a byte, and nothing is ever
 * written into the source.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { DocteurError } from "../../errors.js";
import { ioError } from "../../io-error.js";
import type { FileSink } from "../../write-file.js";
import { ended, gather, reasonOf, runGit, STDERR_MAX, scratchEnvironment, startGit } from "./process.js";
import type { GitCommit } from "./revision.js";

/** git's defaults, said so that they stay; the highest deflate level, as an image is made once and read often. */
const PACK_OPTIONS = [
  "--delta-base-offset",
  "--no-reuse-object",
  "--threads=1",
  "--window=10",
  "--depth=50",
  "--compression=9",
  "--index-version=2",
];

/** A pack that git made, in files. */
export interface GitPack {
  packPath: string;
  idx: Uint8Array;
  objectCount: number;
  /** The commit's root tree, 40 hexadecimal digits. */
  tree: string;
  /** Files and symbolic links of the commit. */
  fileCount: number;
  submoduleCount: number;
}

/** Lays out a bare repository that borrows `objects` (gitrepository-layout). */
async function makeScratchRepository(folder: string, objects: string): Promise<string> {
  const repository = join(folder, "repository.git");
  await mkdir(join(repository, "objects", "info"), { recursive: true });
  await mkdir(join(repository, "refs"));
  await writeFile(join(repository, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(repository, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  // Quoted as in C: a path may begin with "#" or hold a line feed.
  const quoted = objects.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n");
  await writeFile(join(repository, "objects", "info", "alternates"), `"${quoted}"\n`);
  return repository;
}

/** Turns `ls-tree -z` into what pack-objects reads (an id and a path, which guides its search for deltas), and counts. */
class Listing {
  fileCount = 0;
  submoduleCount = 0;

  async *lines(stream: AsyncIterable<Buffer>, first: string): AsyncGenerator<Buffer> {
    yield Buffer.from(first);
    let rest = Buffer.alloc(0);
    for await (const piece of stream) {
      const bytes = Buffer.concat([rest, piece]);
      const lines: Buffer[] = [];
      let start = 0;
      for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
        const line = this.#line(bytes.subarray(start, end));
        if (line !== undefined) lines.push(line);
        start = end + 1;
      }
      rest = bytes.subarray(start);
      yield Buffer.concat(lines);
    }
  }

  /** `100644 blob OID<tab>PATH` */
  #line(entry: Buffer): Buffer | undefined {
    const type = entry.toString("latin1", 7, 11);
    if (type === "comm") {
      this.submoduleCount++;
      return undefined;
    }
    if (type === "blob") this.fileCount++;
    const line = Buffer.concat([entry.subarray(12), Buffer.of(0x0a)]);
    // A path ends at the line's end: pack-objects does not mind a blank instead of a line feed.
    for (let at = line.indexOf(0x0a); at < line.length - 1; at = line.indexOf(0x0a, at + 1)) line[at] = 0x20;
    line[40] = 0x20;
    return line;
  }
}

/** Lists the commit's objects into `pack-objects`. */
async function runPackObjects(
  env: NodeJS.ProcessEnv,
  { commit }: GitCommit,
  tree: string,
  base: string,
  onProgress: ((count: number) => void) | undefined,
  signal: AbortSignal | undefined,
): Promise<Listing> {
  const lister = startGit(["ls-tree", "-r", "-t", "-z", "--full-tree", commit], env, "ignore", signal);
  const packer = startGit(["pack-objects", "-q", ...PACK_OPTIONS, base], env, "pipe", signal);
  const listing = new Listing();
  const feed = async function* (pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const lines of listing.lines(pieces, `${commit}\n${tree} \n`)) {
      yield lines;
      onProgress?.(listing.fileCount);
    }
  };
  packer.stdout!.resume();
  const [fed, listed, packed, listerSaid, packerSaid] = await Promise.allSettled([
    pipeline(lister.stdout!, feed, packer.stdin!),
    ended(lister),
    ended(packer),
    gather(lister.stderr!, STDERR_MAX),
    gather(packer.stderr!, STDERR_MAX),
  ]);
  signal?.throwIfAborted();
  for (const [end, said] of [
    [listed, listerSaid],
    [packed, packerSaid],
  ] as const) {
    if (end.status === "rejected") throw end.reason;
    if (end.value === 0) continue;
    const hint = said.status === "fulfilled" ? reasonOf(said.value) : undefined;
    throw new DocteurError("BadSource", `git cannot pack the commit ${commit}`, { oid: commit, hint });
  }
  if (fed.status === "rejected") throw ioError("run", "git pack-objects", fed.reason);
  return listing;
}

/**
 * Packs a commit, its trees and its blobs, and nothing of its history.
 *
 * The same commit gives the same bytes however its repository stores it: nothing is reused of the source's packs, and
 * deltas are sought by one thread. (Another version of git may choose other deltas.)
 *
 * @param scratch an empty folder; the pack is left there
 * @param onProgress told how many files were listed so far
 * @throws DocteurError `BadSource` where git fails, `Io`; the signal's reason
 */
export async function packCommit(
  source: GitCommit,
  scratch: string,
  onProgress?: (count: number) => void,
  signal?: AbortSignal,
): Promise<GitPack> {
  const repository = await makeScratchRepository(scratch, source.objects);
  const env = scratchEnvironment(repository);
  const tree = await runGit(["rev-parse", "--verify", `${source.commit}^{tree}`], env, signal);
  if (tree.status !== 0)
    throw new DocteurError("BadSource", `git cannot read the commit ${source.commit}`, {
      oid: source.commit,
      hint: reasonOf(tree.stderr),
    });
  const listing = await runPackObjects(env, source, tree.stdout, join(scratch, "pack"), onProgress, signal);
  const packName = (await readdir(scratch)).find((name) => name.endsWith(".pack"));
  if (packName === undefined) throw new DocteurError("Io", "git pack-objects left no pack");
  const packPath = join(scratch, packName);
  const idx = await readFile(packPath.replace(/pack$/, "idx"));
  const { fileCount, submoduleCount } = listing;
  const objectCount = idx.readUInt32BE(8 + 255 * 4);
  return { packPath, idx, objectCount, tree: tree.stdout, fileCount, submoduleCount };
}

/**
 * Appends a pack file to an image.
 * @throws DocteurError `Io` where the pack is not what its trailer and its index say
 */
export async function copyPack({ packPath, idx }: GitPack, sink: FileSink): Promise<void> {
  const bodyLen = (await stat(packPath)).size - 20;
  const hash = createHash("sha1");
  const trailer: Buffer[] = [];
  let at = 0;
  for await (const piece of createReadStream(packPath, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    const cut = Math.max(0, Math.min(piece.length, bodyLen - at));
    hash.update(piece.subarray(0, cut));
    trailer.push(piece.subarray(cut));
    at += piece.length;
    await sink.append(piece);
  }
  const digest = hash.digest();
  if (!digest.equals(Buffer.concat(trailer)) || !digest.equals(idx.subarray(-40, -20)))
    throw new DocteurError("Io", `${packPath} is damaged: git wrote something else`, {
      path: packPath,
      hint: "the disk, or the memory, of this machine may be failing",
    });
}
