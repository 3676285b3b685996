/** Finds the ids of contents that are only hashed: they go past the engine's memory. */
import { objectHeader } from "../../git/objects.js";
import type { Contents, OpenContent } from "../base/content.js";
import type { JobObject } from "./jobs.js";

/** Smaller objects are hashed at once, others in pieces of this size. In bytes. */
const ROOM_LEN = 1 << 20;

/** See the file's head. */
export class ContentHasher {
  readonly #contents: Contents;
  /** The object's header, and its content. */
  readonly #room = new Uint8Array(ROOM_LEN);

  constructor(contents: Contents) {
    this.#contents = contents;
  }

  /** @returns 20 bytes @throws DocteurError `Io` if content cannot be read or has changed */
  oidOf({ kind, size, content }: JobObject): Uint8Array {
    const header = objectHeader(kind, size);
    const file = this.#contents.open(content, size);
    try {
      const isSmall = header.length + size <= ROOM_LEN;
      const oid = isSmall ? this.#hash(file, header, size) : this.#hashPieces(file, header, size);
      file.settle();
      return oid;
    } finally {
      file.close();
    }
  }

  #hash(file: OpenContent, header: Uint8Array, size: number): Uint8Array {
    const bytes = this.#room.subarray(0, header.length + size);
    bytes.set(header);
    file.read(bytes.subarray(header.length), 0);
    if (this.#contents.digest !== undefined) return this.#contents.digest(bytes);
    const hash = this.#contents.sha1();
    hash.update(bytes);
    return hash.digest();
  }

  #hashPieces(file: OpenContent, header: Uint8Array, size: number): Uint8Array {
    file.settle();
    const hash = this.#contents.sha1();
    hash.update(header);
    for (let at = 0; at < size; at += ROOM_LEN) {
      const bytes = this.#room.subarray(0, Math.min(ROOM_LEN, size - at));
      file.read(bytes, at);
      hash.update(bytes);
    }
    return hash.digest();
  }
}
