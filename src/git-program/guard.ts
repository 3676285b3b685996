/**
 * A program that runs beside a git which talks to other machines. It ends that git when the process that
 * started both is killed: nothing else would. `guard PID group|alone`; its standard input is a pipe that ends
 * when that process ends.
 */
import { killTree } from "./process-tree.js";

/** Milliseconds that programs may take to end after they were asked to. */
const GRACE_MS = 2000;

/** Milliseconds between two checks whether they have ended. */
const INTERVAL_MS = 100;

const [id, kind] = process.argv.slice(2);
const pid = Number(id);
const isGroup = kind === "group";

function isThere(): boolean {
  try {
    return process.kill(isGroup ? -pid : pid, 0);
  } catch {
    return false;
  }
}

const onEnd = (): void => {
  killTree(pid, isGroup, "SIGTERM");
  const start = performance.now();
  const timer = setInterval(() => {
    const isLate = performance.now() - start > GRACE_MS;
    if (isThere() && !isLate) return;
    // Another process may soon have its id. An ended process stays listed until its parent waits for it, so
    // this is tried once.
    clearInterval(timer);
    if (isThere()) killTree(pid, isGroup, "SIGKILL");
  }, INTERVAL_MS);
};
process.stdin.once("end", onEnd).once("error", onEnd).resume();
