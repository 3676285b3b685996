/** Folders for one test. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ending } from "./servers.js";

/** An empty folder, absolute and without symbolic links, that goes when the test, or the file of tests, ends. */
export function temporaryFolder(t: Ending): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "docteur-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
