/**
 * Finds the content that an image of a commit lacks: submodules, and files whose content Git LFS keeps
 * elsewhere.
 */

import { ENTRY } from "../../git/tree-mode.js";
import type { Gathered } from "../base/noticed.js";
import { BatchReader, type BatchVisitor, type CatFileRun, catFile } from "./cat-file.js";
import { type CommitTree, itemsOf, type ListedCommit } from "./commit-trees.js";

/** The contents of a commit's trees, path by path. No count is larger than 2^53 - 1. */
export interface Survey {
  /** Files and symbolic links. */
  fileCount: number;
  /** Bytes of the files. */
  contentBytes: number;
  submodules: Gathered;
  lfsPointers: Gathered;
}

/** The number of paths that are listed for each kind. */
const SHOWN_MAX = 5;

/** The smallest and largest size of an LFS pointer (git-lfs, docs/spec.md): a smaller file lacks a line. */
const POINTER_MIN = 120;
const POINTER_END = 1024;

/** Whether a blob is a pointer of Git LFS (docs/spec.md). */
export function isLfsPointer(content: Buffer): boolean {
  const text = content.toString("latin1");
  return (
    text.startsWith("version https://git-lfs.github.com/spec/v1\n") &&
    /^oid sha256:[0-9a-f]{64}$/m.test(text) &&
    /^size [0-9]+$/m.test(text)
  );
}

/** The rows of blobs that are Git LFS pointers. Only blobs of a possible size are read. */
export async function findLfsPointers(run: CatFileRun, { objects }: ListedCommit): Promise<Set<number>> {
  const candidates = objects.rowsOf("blob").filter((row) => {
    const size = objects.sizeOf(row);
    return size >= POINTER_MIN && size < POINTER_END;
  });
  const found = new Set<number>();
  let next = 0;
  let parts: Buffer[] = [];
  const visitor: BatchVisitor = {
    begin: () => {
      parts = [];
    },
    data: (bytes) => void parts.push(bytes),
    end: () => {
      const row = candidates[next++]!;
      if (isLfsPointer(Buffer.concat(parts))) found.add(row);
    },
  };
  const reader = new BatchReader(visitor);
  if (candidates.length > 0)
    await catFile(run, "--batch", objects.requests(candidates), (output) => reader.read(output));
  return found;
}

/** Nested repeated trees may have more paths than a number can count. */
function added(left: number, right: number): number {
  return Math.min(left + right, Number.MAX_SAFE_INTEGER);
}

function addNoticed(into: Gathered, { count, first }: Gathered, prefix: string): void {
  into.count = added(into.count, count);
  for (const path of first.slice(0, SHOWN_MAX - into.first.length)) into.first.push(`${prefix}${path}`);
}

const HERE: Gathered = { count: 1, first: [""] };

function emptySurvey(): Survey {
  return {
    fileCount: 0,
    contentBytes: 0,
    submodules: { count: 0, first: [] },
    lfsPointers: { count: 0, first: [] },
  };
}

/** Counts the paths of a commit. @param pointers the rows of Git LFS's pointers */
export function countPaths(listed: ListedCommit, pointers: ReadonlySet<number>): Survey {
  const surveys = new Map<CommitTree, Survey>();
  for (const tree of listed.trees) {
    const survey = emptySurvey();
    for (const { kind, name, oidAt } of itemsOf(tree)) {
      if (kind === ENTRY.submodule) addNoticed(survey.submodules, HERE, name);
      else if (kind === ENTRY.tree) {
        const child = surveys.get(listed.treeAt(tree.content, oidAt))!;
        survey.fileCount = added(survey.fileCount, child.fileCount);
        survey.contentBytes = added(survey.contentBytes, child.contentBytes);
        addNoticed(survey.submodules, child.submodules, `${name}/`);
        addNoticed(survey.lfsPointers, child.lfsPointers, `${name}/`);
      } else {
        const row = listed.rowAt(tree.content, oidAt);
        survey.fileCount = added(survey.fileCount, 1);
        if (kind === ENTRY.symlink) continue;
        survey.contentBytes = added(survey.contentBytes, listed.objects.sizeOf(row));
        if (pointers.has(row)) addNoticed(survey.lfsPointers, HERE, name);
      }
    }
    surveys.set(tree, survey);
  }
  return surveys.get(listed.trees.at(-1)!)!;
}
