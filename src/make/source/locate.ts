/** What the first argument of `docteur make` names: where it is and of which kind. */
import { existsSync, type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { DocteurError } from "../../errors.js";
import { ioError, systemCode } from "../../io-error.js";

/** A source on this machine. */
export interface Source {
  /** `git`: the root of a work tree, or a bare repository. `directory`: any other folder. `tar`: a file, or a stream. */
  kind: "git" | "directory" | "tar";
  /** Absolute; "-" is standard input. */
  path: string;
  /** Whether it can be read only once, from its begin to its end. */
  isStream: boolean;
}

const KINDS = "the source is a git repository, a directory or a tar archive";

const LOCAL_ONLY = "git clone it first (--depth=1 will do), then give the path of the clone";

function notSupported(source: string, what: string): DocteurError {
  return new DocteurError("InvalidArgument", `${source} is ${what}: sources are local in this version`, {
    hint: LOCAL_ONLY,
  });
}

/** The path that a source's text stands for: a bare path, `file:///absolute` or `relativize://relative`. */
function pathOf(source: string): string {
  if (source === "")
    throw new DocteurError("InvalidArgument", "the source is empty", { hint: "give a path" });
  if (source.includes("\0")) throw new DocteurError("InvalidArgument", "the source's path has a zero byte");
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\/\//.exec(source)?.[1]?.toLowerCase();
  const rest = source.slice((scheme?.length ?? 0) + "://".length);
  switch (scheme) {
    case undefined:
      break;
    case "relativize":
      if (rest !== "") return resolve(rest);
      throw new DocteurError("InvalidArgument", `${source} names no path`, {
        hint: "relativize://relative/path",
      });
    case "file":
      try {
        return fileURLToPath(source);
      } catch (cause) {
        throw new DocteurError("InvalidArgument", `${source} is no path of this machine`, {
          hint: "a file URL has three slashes and an absolute path: file:///absolute/path",
          cause,
        });
      }
    default:
      throw notSupported(source, `a URL of scheme ${scheme}`);
  }
  // "transport::address" makes git run a program; "host:path" is ssh, unless such a file is there.
  if (/^[A-Za-z0-9]+::/.test(source)) throw notSupported(source, "an address for a git remote helper");
  if (/^[^/\\]{2,}:/.test(source) && !existsSync(source)) throw notSupported(source, "an address for ssh");
  return resolve(source);
}

/** git's own test for a repository's folder (`is_git_directory`), as far as it tells a folder from one. */
function isBareRepository(path: string): boolean {
  return ["HEAD", "objects", "refs"].every((name) => existsSync(join(path, name)));
}

/**
 * Finds out what a source is.
 * @throws DocteurError `InvalidArgument` where the text names nothing local, `BadSource` where nothing usable is there, `Io`
 */
export function locateSource(source: string): Source {
  if (source === "-") return { kind: "tar", path: source, isStream: true };
  const path = pathOf(source);
  let found: Stats;
  try {
    found = statSync(path);
  } catch (cause) {
    if (!["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) throw ioError("read", path, cause);
    throw new DocteurError("BadSource", `${path} does not exist`, { path, hint: KINDS, cause });
  }
  if (found.isFile() || found.isFIFO()) return { kind: "tar", path, isStream: !found.isFile() };
  if (!found.isDirectory())
    throw new DocteurError("BadSource", `${path} is no directory and no file`, { path, hint: KINDS });
  const kind = existsSync(join(path, ".git")) || isBareRepository(path) ? "git" : "directory";
  return { kind, path, isStream: false };
}
