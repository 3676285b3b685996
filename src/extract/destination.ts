/**
 * The directory that files are extracted into, and the directories below it.
 *
 * On Linux every name is looked up in an open directory, through `/proc/self/fd`, and no name on the way may be a
 * symbolic link. So nothing is written outside of the destination, even if another process puts links into it
 * meanwhile. Other systems use paths, and look at each directory on the way before they use it: that is safe from
 * links that are there, but not from a process that replaces directories at the same moment.
 *
 * Paths and names are byte strings ("latin1").
 */
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { DocteurError } from "../errors.js";
import { shown } from "../git/byte-string.js";
import { ioError, systemCode } from "../node/io-error.js";
import { temporaryPaths } from "../node/temporary.js";

/** Permissions of new directories and files, of which the umask takes some away. */
const FOLDER_MODE = 0o755;

const OPEN_FOLDER = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0);

/** The directory that files are extracted into. It can be sent to threads of this process. */
export interface Root {
  /** For people, as it was given. */
  shown: string;
  /** Absolute, without symbolic links. */
  path: string;
  /** Open, if names are looked up in open directories. */
  fd: number | undefined;
}

/** Opens the destination, which is made if it is not there. @throws DocteurError `Io` */
export function openRoot(path: string, isAnchored = existsSync("/proc/self/fd")): Root {
  try {
    mkdirSync(path, { recursive: true });
    const real = realpathSync.native(path);
    if (!statSync(real).isDirectory()) throw notDirectory(path);
    return { shown: path, path: real, fd: isAnchored ? openSync(real, OPEN_FOLDER) : undefined };
  } catch (cause) {
    if (cause instanceof DocteurError) throw cause;
    throw systemCode(cause) === "EEXIST" ? notDirectory(path) : ioError("write to", path, cause);
  }
}

function notDirectory(path: string): DocteurError {
  return new DocteurError("Io", `cannot extract into ${path}: it is not a directory`, { path });
}

export function closeRoot({ fd }: Root): void {
  if (fd !== undefined) closeSync(fd);
}

/** Whether names in the destination that differ only in case name one file. @throws DocteurError `Io` */
export function foldsCase(root: Root): boolean {
  const { file } = temporaryPaths(root.path);
  const name = file.slice(root.path.length);
  try {
    writeFileSync(file, "", { flag: "wx" });
  } catch (cause) {
    throw ioError("write to", root.shown, cause);
  }
  try {
    return existsSync(root.path + name.toUpperCase());
  } finally {
    unlinkSync(file);
  }
}

/** A place for people: a path below the destination. */
export function placeIn({ shown: root }: Root, path: string): string {
  return path === "" ? root : shown(`${Buffer.from(root).toString("latin1").replace(/\/$/, "")}/${path}`);
}

/** The error for something that stands where another thing is to be. */
export function otherwiseThere(root: Root, path: string, hint = "--overwrite replaces it"): DocteurError {
  const place = placeIn(root, path);
  return new DocteurError("Io", `${place} is there already, and differs from the image`, {
    path: place,
    hint,
  });
}

/** A directory on the way. */
interface Step {
  path: string;
  fd: number | undefined;
  /** Its path for system calls. */
  base: Buffer;
}

const SLASH = Buffer.from("/");

function baseOf(path: string, fd: number | undefined): Buffer {
  return Buffer.from(fd === undefined ? path : `/proc/self/fd/${fd}`);
}

/** A place below the destination: one directory, in which names are looked up. */
export class Position {
  readonly #root: Root;
  /** The directories from the destination on. */
  readonly #steps: Step[];

  constructor(root: Root) {
    this.#root = root;
    this.#steps = [{ path: "", fd: root.fd, base: baseOf(root.path, root.fd) }];
  }

  get #here(): Step {
    return this.#steps.at(-1)!;
  }

  /** The directory's path, for calls that take text. */
  get folder(): string {
    return this.#here.base.toString();
  }

  /** The path under which a name in this directory is found. */
  at(name: string): Buffer {
    return Buffer.concat([this.#here.base, SLASH, Buffer.from(name, "latin1")]);
  }

  /** What a name leads to, links not followed; undefined for nothing. */
  inspect(name: string): Stats | undefined {
    return lstatSync(this.at(name), { throwIfNoEntry: false });
  }

  /** Goes to a directory that is there. @throws DocteurError `Io` for one that is not, or that is a link */
  enter(path: string): void {
    const isAbove = (step: Step): boolean =>
      step.path === "" || path === step.path || path.startsWith(`${step.path}/`);
    while (!isAbove(this.#here)) this.#leave();
    // Without descriptors, each directory on the way is looked at again.
    if (this.#root.fd === undefined) while (this.#steps.length > 1) this.#leave();
    while (this.#here.path !== path) {
      const start = this.#here.path === "" ? 0 : this.#here.path.length + 1;
      const slash = path.indexOf("/", start);
      const end = slash < 0 ? path.length : slash;
      this.#descend(path.slice(start, end), path.slice(0, end));
    }
  }

  #descend(name: string, path: string): void {
    const at = this.at(name);
    try {
      if (this.#root.fd === undefined) {
        if (!lstatSync(at).isDirectory()) throw otherwiseThere(this.#root, path);
        this.#steps.push({ path, fd: undefined, base: at });
        return;
      }
      const fd = openSync(at, OPEN_FOLDER | constants.O_NOFOLLOW);
      this.#steps.push({ path, fd, base: baseOf("", fd) });
    } catch (cause) {
      if (cause instanceof DocteurError) throw cause;
      const isOther = ["ELOOP", "ENOTDIR"].includes(systemCode(cause) ?? "");
      throw isOther
        ? otherwiseThere(this.#root, path)
        : ioError("write to", placeIn(this.#root, path), cause);
    }
  }

  #leave(): void {
    const { fd } = this.#steps.pop()!;
    if (fd !== undefined) closeSync(fd);
  }

  /**
   * Makes a directory in this one.
   * @param overwrite whether a file or a link in its place goes
   * @returns whether it is new
   * @throws DocteurError `Io`
   */
  make(name: string, path: string, overwrite: boolean): boolean {
    const at = this.at(name);
    try {
      try {
        mkdirSync(at, FOLDER_MODE);
        return true;
      } catch (cause) {
        if (systemCode(cause) !== "EEXIST") throw cause;
      }
      if (lstatSync(at).isDirectory()) return false;
      if (!overwrite) throw otherwiseThere(this.#root, path);
      unlinkSync(at);
      mkdirSync(at, FOLDER_MODE);
      return true;
    } catch (cause) {
      if (cause instanceof DocteurError) throw cause;
      throw ioError("make", placeIn(this.#root, path), cause);
    }
  }

  close(): void {
    while (this.#steps.length > 1) this.#leave();
  }
}
