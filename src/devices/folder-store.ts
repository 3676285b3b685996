/**
 * Pages in a folder, for Node: a file for each, written beside its place and renamed, so that it is whole or not there
 * whatever happens to the process. Processes share a folder without knowing of each other: each looks at it anew from
 * time to time, and removes the files that were used longest ago where they are too many.
 */
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isTemporaryName, removeAbandoned, temporaryPaths } from "../node/temporary.js";
import type { PageStore } from "./remote/kept-pages.js";

/** Names of the folders and files that are the store's: it touches no others. */
const FOLDER = /^[0-9a-f]{64}-[0-9]+$/;
const FILE = /^[0-9]+$/;
/** The part of the size that is left after a removal. */
const KEPT_PART = 0.9;
/** The folder is looked at again after each such part of its size that this process has written. */
const LOOK_PART = 1 / 16;

interface Found {
  path: string;
  size: number;
  /** When it was used last. */
  used: number;
}

export class FolderStore implements PageStore {
  readonly #folder: string;
  readonly #most: number;
  /** Bytes in the folder when it was last looked at; undefined before that. */
  #size: number | undefined;
  /** Bytes written since. */
  #written = 0;
  #looking: Promise<void> | undefined;

  /**
   * @param folder made where it is not there, for this user alone
   * @param most bytes that its files may take
   */
  constructor(folder: string, most: number) {
    this.#folder = resolve(folder);
    this.#most = most;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = join(this.#folder, key);
    try {
      const bytes = await readFile(path);
      const now = new Date();
      // Another process may have removed it meanwhile.
      utimes(path, now, now).catch(() => undefined);
      return bytes;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async set(key: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, key);
    const folder = join(path, "..");
    const temporary = temporaryPaths(folder).file;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    try {
      await writeFile(temporary, bytes, { flag: "wx", mode: 0o600 });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#written += bytes.length;
    // Again where it is still due: what was written during a look may not have been seen.
    while (this.#isDue) {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
  }

  async delete(key: string): Promise<void> {
    await rm(join(this.#folder, key), { force: true });
  }

  get #isDue(): boolean {
    if (this.#size === undefined || this.#written > this.#most * LOOK_PART) return true;
    return this.#size + this.#written > this.#most;
  }

  /** Counts what is there, and removes what is too much. */
  async #look(): Promise<void> {
    const written = this.#written;
    const found = await this.#list();
    let size = found.reduce((sum, file) => sum + file.size, 0);
    if (size > this.#most) {
      found.sort((a, b) => a.used - b.used);
      for (const file of found) {
        if (size <= this.#most * KEPT_PART) break;
        await rm(file.path, { force: true });
        size -= file.size;
      }
      await this.#removeEmpty();
    }
    this.#size = size;
    this.#written -= written;
  }

  /** The folders of the store. */
  async #folders(): Promise<string[]> {
    const names = await readdir(this.#folder);
    return names.filter((name) => FOLDER.test(name)).map((name) => join(this.#folder, name));
  }

  async #list(): Promise<Found[]> {
    const found: Found[] = [];
    for (const folder of await this.#folders()) {
      await removeAbandoned(folder);
      const names = await readdir(folder).catch(() => []);
      for (const name of names) {
        if (!FILE.test(name) && !isTemporaryName(name)) continue;
        const path = join(folder, name);
        const info = await stat(path).catch(() => undefined);
        if (info !== undefined) found.push({ path, size: info.size, used: info.mtimeMs });
      }
    }
    return found;
  }

  async #removeEmpty(): Promise<void> {
    // A folder that is not empty stays.
    for (const folder of await this.#folders()) await rmdir(folder).catch(() => undefined);
  }
}
