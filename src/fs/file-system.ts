/** Puts an `fs` together: every operation in the forms that Node gives it. */
import type { AnyVolume } from "../posix/lookup.js";
import { finish, type Steps, settle } from "../posix/steps.js";
import type { FileSystemSync } from "./api.js";
import { optionsOf, placeOf } from "./arguments.js";
import { ACCESS, constants } from "./constants.js";
import { Dir, opendir } from "./dir.js";
import { systemError } from "./errors.js";
import { FileHandle, type Parts } from "./file-handle.js";
import {
  callbackOf,
  calledBack,
  type Form,
  later,
  type Operation,
  promised,
  type Spread,
  synchronous,
} from "./forms.js";
import { globAll, globEach } from "./glob.js";
import { readdir } from "./listing.js";
import { type ReadResult, type ReadvResult, read, readv } from "./read-into.js";
import { Reads } from "./reads.js";
import { BigIntStats, Dirent, Stats } from "./stats.js";
import type { StreamClasses, StreamOptions } from "./types.js";
import { Writes } from "./writes.js";

type Operations = Record<string, Operation>;

/** Operations of paths, which have all three forms. */
function pathOperations(reads: Reads, writes: Writes): Operations {
  return {
    access: (...given) => reads.access(given[0], given[1]),
    glob: (...given) => globAll(reads, given[0], given[1]),
    lstat: (...given) => reads.lstat(given[0], given[1]),
    opendir: (...given) => opendir(reads, given[0], given[1]),
    readFile: (...given) => reads.readFile(given[0], given[1]),
    readdir: (...given) => readdir(reads, given[0], given[1]),
    readlink: (...given) => reads.readlink(given[0], given[1]),
    stat: (...given) => statOrNothing(reads, given[0], given[1]),
    statfs: (...given) => reads.statfs(given[0], given[1]),
    appendFile: (...given) => writes.writeFile(given[0]),
    chmod: (...given) => writes.chmod(given[0]),
    chown: (...given) => writes.chown(given[0]),
    copyFile: (...given) => writes.copyFile(given[0], given[1]),
    cp: (...given) => writes.cp(given[0], given[1], given[2]),
    lchown: (...given) => writes.lchown(given[0]),
    link: (...given) => writes.link(given[0], given[1]),
    lutimes: (...given) => writes.lutimes(given[0]),
    mkdir: (...given) => writes.mkdir(given[0], given[1]),
    mkdtemp: (...given) => writes.mkdtemp(given[0]),
    rename: (...given) => writes.rename(given[0], given[1]),
    rm: (...given) => writes.rm(given[0], given[1]),
    rmdir: (...given) => writes.rmdir(given[0]),
    symlink: (...given) => writes.symlink(given[0], given[1]),
    truncate: (...given) => writes.truncate(given[0]),
    unlink: (...given) => writes.unlink(given[0]),
    utimes: (...given) => writes.utimes(given[0]),
    writeFile: (...given) => writes.writeFile(given[0]),
  };
}

/** Operations of descriptors, which have no form with a promise: there, a `FileHandle` has them. */
function fdOperations(reads: Reads, writes: Writes): Operations {
  return {
    close: (...given) => reads.close(given[0]),
    fstat: (...given) => reads.fstat(given[0], given[1]),
    *open(...given) {
      return (yield* reads.open(given[0], given[1])).fd;
    },
    fchmod: (...given) => writes.fchmod(given[0]),
    fchown: (...given) => writes.fchown(given[0]),
    fdatasync: (...given) => writes.fdatasync(given[0]),
    fsync: (...given) => writes.fsync(given[0]),
    ftruncate: (...given) => writes.ftruncate(given[0]),
    futimes: (...given) => writes.futimes(given[0]),
    write: (...given) => writes.write(given[0]),
    writev: (...given) => writes.write(given[0]),
  };
}

/** `util.promisify` finds the form with a promise by this name. */
const PROMISIFY = Symbol.for("nodejs.util.promisify.custom");

function withPromised(form: Form, withPromise: Form): Form {
  return Object.assign(form, { [PROMISIFY]: withPromise });
}

/** `read` and `readv` with callbacks, which get two results. */
function intoBuffers(reads: Reads): Record<string, Form> {
  const reading: Operation = (...given) => read(reads, ...(given as [unknown]));
  const readingAll: Operation = (...given) => readv(reads, given[0], given[1], given[2]);
  const spread: Spread = ({ bytesRead, buffer }: ReadResult) => [bytesRead, buffer];
  const spreadAll: Spread = ({ bytesRead, buffers }: ReadvResult) => [bytesRead, buffers];
  return {
    read: withPromised(calledBack(reading, spread), promised(reading)),
    readv: withPromised(calledBack(readingAll, spreadAll), promised(readingAll)),
    readSync: (...given) => (finish(reading(...given)) as ReadResult).bytesRead,
    readvSync: (...given) => (finish(readingAll(...given)) as ReadvResult).bytesRead,
  };
}

