/**
 * Temporary files and folders: their names, which say who made them, and the removal of those that a process left
 * behind when it was killed.
 */
import { createHash, randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { lstat, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { systemCode } from "./io-error.js";

/** `.docteur-OWNER-PROCESS-RANDOM.tmp`, or `.d` for a folder; earlier versions had the random digits alone. */
const NAME = /^\.docteur-(?:([0-9a-f]{12})-([1-9][0-9]{0,9})-)?[0-9a-f]{16}\.(?:tmp|d)$/;

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
    const [, whose, pid] = NAME.exec(name) ?? [];
    if (whose !== owner || !isDead(Number(pid))) continue;
    const path = join(folder, name);
    try {
      if (await isOurs(path)) await rm(path, { recursive: true, force: true });
    } catch {
      // It went meanwhile, or another user may not remove it.
    }
  }
}
