/** A commit of a git repository as a listed source, which can be joined with others. */
import { closeSync, openSync, readSync } from "node:fs";
import { DocteurError } from "../../errors.js";
import { parseCommit } from "../../git/commit.js";
import { bytesOf, examineTree } from "../../git/examine-tree.js";
import { MODE } from "../../git/objects.js";
import { OID_LEN } from "../../git/oid.js";
import { ENTRY } from "../../git/tree-mode.js";
import type { FileRange } from "../base/content.js";
import { OidTable } from "../base/oid-set.js";
import { SourceBlobs } from "../source/blobs.js";
import { FolderTree, type Listing, SkippedPaths, type SourceEntry, SourceFolder } from "../source/listing.js";
import type { ReadyCommit } from "./source.js";
import { type SpooledCommit, spoolCommit } from "./spool.js";

/** The most paths of a commit that are listed: trees that hold each other may give any number. */
const PATHS_MAX = 10_000_000;
/** The most bytes of a link's target. */
const TARGET_MAX = 1 << 20;

/** The rows of the commit and of its root tree. */
const COMMIT_ROW = 0;
const ROOT_ROW = 1;

/** A tree, and the number of paths below it. */
interface Listed {
  folder: SourceFolder;
  pathCount: number;
}

class CommitLister {
  readonly #spooled: SpooledCommit;
  readonly #rows = new OidTable();
  readonly #blobs = new SourceBlobs();
  /** Indexes among the blobs, by row: of files, whose content stays in the file, and of links. */
  readonly #files = new Map<number, number>();
  readonly #links = new Map<number, number>();
  readonly #folders = new Map<number, Listed>();
  readonly #fd: number;

  constructor(spooled: SpooledCommit) {
    this.#spooled = spooled;
    const { objects } = spooled;
    for (let row = 0; row < objects.count; row++) this.#rows.add(objects.oidOf(row));
    this.#fd = openSync(Buffer.from(this.#rangeOf(COMMIT_ROW).path, "latin1"), "r");
  }

  list(strippedCount: number): Listing {
    try {
      const { committer } = parseCommit(this.#read(COMMIT_ROW));
      const { folder } = this.#folderAt(ROOT_ROW);
      return {
        tree: new FolderTree(folder),
        blobs: this.#blobs,
        newest: committer.moment?.seconds,
        skipped: new SkippedPaths(),
        strippedCount,
      };
    } finally {
      closeSync(this.#fd);
    }
  }

  #rangeOf(row: number): FileRange {
    return this.#spooled.unreads(Uint32Array.of(row)).at(0).content as FileRange;
  }

  #read(row: number): Uint8Array {
    const bytes = new Uint8Array(this.#spooled.objects.sizeOf(row));
    const { offset } = this.#rangeOf(row);
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.#fd, bytes, done, bytes.length - done, offset + done);
      if (count === 0) throw new DocteurError("Io", "the temporary file of the commit's objects was cut off");
      done += count;
    }
    return bytes;
  }

  /** A tree's folder. The trees of a commit do not contain themselves: their ids are hashes of their contents. */
  #folderAt(row: number): Listed {
    const known = this.#folders.get(row);
    if (known !== undefined) return known;
    const content = this.#read(row);
    const entries: SourceEntry[] = [];
    let pathCount = 0;
    examineTree(content, {
      item: ({ kind, nameAt, nameEnd, oidAt }) => {
        if (kind === ENTRY.submodule) return;
        const name = bytesOf(content, nameAt, nameEnd);
        const below = this.#rows.indexOf(content.subarray(oidAt, oidAt + OID_LEN));
        pathCount++;
        if (kind === ENTRY.tree) {
          const listed = this.#folderAt(below);
          pathCount += listed.pathCount;
          entries.push({ name, mode: MODE.directory, folder: listed.folder });
        } else if (kind === ENTRY.symlink) {
          entries.push({ name, mode: MODE.symlink, blob: this.#linkAt(below) });
        } else {
          const mode = kind === ENTRY.executable ? MODE.executable : MODE.file;
          entries.push({ name, mode, blob: this.#fileAt(below) });
        }
      },
    });
    if (pathCount > PATHS_MAX)
      throw new DocteurError("BadSource", `the commit has more than ${PATHS_MAX} paths`, {
        hint: "docteur make takes it alone, without --add",
      });
    const listed = { folder: new SourceFolder(entries), pathCount };
    this.#folders.set(row, listed);
    return listed;
  }

  #fileAt(row: number): number {
    const known = this.#files.get(row);
    if (known !== undefined) return known;
    const { path, offset } = this.#rangeOf(row);
    const index = this.#blobs.addRange(this.#spooled.objects.sizeOf(row), path, offset);
    this.#files.set(row, index);
    return index;
  }

  #linkAt(row: number): number {
    const known = this.#links.get(row);
    if (known !== undefined) return known;
    if (this.#spooled.objects.sizeOf(row) > TARGET_MAX)
      throw new DocteurError("BadSource", `a symbolic link's target has more than ${TARGET_MAX} bytes`);
    const index = this.#blobs.add(this.#read(row));
    this.#links.set(row, index);
    return index;
  }
}

/**
 * Lists a commit. Its submodules are left out.
 * @returns the listing; contents are in a file of the commit's workspace
 * @throws DocteurError `BadSource` for commits of too many paths, `Io`; the signal's reason
 */
export async function listCommitFiles(
  { workspace, commit, objects, strippedCount }: ReadyCommit,
  signal: AbortSignal | undefined,
): Promise<Listing> {
  const spooled = await spoolCommit(workspace, commit, objects, signal);
  return new CommitLister(spooled).list(strippedCount);
}
