/** Processes and their descendants: how to end them, and how much memory they take. */
import { readFileSync } from "node:fs";

/** The descendants of a process, if the system lists them (Linux). */
function descendantsOf(pid: number): number[] {
  let list: string;
  try {
    list = readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1");
  } catch {
    return [];
  }
  const children = list.split(" ").filter((text) => text !== "");
  return children.flatMap((child) => [...descendantsOf(Number(child)), Number(child)]);
}

/**
 * Sends a signal to a process and its descendants.
 * @param isGroup whether they are a process group of their own, led by `pid`
 */
export function killTree(pid: number, isGroup: boolean, name: NodeJS.Signals): void {
  const targets = isGroup ? [-pid] : [...descendantsOf(pid), pid];
  for (const target of targets) {
    try {
      process.kill(target, name);
    } catch {
      // It ended meanwhile.
    }
  }
}

/**
 * Bytes of memory that a process and its descendants keep, without mapped files; 0 if the system does not
 * tell (Linux does).
 */
export function memoryOf(pid: number): number {
  let sum = 0;
  for (const each of [pid, ...descendantsOf(pid)]) {
    try {
      const kilobytes = /^RssAnon:\s*([0-9]+) kB$/m.exec(readFileSync(`/proc/${each}/status`, "latin1"))?.[1];
      sum += Number(kilobytes ?? 0) * 1024;
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}
