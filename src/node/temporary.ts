/**
 * Temporary files and folders: their names, which identify the process that made them, and the removal of
 * those that a killed process left behind.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { lstat, readdir, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemCode } from "./io-error.js";

/**
 * `.docteur-OWNER-PROCESS-RANDOM.tmp`, or `.d` for a folder; earlier versions had only the random digits. A
 * `.part` is the received part of a download; its digits identify the content.
 */
const NAME = /^\.docteur-(?:([0-9a-f]{12})-([1-9][0-9]{0,9})-)?([0-9a-f]{16})\.(tmp|d|part)$/;

/** Whether the name is that of an unfinished file or folder of some run. */
export function isTemporaryName(name: string): boolean {
  return NAME.test(name);
}

/** Stands for a system that cannot be identified: no real one has this name. */
const NO_OWNER = "0".repeat(12);

/**
 * Identifies the scope in which process ids are valid: this boot of this machine, this namespace of process
 * ids.
 * @returns 12 hexadecimal digits; `NO_OWNER` if the system does not tell (any but Linux)
 */
function findOwner(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1");
    const namespace = readlinkSync("/proc/self/ns/pid");
    return createHash("sha256").update(`${boot}\0${namespace}\0${hostname()}`).digest("hex").slice(0, 12);
  } catch {
    return NO_OWNER;
  }
}

let owner: string | undefined;

/**
 * An unused path for a temporary file or folder. All temporary names are made here.
 * @param folder absolute
 * @returns the file's path, and the folder's path
 */
export function temporaryPaths(folder: string): { file: string; folder: string } {
  owner ??= findOwner();
  const stem = join(folder, `.docteur-${owner}-${process.pid}-${randomBytes(8).toString("hex")}`);
  return { file: `${stem}.tmp`, folder: `${stem}.d` };
}

/** Whether a process has ended. If another process has its id by now, it counts as running. */
function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (cause) {
    return systemCode(cause) === "ESRCH";
  }
}

/**
 * Whether this process's user made the file or folder, and no other user can change a folder's content while
 * it is removed.
 */
async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path);
  return found.uid === process.getuid?.() && (!found.isDirectory() || (found.mode & 0o022) === 0);
}

/**
 * Removes leftovers of killed runs from a folder. Files of a living process, another machine, another boot of
 * this one, another container or another user stay, and so do files that cannot be removed.
 * @param folder absolute
 */
export async function removeAbandoned(folder: string): Promise<void> {
  owner ??= findOwner();
  if (owner === NO_OWNER) return;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const [, whose, pid, , kind] = NAME.exec(name) ?? [];
    if (kind === "part" || whose !== owner || !isDead(Number(pid))) continue;
    const path = join(folder, name);
    try {
      if (await isOurs(path)) await rm(path, { recursive: true, force: true });
    } catch {
      // It disappeared meanwhile, or it belongs to another user.
    }
  }
}

/**
 * Milliseconds without growth after which a download counts as abandoned: running downloads give up sooner.
 */
const FORSAKEN_AFTER = 600_000;

/** Downloads of this process that are under way. */
const ownParts = new Set<string>();

/** Whether no process continues a download. */
async function isForsaken(
  path: string,
  whose: string | undefined,
  pid: string | undefined,
): Promise<boolean> {
  const found = await lstat(path);
  if (!found.isFile() || !(await isOurs(path))) return false;
  if (found.mtimeMs < Date.now() - FORSAKEN_AFTER) return true;
  return whose === owner && (Number(pid) === process.pid ? !ownParts.has(path) : isDead(Number(pid)));
}

/**
 * A path for a download that can be continued. If an ended run left a part of this content, that part moves
 * to the path.
 * @param folder absolute
 * @param content 16 hexadecimal digits that identify the content
 */
export async function claimPart(folder: string, content: string): Promise<string> {
  owner ??= findOwner();
  let own = join(folder, `.docteur-${owner}-${process.pid}-${content}.part`);
  if (ownParts.has(own))
    own = join(folder, `.docteur-${owner}-${process.pid}-${randomBytes(8).toString("hex")}.part`);
  for (const name of await readdir(folder).catch(() => [])) {
    const [, whose, pid, digits, kind] = NAME.exec(name) ?? [];
    if (kind !== "part" || digits !== content) continue;
    const path = join(folder, name);
    try {
      if (!(await isForsaken(path, whose, pid))) continue;
      // Only one of several competing processes gets it.
      await rename(path, own);
      break;
    } catch {
      // Another process has taken it.
    }
  }
  ownParts.add(own);
  return own;
}

/** Forgets a download that has ended: it is whole, or a later run continues it. */
export function releasePart(path: string): void {
  ownParts.delete(path);
}