/** `stat` by promise and by callback: as from Node 24 on, undefined if asked to, also where a file is no directory. */
function* statOrNothing(reads: Reads, path: unknown, given: unknown): Steps<unknown> {
  try {
    return yield* reads.stat(path, given);
  } catch (error) {
    const isAbsent = ["ENOENT", "ENOTDIR"].includes((error as { code?: string }).code ?? "");
    if (isAbsent && optionsOf(given).throwIfNoEntry === false) return undefined;
    throw error;
  }
}

/** `statSync` and `lstatSync`: undefined, if asked to, where there is nothing. */
function statSync(operation: Operation): Form {
  return (path, given) => {
    try {
      return finish(operation(path, given));
    } catch (error) {
      const isAbsent = (error as { code?: string }).code === "ENOENT";
      if (isAbsent && optionsOf(given).throwIfNoEntry === false) return undefined;
      throw error;
    }
  };
}

/** `exists`, which tells no errors. */
function existence(reads: Reads): Record<string, Form> {
  const tell = function* (path: unknown): Steps<boolean> {
    yield* reads.access(path);
    return true;
  };
  const exists: Form = (...given) => {
    const callback = callbackOf(given) as unknown as (isThere: boolean) => void;
    settle(tell(given[0])).then(
      () => later(() => callback(true)),
      () => later(() => callback(false)),
    );
  };
  return {
    exists: withPromised(exists, (path) => settle(tell(path)).catch(() => false)),
    existsSync: (path) => {
      try {
        return finish(tell(path));
      } catch (error) {
        // That a volume cannot be read synchronously says nothing about the path.
        if ((error as { code?: string }).code === "InvalidArgument") throw error;
        return false;
      }
    },
  };
}

/** The two ways to resolve a path, as Node has them. */
function realpaths(reads: Reads): Record<string, Form> {
  const byName: Operation = (...given) => reads.realpath(given[0], given[1]);
  const native: Operation = (...given) => reads.realpathNative(given[0], given[1]);
  return {
    realpath: Object.assign(calledBack(byName), { native: calledBack(native) }),
    realpathSync: Object.assign(synchronous(byName), { native: synchronous(native) }),
  };
}

/** Watching is refused: an image does not change. */
function refuseWatch(syscall: string): Form {
  return (path) => {
    throw systemError("ENOSYS", { syscall, path: placeOf(path, "filename").text });
  };
}

/** `fs.promises`. */
function promisesOf(parts: Parts, operations: Operations): Record<string, unknown> {
  const { reads } = parts;
  const forms = Object.entries(operations).map(([name, operation]) => [name, promised(operation)]);
  const contentOf: Operation = (source, options) =>
    reads.readFile(source instanceof FileHandle ? source.fd : source, options);
  return {
    ...Object.fromEntries(forms),
    constants,
    glob: (patterns: unknown, options?: unknown) => globEach(reads, patterns, options),
    open: async (path: unknown, flags?: unknown) =>
      new FileHandle(parts, (await settle(reads.open(path, flags))).fd),
    readFile: promised(contentOf),
    realpath: promised((path, options) => reads.realpathNative(path, options)),
    // biome-ignore lint/correctness/useYield: it has nothing to tell, ever
    watch: async function* (path: unknown) {
      refuseWatch("watch")(path);
    },
  };
}

/**
 * Makes the `fs` of a volume. The forms that need a volume of the other kind throw.
 * @param streams makes its streams
 */
export function fileSystemOf(volume: AnyVolume, streams: StreamClasses): FileSystemSync {
  const reads = new Reads(volume);
  const writes = new Writes(reads);
  const parts: Parts = { reads, writes, streams };
  const paths = pathOperations(reads, writes);
  const all = { ...paths, ...fdOperations(reads, writes) };
  const forms: Record<string, Form> = {};
  for (const [name, operation] of Object.entries(all)) {
    forms[name] = calledBack(operation);
    forms[`${name}Sync`] = synchronous(operation);
  }
  const fs: Record<string, unknown> = {
    ...forms,
    ...intoBuffers(reads),
    ...existence(reads),
    ...realpaths(reads),
    ...ACCESS,
    statSync: statSync((...given) => reads.stat(given[0], given[1])),
    lstatSync: statSync(paths.lstat!),
    createReadStream: (path: unknown, options?: StreamOptions | string) =>
      streams.read(path, { ...optionsOf(options), fs }),
    createWriteStream: (path: unknown, options?: object | string) =>
      streams.write(path, { ...optionsOf(options), fs }),
    openAsBlob: async (path: unknown, options?: { type?: string }) => {
      const content = (await settle(reads.readFile(path))) as Uint8Array<ArrayBuffer>;
      return new Blob([content], options);
    },
    watch: refuseWatch("watch"),
    watchFile: refuseWatch("watchFile"),
    unwatchFile: () => undefined,
    constants,
    promises: promisesOf(parts, paths),
    Stats,
    BigIntStats,
    Dirent,
    Dir,
  };
  return fs as unknown as FileSystemSync;
}
