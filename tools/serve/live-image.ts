/**
 * An image that is served and can be replaced meanwhile. Each version of it is open until the last request that began
 * with it has ended.
 */
import { type BigIntStats, stat } from "node:fs";
import { type FileHandle, open as openFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Handler, NodeListener } from "../../src/http/index.js";
import { toNodeListener } from "../../src/http/index.js";
import { type OpenOptions, open, type Stats, type Volume } from "../../src/index.js";
import { ioError } from "../../src/node/io-error.js";
import { verify } from "../../src/verify/index.js";
import { reportError } from "../../src/verify/report.js";
import { openedFile, type SiteFile } from "./site-files.js";

/** How an image is opened, and served. */
export interface LiveOptions {
  /** The name in addresses, messages and metrics. */
  name: string;
  /** A path or a URL. */
  source: string;
  open: OpenOptions;
  /** Makes what answers requests of a version. */
  handle: (volume: Volume) => Handler;
  /** Whether the image's own bytes are served. */
  withFile: boolean;
}

/** A version of the image. */
export interface Version {
  readonly volume: Volume;
  readonly listener: NodeListener;
  /** The image's bytes, if it is a file and they are served. */
  readonly file: SiteFile | undefined;
  /** Ends a use of the version. */
  release(): void;
}

const statFile = promisify(stat) as unknown as (
  path: string,
  options: { bigint: true },
) => Promise<BigIntStats>;

/** The path of an image that is a file; undefined for other sources. */
function pathOf(source: string): string | undefined {
  if (source.startsWith("file:")) return fileURLToPath(source);
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(source) ? undefined : source;
}

