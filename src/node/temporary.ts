/**
 * Temporary files and folders: their names, which say who made them, and the removal of those that a process left
 * behind when it was killed.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { lstat, readdir, rename, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemCode } from "./io-error.js";

/**
 * `.docteur-OWNER-PROCESS-RANDOM.tmp`, or `.d` for a folder; earlier versions had the random digits alone. A `.part` is
 * what has come of a download so far; its digits stand for the content.
 */
const NAME = /^\.docteur-(?:([0-9a-f]{12})-([1-9][0-9]{0,9})-)?([0-9a-f]{16})\.(tmp|d|part)$/;

/** Whether a file or folder of that name is what some run has not finished. */
export function isTemporaryName(name: string): boolean {
  return NAME.test(name);
}

/** What no system is called. */
const NO_OWNER = "0".repeat(12);

/**
 * Where process ids mean the processes that they mean here: this boot of this machine, this namespace of process ids.
 * @returns 12 hexadecimal digits; `NO_OWNER` where the system does not tell (any but Linux)
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
 * A path for a temporary file or folder that nothing has yet. All temporary names are made here.
 * @param folder absolute
 * @returns the path of the file, and that of the folder
 */
export function temporaryPaths(folder: string): { file: string; folder: string } {
  owner ??= findOwner();
  const stem = join(folder, `.docteur-${owner}-${process.pid}-${randomBytes(8).toString("hex")}`);
  return { file: `${stem}.tmp`, folder: `${stem}.d` };
}

/** Whether a process has ended. Another one may have its id by now: then it counts as running. */
function isDead(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (cause) {
    return systemCode(cause) === "ESRCH";
  }
}

/** Whether this process's user made it, and, of a folder, nobody else can change what is in it while it is removed. */
async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path);
  return found.uid === process.getuid?.() && (!found.isDirectory() || (found.mode & 0o022) === 0);
}

/**
 * Removes what killed runs have left in a folder. What a living process, another machine, another boot of this one,
 * another container or another user made stays; so does what cannot be removed.
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
      // It went meanwhile, or another user may not remove it.
    }
  }
}

/** Milliseconds after which a download that has not grown is nobody's: those that run give up sooner. */
const FORSAKEN_AFTER = 600_000;

/** Downloads of this process that go on. */
const ownParts = new Set<string>();

/** Whether nobody goes on with a download. */
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
 * A path for a download that can be continued: what a run that has ended left of the same content is there, under that
 * name.
 * @param folder absolute
 * @param content 16 hexadecimal digits that stand for the content
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
      // Of several that want it, one gets it.
      await rename(path, own);
      break;
    } catch {
      // It is another's by now.
    }
  }
  ownParts.add(own);
  return own;
}

/** Says that a download has ended, for good or for now. */
export function releasePart(path: string): void {
  ownParts.delete(path);
}
