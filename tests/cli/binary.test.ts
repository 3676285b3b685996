/** The program in one file, for users who have no Node. `npm run binary` builds it. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { distPath, guestPath } from "../support/programs.js";
import { temporaryFolder } from "../support/temporary.js";

const PROGRAM = process.env.DOCTEUR_TEST_PROGRAM ?? distPath("bin/docteur");
const skip = existsSync(PROGRAM) ? false : "npm run binary has not run";

/** Runs a program in an environment that has nothing but a PATH without programs. */
function alone(file: string, args: readonly string[], cwd: string): { stdout: string; stderr: string } {
  const options = {
    encoding: "utf8",
    cwd,
    env: { PATH: cwd },
    maxBuffer: 1 << 26,
    timeout: 120_000,
  } as const;
  const { status, stdout, stderr, error } = spawnSync(file, args, options);
  if (error !== undefined) throw error;
  assert.equal(status, 0, stderr);
  return { stdout, stderr };
}

/** A directory whose files are many and large enough for threads to be started. */
const SOURCE = distPath("tests");

test("a user without Node makes, proves and reads an image, and gets its files out", { skip }, (t) => {
  const folder = temporaryFolder(t);
  const run = (...args: string[]): string => alone(PROGRAM, args, folder).stdout;
  assert.throws(() => alone("node", ["--version"], folder), /ENOENT/);
  run("make", "-q", SOURCE, "site.img");
  run("verify", "-q", "--jobs", "2", "site.img");
  const name = readdirSync(join(SOURCE, "cli")).find((found) => found.endsWith(".js"))!;
  assert.equal(run("cat", "site.img", `/cli/${name}`), readFileSync(join(SOURCE, "cli", name), "utf8"));
  run("extract", "-q", "--jobs", "2", "site.img", "-C", "out");
  assert.deepEqual(readdirSync(join(folder, "out", "cli")), readdirSync(join(SOURCE, "cli")));
  const count = Number(run("grep", "--jobs", "2", "-l", "node:assert", "site.img").split("\n").length);
  assert.ok(count > 10);
});

test("the files of the package are inside", { skip }, (t) => {
  const folder = temporaryFolder(t);
  const run = (...args: string[]): string => alone(PROGRAM, args, folder).stdout;
  assert.equal(run("--version"), `docteur ${MANIFEST.version}\n`);
  run("make", "-q", SOURCE, "site.img");
  run("bundle", "-q", "site.img", "-o", "guest.wasm");
  run("bundle", "-q", "--wasi", "site.img", "-o", "site.wasm");
  assert.ok(statSync(join(folder, "site.wasm")).size > statSync(join(folder, "site.img")).size);
  run("guest", "init", "--language", "c", "c");
  assert.ok(readFileSync(join(folder, "c/docteur.o")).equals(readFileSync(distPath("kit/docteur.o"))));
  run("guest", "init", "as");
  const made = JSON.parse(readFileSync(join(folder, "as/package.json"), "utf8"));
  assert.equal(made.devDependencies.docteur, MANIFEST.version);
});

const MANIFEST = JSON.parse(readFileSync(distPath("../package.json"), "utf8")) as {
  version: string;
  dependencies: Record<string, string>;
};

test("the licenses of Node and of all packages are inside", { skip }, (t) => {
  const text = alone(PROGRAM, ["licenses"], temporaryFolder(t)).stdout;
  assert.match(text, new RegExp(`^  Node.js ${process.versions.node} `, "m"));
  // Its libraries' are part of Node's.
  for (const library of ["V8", "OpenSSL", "zlib"]) assert.match(text, new RegExp(`- ${library}, `), library);
  for (const [name, version] of Object.entries(MANIFEST.dependencies)) {
    assert.ok(text.includes(`\n  ${name} ${version} `), name);
    assert.ok(text.includes(`\n${name} ${version}\n---`), name);
  }
  for (const name of ["fflate", "diff", "yauzl", "pend"])
    assert.ok(text.includes(readFileSync(distPath(`../node_modules/${name}/LICENSE`), "utf8").trim()), name);
});

test("the archive has man pages, completions and licenses, where a system looks for them", { skip }, (t) => {
  const folder = temporaryFolder(t);
  const name = `docteur-${MANIFEST.version}-${process.platform}-${process.arch}`;
  execFileSync("tar", ["-xzf", distPath(`bin/${name}.tar.gz`), "--strip-components=1", "-C", folder]);
  const program = join(folder, "bin/docteur");
  assert.equal(alone(program, ["--version"], folder).stdout, `docteur ${MANIFEST.version}\n`);
  assert.match(alone(join(folder, "bin/solo5-wasm"), ["--help"], folder).stdout, /^usage: solo5-wasm/);
  const pages = join(folder, "share/man/man1");
  assert.deepEqual(readdirSync(pages).sort(), readdirSync(distPath("man")).sort());
  for (const page of readdirSync(pages))
    assert.ok(readFileSync(join(pages, page)).equals(readFileSync(distPath(`man/${page}`))), page);
  const licenses = readFileSync(join(folder, "share/doc/docteur/licenses.txt"), "utf8");
  assert.equal(licenses, alone(program, ["licenses"], folder).stdout);
  for (const [shell, path] of [
    ["bash", "bash-completion/completions/docteur"],
    ["bash", "bash-completion/completions/solo5-wasm"],
    ["zsh", "zsh/site-functions/_docteur"],
    ["fish", "fish/vendor_completions.d/docteur.fish"],
  ] as const)
    assert.equal(
      readFileSync(join(folder, "share", path), "utf8"),
      alone(program, ["completion", shell], folder).stdout,
      path,
    );
});

test("it is solo5-wasm, where it is called by that name", { skip }, (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "bin"));
  const tender = join(folder, "bin", "solo5-wasm");
  symlinkSync(PROGRAM, tender);
  const { stdout } = alone(tender, [guestPath("hello"), "Hello_Solo5"], folder);
  assert.match(stdout, /^Hello, World\n/);
});
