/** Folders for one test. */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** An empty folder, absolute and without symbolic links, that goes when the test ends. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "docteur-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