/** What tells a file from the one that replaces it, or from itself after a change. */
function identityOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}-${ino}-${size}-${mtimeNs}`;
}

class OpenVersion implements Version {
  readonly volume: Volume;
  readonly listener: NodeListener;
  readonly file: SiteFile | undefined;
  readonly #handle: FileHandle | undefined;
  readonly #onEnd: (stats: Stats) => void;
  #users = 1;

  constructor(
    volume: Volume,
    listener: NodeListener,
    opened: { handle: FileHandle; file: SiteFile } | undefined,
    onEnd: (stats: Stats) => void,
  ) {
    this.volume = volume;
    this.listener = listener;
    this.file = opened?.file;
    this.#handle = opened?.handle;
    this.#onEnd = onEnd;
  }

  use(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users > 0) return;
    this.#onEnd(this.volume.stats());
    // Nothing is read any more: an error of closing concerns nobody.
    void this.volume.close().catch(() => undefined);
    void this.#handle?.close().catch(() => undefined);
  }
}

/** Work that an image's device did. */
export interface DeviceWork {
  deviceReads: number;
  deviceBytes: number;
  sectorHits: number;
  sectorMisses: number;
  objectHits: number;
  objectMisses: number;
}

const WORK = [
  "deviceReads",
  "deviceBytes",
  "sectorHits",
  "sectorMisses",
  "objectHits",
  "objectMisses",
] as const;

/** An image under its name. */
export class LiveImage {
  readonly name: string;
  readonly source: string;
  readonly path: string | undefined;
  readonly #options: LiveOptions;
  readonly #retired: DeviceWork = {
    ...{ deviceReads: 0, deviceBytes: 0, sectorHits: 0, sectorMisses: 0, objectHits: 0, objectMisses: 0 },
  };
  /** Versions that are open. */
  readonly #versions = new Set<OpenVersion>();
  #current: OpenVersion | undefined;
  #identity: string | undefined;
  #refused: string | undefined;
  #seen: string | undefined;
  #isStale = false;
  #renewing: Promise<boolean> | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.name = options.name;
    this.source = options.source;
    this.path = pathOf(options.source);
  }

  /** Opens the image for the first time. @throws DocteurError the errors of `open` */
  async begin(): Promise<void> {
    const { version, identity } = await this.#open();
    this.#current = version;
    this.#identity = identity;
  }

  get volume(): Volume {
    return this.#current!.volume;
  }

  /** The version that is served now. To be released when the request has ended. */
  acquire(): Version {
    return this.#current!.use();
  }

  /** The work of the devices of all versions. */
  work(): DeviceWork {
    const sum = { ...this.#retired };
    for (const { volume } of this.#versions) addWork(sum, volume.stats());
    return sum;
  }

  /** Bytes of WebAssembly memory of all versions. */
  get memoryBytes(): number {
    return [...this.#versions].reduce((sum, { volume }) => sum + volume.stats().memoryBytes, 0);
  }

  /** Versions that are open: more than one while requests end with an old one. */
  get versionCount(): number {
    return this.#versions.size;
  }

  /** Says that the image at the URL was found to be another. */
  noticeChange(): void {
    this.#isStale = true;
  }

  /**
   * Looks whether the image was replaced, and serves the new one if so. A new image is checked first; if it is damaged,
   * the old one stays.
   * @param force opens the image again even if it looks unchanged
   * @returns whether another image is served now
   * @throws DocteurError why a new image is refused; it is tried again once it has changed again
   */
  renew(force: boolean): Promise<boolean> {
    this.#renewing ??= this.#renew(force).finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(force: boolean): Promise<boolean> {
    if (this.path !== undefined && !force) {
      const identity = identityOf(await this.#stat(this.path));
      const isSettled = identity === this.#seen;
      this.#seen = identity;
      // A file that is still being written changes from one look to the next.
      if (identity === this.#identity || identity === this.#refused || !isSettled) return false;
    }
    try {
      const { version, identity } = await this.#openChecked();
      const before = this.#current!;
      const isSame =
        version.volume.commit.oid === before.volume.commit.oid &&
        version.volume.imageSize === before.volume.imageSize;
      if (this.path === undefined && isSame && !force && !this.#isStale) {
        version.release();
        return false;
      }
      this.#isStale = false;
      this.#current = version;
      this.#identity = identity;
      before.release();
      return true;
    } catch (error) {
      this.#refused = this.#seen;
      throw error;
    }
  }

  async #stat(path: string): Promise<BigIntStats> {
    try {
      return await statFile(path, { bigint: true });
    } catch (cause) {
      throw ioError("read", path, cause);
    }
  }

  /** @throws DocteurError if the header, a checksum, the index or the commit is damaged */
  async #check(): Promise<void> {
    const { commit } = this.#options.open;
    const report = await verify(this.source, { quick: true, ...(commit === undefined ? {} : { commit }) });
    const error = reportError(report);
    if (error !== undefined) throw error;
  }

  /** Opens the image that was checked: not another one that has taken its place meanwhile. */
  async #openChecked(): Promise<{ version: OpenVersion; identity: string | undefined }> {
    for (;;) {
      const before = this.path === undefined ? undefined : identityOf(await this.#stat(this.path));
      if (this.path !== undefined) await this.#check();
      const opened = await this.#open();
      if (opened.identity === before) return opened;
      opened.version.release();
    }
  }

  /** Opens the volume and, if they are served, the image's bytes: of one file, whatever is renamed meanwhile. */
  async #open(): Promise<{ version: OpenVersion; identity: string | undefined }> {
    const { source, open: options, handle, withFile } = this.#options;
    for (;;) {
      const before = this.path === undefined ? undefined : identityOf(await this.#stat(this.path));
      const volume = await open(source, options);
      try {
        const opened = this.path !== undefined && withFile ? await openFile(this.path, "r") : undefined;
        const after = opened === undefined ? undefined : await opened.stat({ bigint: true });
        const last = this.path === undefined ? undefined : identityOf(after ?? (await this.#stat(this.path)));
        if (last !== before) {
          await opened?.close();
          await volume.close();
          continue;
        }
        const file = opened && {
          handle: opened,
          file: openedFile(opened, `${volume.commit.oid}-${before}`, Number(after!.size)),
        };
        const version: OpenVersion = new OpenVersion(
          volume,
          toNodeListener(handle(volume)),
          file,
          (stats) => {
            addWork(this.#retired, stats);
            this.#versions.delete(version);
          },
        );
        this.#versions.add(version);
        return { version, identity: before };
      } catch (error) {
        await volume.close().catch(() => undefined);
        throw error;
      }
    }
  }

  /** Ends the image: it closes once the last request has ended. */
  end(): void {
    this.#current?.release();
    this.#current = undefined;
  }
}

function addWork(sum: DeviceWork, stats: Stats): void {
  for (const name of WORK) sum[name] += stats[name];
}
