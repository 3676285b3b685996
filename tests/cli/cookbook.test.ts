/** docs/COOKBOOK.md: its recipes, command by command, as a reader would repeat them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startFakeRegistry } from "../support/fake-registry.js";
import { commitAll, GIT_ENVIRONMENT, git } from "../support/git.js";
import { startServer } from "../support/range-server.js";
import { temporaryFolder } from "../support/temporary.js";
import { readTranscripts } from "../support/transcript.js";

/** The repository that the page's introduction describes, and a command `docteur`. */
function prepare(folder: string): void {
  const at = (path: string): string => join(folder, path);
  mkdirSync(at("manual/pages"), { recursive: true });
  git(at("manual"), "init", "-q", "-b", "main");
  writeFileSync(at("manual/.gitignore"), "public/\n");
  writeFileSync(at("manual/README.md"), "# Start\n\nRead pages/install.md first.\n");
  writeFileSync(at("manual/pages/install.md"), "# Install\n\nRun make install.\n");
  commitAll(at("manual"), "Version 1");
  git(at("manual"), "tag", "v1.0");
  writeFileSync(at("manual/pages/install.md"), "# Install\n\nRun make install, as root.\n");
  writeFileSync(at("manual/pages/use.md"), "# Use\n");
  commitAll(at("manual"), "Version 2");
  git(at("manual"), "tag", "v2.0");
  mkdirSync(at("manual/public"));
  writeFileSync(at("manual/public/index.html"), "<h1>Start</h1>\n");
  const program = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));
  mkdirSync(at("bin"));
  writeFileSync(at("bin/docteur"), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(at("bin/docteur"), 0o755);
}

/** What a command prints, on standard output and then on standard error. */
function run(command: string, folder: string): Promise<string> {
  const env = { ...GIT_ENVIRONMENT, PATH: `${join(folder, "bin")}:${process.env.PATH}`, LC_ALL: "C.UTF-8" };
  return new Promise((resolve) => {
    execFile("sh", ["-c", command], { cwd: folder, env }, (_, stdout, stderr) => resolve(stdout + stderr));
  });
}

test("the recipes do what the page shows", async (t) => {
  const folder = temporaryFolder(t);
  prepare(folder);
  const registry = await startFakeRegistry(t);
  const server = await startServer(t, new Uint8Array());
  const transcript = readTranscripts("docs/COOKBOOK.md");
  assert.ok(transcript.length >= 20, String(transcript.length));
  for (const { command, output } of transcript) {
    // An upload, which the page leaves to the reader.
    if (command.includes("https://docs.example")) server.content = readFileSync(join(folder, "manual.img"));
    const here = command
      .replace("https://docs.example", server.origin)
      .replace("oci://registry.example", `oci://${registry.place}`);
    assert.equal(await run(here, folder), output, command);
  }
});
