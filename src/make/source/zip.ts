/**
 * A zip archive as a source. The central directory decides, and the local headers must agree with it. The result is
 * that of extracting all members in their order: the last member of a path counts, as in a tar archive. Contents are
 * inflated into a file, and proven by their CRC-32s.
 *
 * Paths are byte strings ("latin1"), from the root of the source and without a slash in front.
 */
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from "yauzl";
import { DocteurError } from "../../errors.js";
import { shown } from "../../git/byte-string.js";
import { doubled } from "../../git/byte-strings.js";
import { MODE } from "../../git/objects.js";
import { Breath } from "../base/yielding.js";
import type { Archive } from "./archive.js";
import type { Listing } from "./listing.js";
import { type ArchiveOptions, endsInDot, MemberPaths } from "./member-paths.js";
import type { MemberSpool } from "./member-spool.js";
import { DEVICE, FIFO, SOCKET, TarTree } from "./tar-tree.js";
import { BadContent, readContent } from "./zip-content.js";
import {
  type Extent,
  hostOf,
  isUtf8,
  kindOf,
  locateContent,
  whyUnreadable,
  type ZipKind,
} from "./zip-header.js";
import { zipName } from "./zip-names.js";

/** The most bytes of a link's target: paths take far less. */
const TARGET_MAX = 1 << 20;

/** The signature of a header in the central directory. */
const CENTRAL = 0x02014b50;

const SPECIAL: Partial<Record<ZipKind, number>> = { device: DEVICE, fifo: FIFO, socket: SOCKET };

/** Whether a file with these first bytes is a zip archive: its first member's header, or the end of an empty one. */
export function isZip(head: Uint8Array): boolean {
  const [p, k, first, second] = head;
  return p === 0x50 && k === 0x4b && ((first === 3 && second === 4) || (first === 5 && second === 6));
}

/** An archive, in the form that yauzl reads. */
class ArchiveReader extends RandomAccessReader {
  readonly #archive: Archive;

  constructor(archive: Archive) {
    super();
    this.#archive = archive;
  }

