/** Processes of this machine, where the system lists them (Linux). */
import { readdirSync, readFileSync } from "node:fs";

/** Ids of the processes that live and have a text in their environment: whatever inherits a variable set for a test. */
export function processesWith(text: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/environ`, "latin1").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Waits for such processes to end, which takes a moment after those that started them. @returns those that do not */
export async function processesLeft(text: string): Promise<number[]> {
  let left = processesWith(text);
  for (let looks = 0; left.length > 0 && looks < 200; looks++) {
    await new Promise((done) => setTimeout(done, 50));
    left = processesWith(text);
  }
  return left;
}
