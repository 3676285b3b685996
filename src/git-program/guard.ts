/**
 * A program beside a git that talks to other machines: it ends that git when the process that started both is killed,
 * as nothing else would. `guard PID group|alone`; its standard input is a pipe that ends with that process.
 */
import { killTree } from "./process-tree.js";

/** How long programs that were asked to end may take, in milliseconds. */
const GRACE_MS = 2000;

const [pid, kind] = process.argv.slice(2);
const kill = (name: NodeJS.Signals): void => killTree(Number(pid), kind === "group", name);

const onEnd = (): void => {
  kill("SIGTERM");
  setTimeout(() => kill("SIGKILL"), GRACE_MS);
};
process.stdin.once("end", onEnd).once("error", onEnd).resume();
