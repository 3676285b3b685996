/**
 * Explains why a path leads nowhere: a symbolic link on the way has no target, or was not followed. Otherwise it names
 * the path that was probably meant.
 */
import { DocteurError, type Volume } from "../../src/index.js";
import { nearest } from "../../src/text/nearest.js";
import { quotePath } from "../../src/text/quoted-path.js";

/** Links that the library follows on one path (`asm/base/limits.ts`). */
const LINKS_MAX = 40;
const SLASH = Buffer.from("/");
/** Names of a directory that are compared with one that is not there. */
const NAMES_MAX = 10_000;

/** A symbolic link on the way. */
interface Link {
  path: Buffer;
  target: Buffer;
  /** Names of the path that come after the link's target. */
  namesLeft: number;
}

/** The names of a path; a string of bytes each ("latin1"). */
function namesOf(path: Uint8Array): string[] {
  const names = Buffer.from(path).toString("latin1").split("/");
  return names.filter((name) => name !== "" && name !== ".");
}

function pathOf(names: readonly string[]): Buffer {
  return Buffer.concat([SLASH, Buffer.from(names.join("/"), "latin1")]);
}

/** `..` goes up before links are looked at, as the library has it for the path that was asked for. */
function withoutDots(names: readonly string[]): string[] {
  const result: string[] = [];
  for (const name of names)
    if (name === "..") result.pop();
    else result.push(name);
  return result;
}

/** Walks to a path name by name. @returns the link that stands in the way: unfollowed, or without its target */
async function findLink(volume: Volume, path: Uint8Array, follow: boolean): Promise<Link | undefined> {
  let ahead = withoutDots(namesOf(path));
  let reached: string[] = [];
  let link: Link | undefined;
  for (let count = 0; ahead.length > 0; ) {
    const [name, ...rest] = ahead as [string, ...string[]];
    if (name === "..") {
      reached.pop();
      ahead = rest;
      continue;
    }
    const here = pathOf([...reached, name]);
    const entry = await volume.stat(here).catch(() => undefined);
    if (entry === undefined) return link !== undefined && rest.length >= link.namesLeft ? link : undefined;
    if (entry.kind !== "symlink") {
      reached.push(name);
      ahead = rest;
      continue;
    }
    const target = Buffer.from(await volume.get(here));
    link = { path: here, target, namesLeft: rest.length };
    if (!follow || ++count > LINKS_MAX) return link;
    if (target[0] === SLASH[0]) reached = [];
    ahead = [...namesOf(target), ...rest];
  }
  return undefined;
}

/** The path that was probably meant: its first name that is not there has a near one in its place. */
async function findLikely(volume: Volume, path: Uint8Array): Promise<Buffer | undefined> {
  const names = withoutDots(namesOf(path));
  for (let count = 0; count < names.length; count++) {
    if (await volume.exists(pathOf(names.slice(0, count + 1)))) continue;
    const known: string[] = [];
    for await (const { nameBytes } of volume.entries(pathOf(names.slice(0, count)))) {
      known.push(Buffer.from(nameBytes).toString("latin1"));
      if (known.length === NAMES_MAX) break;
    }
    const name = nearest(names[count]!, known);
    return name === undefined
      ? undefined
      : pathOf([...names.slice(0, count), name, ...names.slice(count + 1)]);
  }
  return undefined;
}

/**
 * Runs work on a path. Where the path is not found, the error says which symbolic link is the reason, if one is, or which
 * path is near.
 * @param follow whether the work follows symbolic links
 */
export async function explainNotFound<T>(
  volume: Volume,
  path: Uint8Array,
  follow: boolean,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof DocteurError) || error.code !== "NotFound") throw error;
    const link = await findLink(volume, path, follow).catch(() => undefined);
    if (link === undefined) {
      const likely = await findLikely(volume, path).catch(() => undefined);
      if (likely === undefined || !(await volume.exists(likely).catch(() => false))) throw error;
      const hint = `did you mean ${quotePath(likely)}?`;
      throw new DocteurError("NotFound", error.message, { path: error.path, hint, cause: error });
    }
    const shown = quotePath(link.path);
    if (!follow) {
      const hint = `${shown} is a symbolic link; -L follows it`;
      throw new DocteurError("NotFound", error.message, { path: error.path, hint, cause: error });
    }
    const why = `${shown} is a symbolic link to ${quotePath(link.target)}, which is not in the image`;
    throw new DocteurError("NotFound", `${error.message}: ${why}`, { path: error.path, cause: error });
  }
}
