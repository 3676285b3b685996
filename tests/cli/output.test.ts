/**
 * Output that cannot be written, for every command that prints: on a full disk, into a pipe that nobody reads, and into
 * one whose reader is slow. Nothing is lost silently.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fixturePath } from "../support/fixtures.js";
import { distPath, guestPath } from "../support/programs.js";

const IMAGE = fixturePath("tiny.img");
const folder = mkdtempSync(join(tmpdir(), "docteur-output-"));
const SITE = join(folder, "site");
const LARGE_IMAGE = join(folder, "large.img");
const content = Buffer.alloc(300_000, "0123456789\n");
mkdirSync(SITE);
writeFileSync(join(SITE, "large"), content);
execFileSync(process.execPath, [distPath("tools/docteur.js"), "make", "-q", SITE, LARGE_IMAGE]);

const DOCTEUR = "tools/docteur.js";
const TENDER = "tools/solo5-wasm.js";
/** The WASI guest, which says what the tender says. */
const WASI = "tests/support/wasi-run.js";

/** Command lines that print: the program, and its arguments. */
const PRINTING: readonly [program: string, ...args: string[]][] = [
  [DOCTEUR, "cat", IMAGE, "/a-b"],
  [DOCTEUR, "ls", IMAGE],
  [DOCTEUR, "ls", "-lr", IMAGE],
  [DOCTEUR, "ls", "--json", IMAGE],
  [DOCTEUR, "checksum", IMAGE],
  [DOCTEUR, "checksum", "--git", IMAGE],
  [DOCTEUR, "verify", IMAGE],
  [DOCTEUR, "verify", "--json", IMAGE],
  [DOCTEUR, "make", "--json", SITE, join(folder, "again.img")],
  [DOCTEUR, "--help"],
  [DOCTEUR, "--version"],
  [DOCTEUR, "make", "--help"],
  [TENDER, "--help"],
  [TENDER, "--version"],
  [TENDER, `--block:docteur=${IMAGE}`, guestPath("simple"), "--filename", "/a-b"],
  [TENDER, guestPath("hello")],
  [WASI, SITE, ".", guestPath("hello.wasi")],
];
const LARGE: readonly [program: string, ...args: string[]][] = [
  [DOCTEUR, "cat", LARGE_IMAGE, "/large"],
  [TENDER, `--block:docteur=${LARGE_IMAGE}`, guestPath("simple"), "--filename", "/large"],
];

function nameOf(program: string): string {
  return program === DOCTEUR ? "docteur" : "solo5-wasm";
}

function run([program, ...args]: readonly [string, ...string[]], stdout: number): [number | null, string] {
  const { status, stderr } = spawnSync(process.execPath, ["--no-warnings", distPath(program), ...args], {
    stdio: ["ignore", stdout, "pipe"],
    encoding: "utf8",
  });
  return [status, stderr];
}

const FULL = "cannot write to standard output: no space left on device\n";
const noFull = existsSync("/dev/full") ? false : "there is no /dev/full";

test("a full disk is an error, whatever the command", { skip: noFull }, () => {
  for (const command of [...PRINTING, ...LARGE]) {
    const full = openSync("/dev/full", "w");
    const [program, ...args] = command;
    // What a command says beside its output comes first.
    const [status, stderr] = run(command, full);
    assert.equal(status, 8, `${program} ${args.join(" ")}: ${stderr}`);
    assert.ok(stderr.endsWith(`${nameOf(program)}: ${FULL}`), `${args.join(" ")}: ${stderr}`);
    closeSync(full);
  }
});

test("a reader that has gone ends a command silently, as SIGPIPE would", () => {
  const path = join(folder, "fifo-closed");
  execFileSync("mkfifo", [path]);
  for (const command of PRINTING) {
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(path, constants.O_WRONLY);
    closeSync(reader);
    const [status, stderr] = run(command, writer);
    assert.equal(status, 141, `${command.join(" ")}: ${stderr}`);
    assert.doesNotMatch(stderr, /cannot write|EPIPE|Error/);
    closeSync(writer);
  }
});

test("a pipe that is full for now, and does not block, gets every byte", async () => {
  const path = join(folder, "fifo-slow");
  execFileSync("mkfifo", [path]);
  for (const [program, ...args] of LARGE) {
    // Opened for both, so that neither end waits for the other. Node takes O_NONBLOCK away from what a child gets as
    // descriptor 1, not as 3.
    const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const command = ["-c", 'exec "$@" >&3', "sh", process.execPath, distPath(program), ...args];
    const child = spawn("sh", command, { stdio: ["ignore", "ignore", "inherit", pipe] });
    let status: number | null | undefined;
    child.once("close", (code) => {
      status = code;
    });
    const received: Buffer[] = [];
    const piece = Buffer.alloc(10_000);
    for (let isDrained = false; status === undefined || !isDrained; ) {
      try {
        received.push(Buffer.from(piece.subarray(0, readSync(pipe, piece))));
        isDrained = false;
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, "EAGAIN");
        isDrained = true;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    closeSync(pipe);
    assert.equal(status, 0);
    assert.ok(content.equals(Buffer.concat(received)), program);
  }
});

/** A file system of 64 KiB, or why there is none. */
function smallDisk(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const place = join(folder, "small");
  try {
    execFileSync("mkdir", [place]);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", place], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  return place;
}

const small = smallDisk();
after(() => {
  if (small !== undefined) execFileSync("umount", [small]);
  rmSync(folder, { recursive: true });
});

test("a disk that fills holds what fitted, and the command fails", {
  skip: small === undefined ? "a small file system takes root and mount" : false,
}, () => {
  for (const command of LARGE) {
    const path = join(small!, "out");
    const file = openSync(path, "w");
    const [status, stderr] = run(command, file);
    closeSync(file);
    assert.deepEqual([status, stderr], [8, `${nameOf(command[0])}: ${FULL}`]);
    const written = readFileSync(path);
    assert.equal(written.length, 65536);
    assert.ok(content.subarray(0, written.length).equals(written));
  }
});

test("messages that cannot be written do not change the exit status", { skip: noFull }, () => {
  const full = openSync("/dev/full", "w");
  const status = (program: string, ...args: string[]): number | null =>
    spawnSync(process.execPath, [distPath(program), ...args], { stdio: ["ignore", "ignore", full] }).status;
  assert.equal(status(DOCTEUR, "cat", IMAGE, "/nope"), 1);
  assert.equal(status(DOCTEUR, "verify", join(SITE, "large")), 4);
  assert.equal(status(DOCTEUR, "nonsense"), 16);
  assert.equal(status(TENDER, "nonsense"), 1);
  assert.equal(status(TENDER, guestPath("exit-test"), "abort"), 255);
  closeSync(full);
});
