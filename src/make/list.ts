/** Lists a source of any kind that can become a part of an image. */
import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";
import { byteString } from "../git/byte-string.js";
import { listWorkTree } from "../git-program/work-tree.js";
import { ioError } from "../node/io-error.js";
import type { Replacement } from "../node/replace-file.js";
import type { Gathered } from "./base/noticed.js";
import { listCommitFiles } from "./git/listing.js";
import { openGitSource } from "./git/source.js";
import { isImage, listImage } from "./image-listing.js";
import type { FileSource, Source } from "./locate.js";
import type { Job, MakeSummary } from "./options.js";
import { openArchive } from "./source/archive.js";
import { HEAD_LEN } from "./source/compression.js";
import { listDirectory } from "./source/directory.js";
import { ExcludePatterns } from "./source/exclude.js";
import type { Listing } from "./source/listing.js";
import type { ArchiveOptions } from "./source/member-paths.js";
import { MemberSpool } from "./source/member-spool.js";
import { parseSubdir } from "./source/part.js";
import { listTar } from "./source/tar.js";
import { isZip, listZip } from "./source/zip.js";

/** Paths that are counted, and the first of them. */
const NOTHING: Gathered = { count: 0, first: [] };

/** A listed source. */
export interface Listed {
  kind: MakeSummary["sourceKind"];
  listing: Listing;
  /** The commit of a repository or an image. */
  commit?: string;
  /** What a commit of git has, and the image lacks. */
  submodules: Gathered;
  lfsPointers: Gathered;
}

/** Makes paths for temporary files, each of its own. */
export class ScratchPaths {
  readonly #scratch: () => Promise<string>;
  #count = 0;

  /** @param scratch makes the folder that they are in */
  constructor(scratch: () => Promise<string>) {
    this.#scratch = scratch;
  }

  async file(name: string): Promise<string> {
    return join(await this.#scratch(), `${name}-${this.#count++}`);
  }

  async folder(name: string): Promise<string> {
    const path = await this.file(name);
    await mkdir(path);
    return path;
  }
}

/** The options of listing that the job gives. */
function listOptions(job: Job): ArchiveOptions {
  const { signal, onProgress } = job;
  return {
    exclude: new ExcludePatterns(job.exclude ?? []),
    part: {
      subdir: byteString(parseSubdir(job.subdir ?? "") ?? "")
        .split("/")
        .filter((name) => name !== ""),
      strip: job.stripComponents ?? 0,
    },
    skipSpecial: job.skipSpecial ?? false,
    signal,
    onNotice: job.onNotice,
    onProgress: (done: number) => onProgress?.({ phase: "scan", done, total: undefined }),
  };
}

async function listArchive({ path, isStream }: FileSource, job: Job, scratch: ScratchPaths): Promise<Listed> {
  const options = listOptions(job);
  const archive = await openArchive(path, isStream, () => scratch.file("archive"), job.signal);
  try {
    const spool = async (): Promise<MemberSpool> => new MemberSpool(await scratch.file("contents"));
    const nothing = { submodules: NOTHING, lfsPointers: NOTHING };
    if (isZip(archive.read(0, Math.min(HEAD_LEN, archive.size))))
      return { kind: "zip", listing: await listZip(archive, await spool(), options), ...nothing };
    if (isImage(archive))
      return { kind: "image", ...(await listImage(archive, await spool(), options)), ...nothing };
    return { kind: "tar", listing: await listTar(archive, options), ...nothing };
  } finally {
    archive.close();
  }
}

async function listFolder(source: string, job: Job, { target, temporary }: Replacement): Promise<Listed> {
  const path = await realpath(source).catch((cause: unknown) => {
    throw ioError("read", source, cause);
  });
  const only = job.worktree ? await listWorkTree(path, job.signal) : undefined;
  const listing = await listDirectory(path, {
    ...listOptions(job),
    only,
    compat: job.compat ?? false,
    dereference: job.dereference ?? false,
    outputs: [target, temporary],
  });
  return { kind: "directory", listing, submodules: NOTHING, lfsPointers: NOTHING };
}

/**
 * Lists a source.
 * @param job its options are for this source
 * @param scratch for contents that are in no file yet; they stay until the image is made
 * @throws DocteurError those of `openGitSource`; `BadSource`, `Io`; errors of damaged images; the signal's reason
 */
export async function listSource(
  source: Source,
  job: Job,
  replacement: Replacement,
  scratch: ScratchPaths,
): Promise<Listed> {
  const isCommit = source.kind === "remote" || (source.kind === "git" && !job.worktree);
  if (!isCommit)
    return source.kind === "archive"
      ? listArchive(source, job, scratch)
      : listFolder(source.path, job, replacement);
  const ready = await openGitSource(source, job, () => scratch.folder("git"));
  const listing = await listCommitFiles(ready, job.signal);
  const { submodules, lfsPointers } = ready.survey;
  return { kind: "git", listing, commit: ready.sourceCommit, submodules, lfsPointers };
}
