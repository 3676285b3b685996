/** Finds the place and the kind of the source that the first argument of `docteur make` names. */

import { existsSync, type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { DocteurError } from "../errors.js";
import {
  decodePercent,
  isScpLike,
  parseRemoteUrl,
  parseScpLike,
  REMOTE_SCHEMES,
  type RemoteAddress,
} from "../git-program/address.js";
import { ioError, systemCode } from "../node/io-error.js";
import type { GitSource } from "./git/source.js";

/** Files on this machine. */
export interface FileSource {
  /** `directory`: any other folder; `archive`: a file, or a stream. */
  kind: "directory" | "archive";
  /** Absolute; "-" is standard input. */
  path: string;
  /** Whether it can be read only once, from beginning to end. */
  isStream: boolean;
}

/** The source that a text names. */
export type Source = GitSource | FileSource;

const KINDS = "the source is a git repository, a directory or an archive";

function refuse(message: string, hint: string, cause?: unknown): never {
  throw new DocteurError("InvalidArgument", message, { hint, cause });
}

/**
 * The path of a `file://` URL, read as git reads it (connect.c, url.c): a percent sign that encodes no byte
 * stays, there is no query and no fragment, and a host between the slashes, such as `localhost`, is skipped.
 * @param rest the text after the scheme
 */
function pathOfFileUrl(source: string, rest: string): string {
  const path = decodePercent(rest);
  const start = path.indexOf("/");
  if (start < 0 || path.includes("\0"))
    refuse(
      `${source} is no path of this machine`,
      "a file URL has three slashes and an absolute path: file:///absolute/path",
    );
  return resolve(
    process.platform === "win32" ? path.slice(start).replace(/^\/+(?=[A-Za-z]:)/, "") : path.slice(start),
  );
}

/** The address or the absolute path that a source's text stands for. */
function readSource(source: string): RemoteAddress | string {
  if (source === "") refuse("the source is empty", "give a path, or the address of a git repository");
  if (source.startsWith("-"))
    refuse(`the source ${source} begins with a dash`, `a file of this name is ./${source}`);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]+):\/\//.exec(source)?.[1]?.toLowerCase();
  if (scheme !== undefined && REMOTE_SCHEMES.includes(scheme)) return parseRemoteUrl(source, scheme);
  if (source.includes("\0")) refuse("the source's path has a zero byte", "give another path");
  const rest = source.slice((scheme?.length ?? 0) + "://".length);
  switch (scheme) {
    case undefined:
      break;
    case "relativize":
      if (rest !== "") return resolve(rest);
      return refuse(`${source} names no path`, "relativize://relative/path");
    case "file":
      return pathOfFileUrl(source, rest);
    default:
      refuse(
        `no source has the scheme ${scheme}://`,
        "there are https, http, ssh, git, file and relativize, user@host:path, and paths",
      );
  }
  // "transport::address" makes git run a program of that name.
  const helper = /^([A-Za-z0-9][A-Za-z0-9+.-]*)::/.exec(source)?.[1];
  if (helper !== undefined)
    refuse(
      `the source is an address for git's remote helper ${helper}, which is not taken`,
      "git clone it first (--depth=1 will do), then give the path of the clone",
    );
  return isScpLike(source) && !existsSync(source) ? parseScpLike(source) : resolve(source);
}

/** git's own test for a repository's folder (`is_git_directory`), in the parts that concern folders. */
function isBareRepository(path: string): boolean {
  return ["HEAD", "objects", "refs"].every((name) => existsSync(join(path, name)));
}

/**
 * Finds the place and the kind of a source.
 * @throws DocteurError `InvalidArgument` if the text cannot name a source, `BadSource` if there is nothing
 *   usable, `Io`
 */
export function locateSource(source: string): Source {
  if (source === "-") return { kind: "archive", path: source, isStream: true };
  const place = readSource(source);
  if (typeof place !== "string") return { kind: "remote", address: place };
  const path = place;
  let found: Stats;
  try {
    found = statSync(path);
  } catch (cause) {
    if (!["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) throw ioError("read", path, cause);
    throw new DocteurError("BadSource", `${path} does not exist`, { path, hint: KINDS, cause });
  }
  if (found.isFile() || found.isFIFO()) return { kind: "archive", path, isStream: !found.isFile() };
  if (!found.isDirectory())
    throw new DocteurError("BadSource", `${path} is no directory and no file`, { path, hint: KINDS });
  if (existsSync(join(path, ".git")) || isBareRepository(path)) return { kind: "git", path };
  return { kind: "directory", path, isStream: false };
}
