/** An image as a listed source: its files become part of another image. */
import { DocteurError } from "../errors.js";
import { MODE } from "../git/objects.js";
import { open } from "../open.js";
import type { Entry } from "../volume/entry.js";
import type { Volume } from "../volume.js";
import { bytesOf } from "./base/file-contents.js";
import { HEADER_LEN } from "./image.js";
import type { Archive } from "./source/archive.js";
import type { Listing } from "./source/listing.js";
import { type ArchiveOptions, MemberPaths } from "./source/member-paths.js";
import type { MemberSpool } from "./source/member-spool.js";
import { TarTree } from "./source/tar-tree.js";

/** The most paths of an image that are listed: trees that hold each other may give any number. */
const PATHS_MAX = 10_000_000;
/** The most bytes of a link's target. */
const TARGET_MAX = 1 << 20;

const IDX_MAGIC = 0xff744f63;

/** Whether a file is an image: it has a PACK and an IDX in their places. */
export function isImage(archive: Archive): boolean {
  if (archive.size < HEADER_LEN + 4) return false;
  const head = Buffer.from(archive.read(0, HEADER_LEN + 4));
  if (head.toString("latin1", HEADER_LEN) !== "PACK") return false;
  const idx = Number(head.readBigUInt64LE(20));
  return idx + 4 <= archive.size && archive.read(idx, 4).readUInt32BE(0) === IDX_MAGIC;
}

class ImageLister {
  readonly #volume: Volume;
  readonly #options: ArchiveOptions;
  readonly #spool: MemberSpool;
  readonly #tree: TarTree;
  readonly #paths: MemberPaths;
  /** Numbers of members by mode and id: equal contents are read once. */
  readonly #known = new Map<string, number>();
  readonly #mtime: number;
  #count = 0;

  constructor(name: string, volume: Volume, spool: MemberSpool, options: ArchiveOptions) {
    this.#volume = volume;
    this.#options = options;
    this.#spool = spool;
    this.#tree = new TarTree({ name, path: spool.path });
    this.#paths = new MemberPaths(name, this.#tree, options);
    this.#mtime = Math.floor((volume.commit.date?.getTime() ?? 0) / 1000);
  }

  async list(): Promise<Listing> {
    const { signal, onProgress, skipSpecial } = this.#options;
    for await (const entry of this.#volume.walk("/", { signal })) {
      if (entry.kind === "submodule") continue;
      if (++this.#count > PATHS_MAX)
        throw new DocteurError("BadSource", `the image has more than ${PATHS_MAX} paths`);
      onProgress?.(this.#count);
      await this.#take(entry);
    }
    this.#paths.finish();
    return { ...this.#tree.finish(skipSpecial), strippedCount: this.#paths.strippedCount };
  }

  async #take(entry: Entry): Promise<void> {
    const path = Buffer.from(entry.pathBytes).toString("latin1");
    const names = this.#paths.namesOf(path);
    if (!Array.isArray(names)) throw new DocteurError("BadTree", names.defect, { path: entry.path });
    const member = this.#paths.locate(names, entry.kind === "directory");
    if (entry.kind === "directory") return this.#paths.addFolder(member, true);
    const key = `${entry.kind} ${entry.oid}`;
    let item = this.#known.get(key);
    if (item === undefined) {
      item = await this.#leaf(entry);
      this.#known.set(key, item);
    }
    this.#paths.add(member, item);
  }

  /** Reads the content, and proves it by its id. */
  async #leaf({ kind, pathBytes }: Entry): Promise<number> {
    const { signal } = this.#options;
    const mtime = this.#mtime;
    if (kind === "symlink") {
      const content = await this.#volume.get(pathBytes, { maxSize: TARGET_MAX, signal });
      return this.#tree.members.add({ mode: MODE.symlink, size: content.length, content, mtime });
    }
    const offset = this.#spool.length;
    const reader = this.#volume.stream(pathBytes, { signal }).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read())
      this.#spool.append(next.value);
    const mode = kind === "executable" ? MODE.executable : MODE.file;
    return this.#tree.members.add({ mode, size: this.#spool.length - offset, content: offset, mtime });
  }
}

/**
 * Lists an image. Every object is proven by its id.
 * @param spool takes the contents; it must be readable as long as the listing is in use, and is closed in the end
 * @returns the listing, and the id of the image's commit
 * @throws DocteurError errors of a damaged image; `BadSource`, `Io`; the signal's reason
 */
export async function listImage(
  archive: Archive,
  spool: MemberSpool,
  options: ArchiveOptions,
): Promise<{ listing: Listing; commit: string }> {
  try {
    const volume = await open(bytesOf(archive.path).toString(), { proof: "oid" });
    try {
      const listing = await new ImageLister(archive.name, volume, spool, options).list();
      return { listing, commit: volume.commit.oid };
    } finally {
      await volume.close();
    }
  } finally {
    spool.close();
  }
}
