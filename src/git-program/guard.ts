/**
 * A program beside a git that talks to other machines: it ends that git when the process that started both is killed,
 * as nothing else would. `guard PID group|alone`; its standard input is a pipe that ends with that process.
 */
import { killTree } from "./process-tree.js";

/** How long programs that were asked to end may take, in milliseconds. */
const GRACE_MS = 2000;

/** Milliseconds between two looks at whether they have ended. */
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
    // Its id may soon be another's. One that has ended stays listed where nobody waits for it, so this is tried once.
    clearInterval(timer);
    if (isThere()) killTree(pid, isGroup, "SIGKILL");
  }, INTERVAL_MS);
};
process.stdin.once("end", onEnd).once("error", onEnd).resume();
