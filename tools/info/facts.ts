/** What `docteur info` knows of an image, in the form of its JSON. */

import { nameOf } from "../../src/devices/open.js";
import { PACK_START } from "../../src/git/entry.js";
import { isoDate } from "../../src/git/ident.js";
import type { Person, Volume } from "../../src/index.js";
import { endOf } from "../../src/layout/footer.js";
import { FOOTER } from "../../src/layout/format.js";
import { ImageBytes } from "../../src/pack-table/image-bytes.js";
import { type ObjectKind, PackTable, packEnd } from "../../src/pack-table/pack-table.js";
import { figuresOf, type KindFigures, type Sized, Survey } from "../../src/sweep/survey.js";
import { BEYOND } from "../../src/verify/tally.js";
import { partsOf } from "../../src/volume.js";
import { quotedField } from "../cli/entries.js";
import { readParents } from "./parents.js";

/** A person of the commit. */
interface PersonFacts {
  name: string;
  email: string;
  date?: string;
  zone?: string;
}

/** A path inside the image. */
export interface PathFacts {
  path: string;
  quoted?: string;
}

/** Where the parts of the image lie: offsets from its start. */
interface Layout {
  packOffset: number;
  packBytes: number;
  idxOffset: number;
  idxBytes: number;
  /** The layout section; absent if there is none that readers can use. */
  layoutOffset?: number;
  layoutBytes: number;
}

/** Facts that take reading all directories, and the headers of all objects. */
export interface FullFacts {
  layout: Layout;
  pathCounts: Record<"directories" | "files" | "executables" | "symlinks" | "submodules", number>;
  /** Bytes of all files. */
  contentBytes: number;
  objects: Record<`${ObjectKind}s`, KindFigures>;
  /** How many objects there are of each depth, from 0 on. */
  depths: number[];
  largestFiles: (PathFacts & { size: number })[];
  largestDirectories: (PathFacts & { contentBytes: number })[];
}

/** Facts of an image; the full ones are missing with `--quick`. */
export interface Facts extends Partial<FullFacts> {
  image: string;
  imageBytes: number;
  format: { version: 1; packVersion: number; idxVersion: 2; compression: "zlib" };
  commit: string;
  tree: string;
  parents: string[];
  author: PersonFacts;
  committer: PersonFacts;
  message: string;
  objectCount: number;
}

function personFacts({ name, email, date, zone }: Person): PersonFacts {
  return {
    name,
    email,
    ...(date === null ? {} : { date: isoDate(date) }),
    ...(zone === null ? {} : { zone }),
  };
}

function pathFacts({ path }: Sized): PathFacts {
  const text = Buffer.from(path).toString();
  return { path: text, ...quotedField(text, path) };
}

/** A number for JSON, where other programs could not read a large one: as in the report of `verify`. */
function jsonCount(count: number): number | typeof BEYOND {
  return Number.isSafeInteger(count) ? count : BEYOND;
}

/** The facts in the form of `--json`: docs/schemas/info.json describes it. */
export function factsJson({
  pathCounts,
  contentBytes,
  largestFiles,
  largestDirectories,
  ...facts
}: Facts): object {
  if (pathCounts === undefined) return facts;
  return {
    ...facts,
    pathCounts: Object.fromEntries(
      Object.entries(pathCounts).map(([kind, count]) => [kind, jsonCount(count)]),
    ),
    contentBytes: jsonCount(contentBytes!),
    largestFiles,
    largestDirectories: largestDirectories!.map((one) => ({
      ...one,
      contentBytes: jsonCount(one.contentBytes),
    })),
  };
}

/** The facts that opening an image and reading its header tell. */
export async function quickFacts(image: string, volume: Volume): Promise<Facts> {
  const { commit } = volume;
  const frame = await new ImageBytes(partsOf(volume).device).frame();
  return {
    image: nameOf(image) ?? image,
    imageBytes: volume.imageSize,
    format: { version: 1, packVersion: frame.packVersion, idxVersion: 2, compression: "zlib" },
    commit: commit.oid,
    tree: commit.tree,
    parents: await readParents(volume),
    author: personFacts(commit.author),
    committer: personFacts(commit.committer),
    message: commit.message,
    objectCount: frame.count,
  };
}

/** The place of the layout section. */
async function sectionOf(bytes: ImageBytes): Promise<Pick<Layout, "layoutOffset" | "layoutBytes">> {
  const { capacity } = bytes;
  const end = endOf(await bytes.copy(capacity - FOOTER, FOOTER), capacity);
  if (end.state !== "found") return { layoutBytes: 0 };
  const layoutOffset = end.footer.bareSize;
  return { layoutOffset, layoutBytes: capacity - layoutOffset };
}

/**
 * The facts that take reading all directories.
 * @param top how many of the largest files and directories
 */
export async function fullFacts(volume: Volume, top: number): Promise<FullFacts> {
  const bytes = new ImageBytes(partsOf(volume).device);
  const frame = await bytes.frame();
  const idx = await bytes.idx(frame);
  const end = await packEnd(bytes, frame, idx);
  const { kinds, depths } = figuresOf(await PackTable.read(bytes, frame, idx));
  const survey = new Survey(volume);
  const { tree } = volume.commit;
  const totals = await survey.totals(tree, Uint8Array.of(0x2f));
  return {
    layout: {
      packOffset: PACK_START,
      packBytes: end - PACK_START,
      idxOffset: frame.idxStart,
      idxBytes: idx.bytes.length,
      ...(await sectionOf(bytes)),
    },
    pathCounts: {
      directories: totals.directory,
      files: totals.file,
      executables: totals.executable,
      symlinks: totals.symlink,
      submodules: totals.submodule,
    },
    contentBytes: totals.bytes,
    objects: { commits: kinds.commit, trees: kinds.tree, blobs: kinds.blob, tags: kinds.tag },
    depths,
    largestFiles: (await survey.largestFiles(tree, top)).map((one) => ({
      ...pathFacts(one),
      size: one.size,
    })),
    largestDirectories: (await survey.largestDirectories(tree, top)).map((one) => ({
      ...pathFacts(one),
      contentBytes: one.size,
    })),
  };
}