  override read(
    into: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, count?: number) => void,
  ): void {
    let error: Error | null = null;
    const left = Math.max(0, Math.min(length, this.#archive.size - position));
    try {
      if (left > 0) into.set(this.#archive.read(position, left), offset);
      if (left < length) error = new Error("it is cut off");
    } catch (cause) {
      error = cause as Error;
    }
    callback(error, left);
  }
}

/** The parts of the archive that belong to something: no two may share a byte. */
class Extents {
  #starts = new Float64Array(256);
  #ends = new Float64Array(256);
  #count = 0;
  #sum = 0;

  /** @returns whether the parts so far fit into an archive of `size` bytes */
  add(start: number, end: number, size: number): boolean {
    if (this.#count === this.#starts.length) {
      this.#starts = doubled(this.#starts);
      this.#ends = doubled(this.#ends);
    }
    this.#starts[this.#count] = start;
    this.#ends[this.#count++] = end;
    this.#sum += end - start;
    return this.#sum <= size;
  }

  /** Whether two of them overlap. */
  overlap(): boolean {
    const starts = this.#starts.subarray(0, this.#count).sort();
    const ends = this.#ends.subarray(0, this.#count).sort();
    // With both in order, the parts are apart exactly if each ends before the next one starts.
    for (let at = 1; at < this.#count; at++) if (ends[at - 1]! > starts[at]!) return true;
    return false;
  }
}

class ZipLister {
  readonly #archive: Archive;
  readonly #options: ArchiveOptions;
  readonly #spool: MemberSpool;
  readonly #tree: TarTree;
  readonly #paths: MemberPaths;
  readonly #extents = new Extents();
  #memberCount = 0;

  constructor(archive: Archive, spool: MemberSpool, options: ArchiveOptions) {
    this.#archive = archive;
    this.#options = options;
    this.#spool = spool;
    this.#tree = new TarTree({ name: archive.name, path: spool.path });
    this.#paths = new MemberPaths(archive.name, this.#tree, options);
  }

  async list(): Promise<Listing> {
    const breath = new Breath(this.#options.signal);
    const zip = await this.#open();
    try {
      const start = cursorOf(zip);
      for await (const entry of zip.eachEntry()) {
        await this.#take(entry);
        await breath.take();
      }
      this.#checkEnd(start, cursorOf(zip));
    } catch (cause) {
      throw this.#typed(cause);
    }
    this.#paths.finish();
    return { ...this.#tree.finish(this.#options.skipSpecial), strippedCount: this.#paths.strippedCount };
  }

  async #open(): Promise<ZipFile> {
    const { size } = this.#archive;
    const options = { decodeStrings: false, autoClose: false };
    try {
      return await fromRandomAccessReaderPromise(new ArchiveReader(this.#archive), size, options);
    } catch (cause) {
      throw this.#typed(cause);
    }
  }

  /** yauzl's errors are plain ones about the archive's format. */
  #typed(cause: unknown): unknown {
    const isPlain =
      cause instanceof Error && (cause.constructor === Error || cause.constructor === RangeError);
    if (!isPlain || "code" in cause || this.#options.signal?.aborted) return cause;
    return this.#error(`the zip archive is damaged: ${cause.message.replace(/\.$/, "")}`, cause);
  }

  #error(what: string, cause?: unknown): DocteurError {
    return new DocteurError("BadSource", `${this.#archive.name}: ${what}`, {
      path: this.#archive.name,
      hint: "unzip -t tests the archive; an image of the extracted directory is possible, too",
      cause,
    });
  }

  #damaged(what: string): never {
    throw this.#error(what);
  }

  /** Checks the data behind the last member that the archive announces. */
  #checkEnd(start: number, end: number): void {
    const { size } = this.#archive;
    if (end + 4 <= size && this.#archive.read(end, 4).readUInt32LE(0) === CENTRAL)
      this.#damaged("it has more members than it announces");
    if (!this.#extents.add(start, end, size) || this.#extents.overlap())
      this.#damaged("members of it overlap, as in a zip bomb");
  }

  /** Adds a member. */
  async #take(entry: Entry): Promise<void> {
    this.#options.onProgress?.(++this.#memberCount);
    const path = this.#nameOf(entry);
    const kind = kindOf(entry, path);
    const names = this.#paths.namesOf(path);
    if (!Array.isArray(names)) return this.#damaged(names.defect);
    const extent = locateContent(this.#archive, entry);
    if ("defect" in extent) return this.#damaged(`${shown(path)}: ${extent.defect}`);
    if (!this.#extents.add(extent.start, extent.end, this.#archive.size))
      this.#damaged("members of it overlap, as in a zip bomb");
    const member = this.#paths.locate(names, kind === "directory");
    if (kind === "directory") return this.#paths.addFolder(member, endsInDot(path));
    if (names.length === 0) this.#damaged("a member that has no name");
    if (endsInDot(path)) this.#damaged(`a file or link named ${shown(path)}, as only a directory can be`);
    // What is left out need not be readable.
    if (!member.isIn || member.place === undefined) return this.#paths.add(member, FIFO);
    this.#paths.add(member, SPECIAL[kind] ?? (await this.#leaf(entry, extent, kind, path)));
  }

  #nameOf(entry: Entry): string {
    const { fileNameRaw: raw, extraFields } = entry;
    const name = zipName({ raw, isUtf8: isUtf8(entry), host: hostOf(entry), extraFields });
    return name ?? this.#damaged(`the name ${shown(raw.toString("latin1"))} is not UTF-8, as it is marked`);
  }

  /** A file's or a link's number in the tree. */
  async #leaf(entry: Entry, extent: Extent, kind: ZipKind, path: string): Promise<number> {
    const why = whyUnreadable(entry);
    if (why !== undefined)
      throw new DocteurError("BadSource", `${this.#archive.name}: ${shown(path)} cannot be read: ${why}`, {
        path: shown(path),
        hint: "extract the archive, and make the image of the directory",
      });
    // DOS's times have no zone: as UTC, they are equal on all machines.
    const mtime = Math.floor(entry.getLastModDate({ timezone: "UTC" }).getTime() / 1000) || 0;
    const size = entry.uncompressedSize;
    try {
      if (kind === "link") {
        const content = await this.#target(entry, extent, path);
        return this.#tree.members.add({ mode: MODE.symlink, size: content.length, content, mtime });
      }
      const offset = this.#spool.length;
      const { signal } = this.#options;
      await readContent(this.#archive, entry, extent, (bytes) => this.#spool.append(bytes), signal);
      const mode = kind === "executable" ? MODE.executable : MODE.file;
      return this.#tree.members.add({ mode, size, content: offset, mtime });
    } catch (cause) {
      if (cause instanceof BadContent) return this.#damaged(`${shown(path)} is damaged: ${cause.message}`);
      throw cause;
    }
  }

  /** The target of a symbolic link. */
  async #target(entry: Entry, extent: Extent, path: string): Promise<Uint8Array> {
    const size = entry.uncompressedSize;
    if (size > TARGET_MAX) this.#damaged(`a symbolic link to a path of ${size} bytes, ${shown(path)}`);
    const target = new Uint8Array(size);
    let length = 0;
    const take = (bytes: Uint8Array): void => {
      target.set(bytes, length);
      length += bytes.length;
    };
    await readContent(this.#archive, entry, extent, take, this.#options.signal);
    if (size === 0 || target.includes(0))
      this.#damaged(`a symbolic link with no proper target, ${shown(path)}`);
    return target;
  }
}

/** The offset of the next header in the central directory. yauzl's types have a wrong type for it. */
const cursorOf = ({ readEntryCursor }: ZipFile): number => Number(readEntryCursor);

/**
 * Lists a zip archive, also one with fields of 64 bits; members are stored or deflated. Modes and links are those that
 * Unix systems and macOS note.
 *
 * Slashes and `./` in front of paths are removed. Missing directories are added. Entries named `.git` are left out and
 * listed in `skipped`.
 *
 * @param spool takes the contents; it must be readable as long as the listing is in use, and is closed in the end
 * @throws DocteurError `BadSource` for a damaged archive, for encrypted members and unknown compressions, and for entries
 *   that no image can hold; `Io`; system errors of the spool; the signal's reason
 */
export async function listZip(
  archive: Archive,
  spool: MemberSpool,
  options: ArchiveOptions,
): Promise<Listing> {
  try {
    return await new ZipLister(archive, spool, options).list();
  } finally {
    spool.close();
  }
}
