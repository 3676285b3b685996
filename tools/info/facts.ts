/** What `docteur info` knows of an image, in the form of its JSON. */

import { nameOf } from "../../src/devices/open.js";
import type { Person, Volume } from "../../src/index.js";
import { endOf } from "../../src/layout/footer.js";
import { FOOTER } from "../../src/layout/format.js";
import { ImageBytes } from "../../src/pack-table/image-bytes.js";
import { type ObjectKind, PackTable, packEnd } from "../../src/pack-table/pack-table.js";
import { figuresOf, type KindFigures, type Sized, Survey } from "../../src/sweep/survey.js";
import { BEYOND } from "../../src/verify/report.js";
import { partsOf } from "../../src/volume.js";
import { quotedField } from "../cli/entries.js";
import { isoDate } from "../cli/format.js";
import { readParents } from "./parents.js";

/** A person of the commit. */
interface PersonFacts {
  name: string;
  email: string;
  date: string | null;
  zone: string | null;
}

/** A path and its bytes. */
interface SizedFacts {
  path: string;
  quoted?: string;
  size: number;
}

/** Bytes from the image's start. */
interface Layout {
  header: { offset: number; size: number };
  pack: { offset: number; size: number; version: number };
  idx: { offset: number; size: number };
  /** The layout section; null if there is none that readers can use. */
  section: { offset: number; size: number } | null;
}

/** Facts that take reading all directories, and the headers of all objects. */
export interface FullFacts {
  layout: Layout;
  counts: Record<"directories" | "files" | "executables" | "symlinks" | "submodules", number>;
  /** Bytes of all files. */
  contentBytes: number;
  objects: Record<ObjectKind, KindFigures>;
  /** How many objects there are of each depth, from 0 on. */
  depths: number[];
  largestFiles: SizedFacts[];
  largestDirectories: SizedFacts[];
}

/** Facts of an image; the full ones are missing with `--quick`. */
export interface Facts extends Partial<FullFacts> {
  image: string;
  /** Bytes. */
  size: number;
  format: { version: 1; pack: number; idx: 2; compression: "zlib" };
  commit: string;
  tree: string;
  parents: string[];
  author: PersonFacts;
  committer: PersonFacts;
  message: string;
  objectCount: number;
}

function personFacts({ name, email, date, zone }: Person): PersonFacts {
  return { name, email, date: date === null ? null : isoDate(date), zone };
}

function sizedFacts({ path, size }: Sized): SizedFacts {
  const text = Buffer.from(path).toString();
  return { path: text, ...quotedField(text, path), size };
}

/** A number for JSON, where other programs could not read a large one: as in the report of `verify`. */
function jsonCount(count: number): number | typeof BEYOND {
  return Number.isSafeInteger(count) ? count : BEYOND;
}

/** The facts in the form of `--json`: docs/schemas/info.json describes it. */
export function factsJson({
  counts,
  contentBytes,
  largestFiles,
  largestDirectories,
  ...facts
}: Facts): object {
  if (counts === undefined) return facts;
  return {
    ...facts,
    counts: Object.fromEntries(Object.entries(counts).map(([kind, count]) => [kind, jsonCount(count)])),
    contentBytes: jsonCount(contentBytes!),
    largestFiles,
    largestDirectories: largestDirectories!.map((one) => ({ ...one, size: jsonCount(one.size) })),
  };
}

/** The facts that opening an image and reading its header tell. */
export async function quickFacts(image: string, volume: Volume): Promise<Facts> {
  const { commit } = volume;
  const frame = await new ImageBytes(partsOf(volume).device).frame();
  return {
    image: nameOf(image) ?? image,
    size: volume.imageSize,
    format: { version: 1, pack: frame.packVersion, idx: 2, compression: "zlib" },
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
async function sectionOf(bytes: ImageBytes): Promise<Layout["section"]> {
  const { capacity } = bytes;
  const end = endOf(await bytes.copy(capacity - FOOTER, FOOTER), capacity);
  if (end.state !== "found") return null;
  return { offset: end.footer.bareSize, size: capacity - end.footer.bareSize };
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
      header: { offset: 0, size: 28 },
      pack: { offset: 28, size: end - 28, version: frame.packVersion },
      idx: { offset: frame.idxStart, size: idx.bytes.length },
      section: await sectionOf(bytes),
    },
    counts: {
      directories: totals.directory,
      files: totals.file,
      executables: totals.executable,
      symlinks: totals.symlink,
      submodules: totals.submodule,
    },
    contentBytes: totals.bytes,
    objects: kinds,
    depths,
    largestFiles: (await survey.largestFiles(tree, top)).map(sizedFacts),
    largestDirectories: (await survey.largestDirectories(tree, top)).map(sizedFacts),
  };
}
