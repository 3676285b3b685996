/**
 * Hosts in other languages read every file of every image in every mode. Each is a folder beside this file, with tests of
 * its own. They need packages that `.ci/hosts` fetches and builds; these tests do not use the network.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FIXTURES, fixtureBlobs, fixturePath, gitOid } from "../support/fixtures.js";
import { distPath } from "../support/programs.js";
import { type Requirement, unlessRequired } from "../support/required.js";
import { assertTold, ranOf } from "../support/runtimes.js";
import { whyNoPrograms } from "../support/servers.js";

const MODES = [0, 1, 2];
/** All files of all images in all modes. */
const EVERY_FILE = MODES.length * FIXTURES.map((name) => fixtureBlobs(name).size).reduce((a, b) => a + b);

/** A language: its word in DOCTEUR_TEST_REQUIRE, its programs, and what `.ci/hosts` leaves where it has run. */
interface Language {
  word: Requirement;
  programs: string[];
  fetched: string;
}

function folderOf(word: string): string {
  return distPath(`../tests/embed/${word}`);
}

function skipOf({ word, programs, fetched }: Language): string | false {
  const missing = existsSync(distPath(fetched)) ? undefined : `${word}: .ci/hosts has fetched no packages`;
  return unlessRequired(word, whyNoPrograms(...programs) ?? missing) ?? false;
}

/** Runs a command in a host's folder. @returns its standard output @throws with all of its output, if it fails */
function run(word: string, env: Record<string, string>, command: string, ...args: string[]): string {
  const options = { cwd: folderOf(word), env: { ...process.env, ...env }, encoding: "utf8" } as const;
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  assert.equal(status, 0, `${command} ${args.join(" ")}: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Fails unless the tests of a host ran these builds, the core's on every file, and docs/RUNTIMES.md says so. */
function assertRan(output: string, ...builds: string[]): void {
  const ran = ranOf(output);
  assert.deepEqual(ran.map(({ run }) => run).sort(), builds.sort());
  for (const line of ran) {
    if (line.run.startsWith("core")) assert.equal(line.count, EVERY_FILE, line.run);
    assertTold(line);
  }
}

const CORES = ["core.wasm", "core.simd.wasm"];
const COMMANDS = ["simple.wasi.wasm", "simple.wasi.simd.wasm"];

const GO: Language = { word: "go", programs: ["go", "gofmt"], fetched: "hosts/go" };

test("Go: wazero", { skip: skipOf(GO) }, () => {
  const env = { GOFLAGS: "-mod=readonly", GOPROXY: "off" };
  assert.equal(run("go", env, "gofmt", "-l", "."), "");
  run("go", env, "go", "vet", "./...");
  const output = run("go", env, "go", "test", "-count=1", "-v", "./...");
  const tender = ["simple.wasm", "simple.simd.wasm", "guests"];
  assertRan(output, ...CORES, ...CORES.map((build) => `${build} over HTTP`), ...COMMANDS, ...tender);
});

const RUST: Language = { word: "rust", programs: ["cargo"], fetched: "hosts/rust" };

test("Rust: wasmi", { skip: skipOf(RUST) }, () => {
  const env = { CARGO_TARGET_DIR: distPath("cargo"), CARGO_NET_OFFLINE: "true" };
  const output = run("rust", env, "cargo", "test", "--release", "--quiet", "--", "--nocapture");
  assertRan(output, ...CORES);
});

const JAVA: Language = { word: "java", programs: ["java", "mvn"], fetched: "hosts/java" };

test("Java: Chicory", { skip: skipOf(JAVA) }, () => {
  const output = run("java", {}, "mvn", "--offline", "-q", "-B", `-Doutput=${distPath("java")}`, "test");
  assertRan(output, "core.wasm", "simple.wasi.wasm");
});

const PYTHON: Language = { word: "python", programs: [], fetched: "hosts/python" };

test("Python: wasmtime", { skip: skipOf(PYTHON) }, () => {
  const output = run("python", {}, distPath("venv/bin/python"), "-B", "-m", "unittest");
  assertRan(output, ...CORES, ...COMMANDS);
});

const C: Language = { word: "c", programs: ["cc"], fetched: "hosts/c" };
const WASM3 = distPath("wasm3");

/** Takes `cat`'s output apart: the version, and the content for each path. */
function catOutput(output: Buffer): { version: string; contents: Buffer[] } {
  let at = 0;
  const line = (): string => {
    const end = output.indexOf("\n", at);
    const text = output.toString("utf8", at, end);
    at = end + 1;
    return text;
  };
  const version = line().replace(/^wasm3 /, "");
  const contents: Buffer[] = [];
  while (at < output.length) {
    const size = Number(line());
    contents.push(output.subarray(at, at + size));
    at += size + 1;
  }
  return { version, contents };
}

test("C: wasm3", { skip: skipOf(C) }, () => {
  const program = join(WASM3, "cat");
  const objects = readdirSync(WASM3).filter((name) => name.endsWith(".o"));
  const flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Werror", "-isystem", WASM3, "-o", program];
  run("c", {}, "cc", ...flags, "cat.c", "docteur.c", ...objects.map((name) => join(WASM3, name)), "-lm");
  let count = 0;
  let runtime = "";
  for (const name of FIXTURES)
    for (const mode of MODES) {
      const blobs = fixtureBlobs(name);
      const input = [...blobs.keys()].map((path) => `${path}\n`).join("");
      const args = [distPath("core.wasm"), fixturePath(`${name}.img`), String(mode)];
      const { version, contents } = catOutput(execFileSync(program, args, { input, maxBuffer: 2 ** 28 }));
      const ids = contents.map((content) => gitOid("blob", content));
      assert.deepEqual(ids, [...blobs.values()], `${name}, mode ${mode}`);
      count += ids.length;
      runtime = version;
    }
  assertRan(JSON.stringify({ runtime: "wasm3", version: runtime, run: "core.wasm", count }), "core.wasm");
});

test("C: a build that wasm3 cannot run, and what is not there", { skip: skipOf(C) }, () => {
  const cat = (build: string, path: string): [number | null, string] => {
    const args = [distPath(build), fixturePath("gitmodes.img"), "0"];
    const { status, stderr } = spawnSync(join(WASM3, "cat"), args, { input: `${path}\n`, encoding: "utf8" });
    return [status, stderr];
  };
  assert.deepEqual(cat("core.simd.wasm", "/a.txt"), [1, `${fixturePath("gitmodes.img")}: status -1\n`]);
  assert.deepEqual(cat("core.wasm", "/nope"), [1, "/nope: status 16\n"]);
  assert.deepEqual(cat("core.wasm", "/dir"), [1, "/dir: status 17\n"]);
  assert.deepEqual(cat("core.wasm", "/link.txt"), [0, ""]);
});
