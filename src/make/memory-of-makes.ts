/** What one make remembers for the next, in one process: ids of files that did not change, and the image that it wrote. */
import { STAMP_LEN, type Unreads } from "./base/content.js";
import { KnownFiles, RACY } from "./known-files.js";
import type { KnownIds } from "./pack/options.js";
import { type FileState, type Version, versionOf } from "./pack/version.js";
import type { WrittenPack } from "./pack/writer.js";

/** An image that this process wrote itself. */
export interface WrittenImage {
  path: string;
  version: Version;
  pack: WrittenPack;
}

/** See the file's head. */
export class MakeMemory implements KnownIds {
  /** Ids of the last make, and of this one. */
  #last = new KnownFiles();
  #next = new KnownFiles();
  /** Nanoseconds since 1970: files that changed later are racy. */
  #limit = 0n;
  /** The image that the last make wrote; what this make wrote until now. */
  #image: WrittenImage | undefined;
  #pack: WrittenPack | undefined;
  #written: WrittenImage | undefined;

  /** Begins a make. */
  begin(): void {
    this.#limit = BigInt(Date.now() - RACY) * 1_000_000n;
    this.#next = new KnownFiles();
    this.#pack = undefined;
    this.#written = undefined;
  }

  /** Notes the pack that the make wrote. */
  packed({ idx, bases }: WrittenPack): void {
    this.#pack = { idx, bases };
  }

  /** Notes the image that the make wrote. @param found of the file itself: its path may lead to another one already */
  wrote(path: string, found: FileState): void {
    if (this.#pack !== undefined) this.#written = { path, version: versionOf(found), pack: this.#pack };
  }

  /** The image that the last make wrote to a path. It may have changed since. */
  imageAt(path: string): WrittenImage | undefined {
    return this.#image?.path === path ? this.#image : undefined;
  }

  /** Ends a make that succeeded: files that it did not meet are forgotten. */
  finish(): void {
    this.#last = this.#next;
    this.#image = this.#written;
  }

  /** Bytes of the contents whose ids are not known. */
  unknownLen(objects: Unreads): number {
    let sum = 0;
    for (let index = 0; index < objects.length; index++)
      if (this.#find(objects, index) === undefined) sum += objects.sizeOf(index);
    return sum;
  }

  find(objects: Unreads, index: number): Uint8Array | undefined {
    const oid = this.#find(objects, index);
    if (oid !== undefined)
      this.#next.add(objects.stamps!, objects.stampRowOf!(index), objects.sizeOf(index), oid);
    return oid;
  }

  #find(objects: Unreads, index: number): Uint8Array | undefined {
    const row = objects.stampRowOf?.(index) ?? -1;
    return row < 0 ? undefined : this.#last.find(objects.stamps!, row, objects.sizeOf(index));
  }

  keep(objects: Unreads, index: number, oid: Uint8Array): void {
    const row = objects.stampRowOf?.(index) ?? -1;
    if (row < 0) return;
    const stamps = objects.stamps!;
    const [mtimeNs, ctimeNs] = stamps.subarray(row * STAMP_LEN + 2, (row + 1) * STAMP_LEN);
    if (mtimeNs! >= this.#limit || ctimeNs! >= this.#limit) return;
    this.#next.add(stamps, row, objects.sizeOf(index), oid);
  }
}
