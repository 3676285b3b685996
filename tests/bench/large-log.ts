/** A large log, and an edited version of it: what benchmarks of parts read. */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { gitOid } from "../support/fixtures.js";
import { seeded } from "../support/random.js";
import { packEntries, TYPE } from "./streams.js";

const MIB = 1 << 20;
/** Bytes of the log. */
export const LOG_SIZE = 64 * MIB;
/** Bytes between two edits of its second version, about. */
const EDITS = 128 << 10;

/** Writes lines as logs have them, a chunk at a time. @param isEdited whether some lines are new */
export function writeLog(path: string, isEdited = false): void {
  const random = seeded(64);
  const edits = seeded(65);
  const file = openSync(path, "w");
  const words = Array.from({ length: 4000 }, () => random(2 ** 31).toString(36));
  for (let left = LOG_SIZE; left > 0; ) {
    let text = "";
    let next = EDITS;
    while (text.length < MIB) {
      text += `2026-11-${10 + random(20)} ${words[random(4000)]} /${words[random(400)]}/${random(1e5)} ${random(9e4)}\n`;
      if (!isEdited || text.length < next) continue;
      text += `edited ${edits(2 ** 31)} ${edits(1e5)}\n`;
      next = text.length + EDITS / 2 + edits(EDITS);
    }
    left -= writeSync(file, text.slice(0, Math.min(MIB, left)), null, "latin1");
  }
  closeSync(file);
}

/** The name of the file in a folder that an image of the folder stores whole: the first, if several are. */
export function wholeOf(image: Buffer, folder: string): string {
  const whole = new Set(packEntries(image).flatMap(({ oid, type }) => (type === TYPE.BLOB ? [oid] : [])));
  return readdirSync(folder).find((name) => whole.has(gitOid("blob", readFileSync(join(folder, name)))))!;
}
