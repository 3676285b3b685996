/** Guests built as WASI commands, under `node:wasi`: the same arguments, output, messages and exit statuses as under the tender. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fixture, fixtureBlobs, fixturePath, gitOid } from "../support/fixtures.js";
import { guestPath, runNode, type Transcript } from "../support/programs.js";

const folder = mkdtempSync(join(tmpdir(), "docteur-wasi-"));
after(() => rmSync(folder, { recursive: true }));

before(() => {
  mkdirSync(join(folder, "data/deep"), { recursive: true });
  copyFileSync(fixturePath("tiny.img"), join(folder, "tiny.img"));
  copyFileSync(fixturePath("tiny.img"), join(folder, "data/deep/tiny.img"));
  writeFileSync(join(folder, "odd.img"), new Uint8Array(1000));
  writeFileSync(join(folder, "short.img"), new Uint8Array(100));
  execFileSync("mkfifo", [join(folder, "fifo")]);
});

function wasi(guest: string, args: string[], name = "."): Transcript {
  return runNode("tests/support/wasi-run.js", [folder, name, guestPath(`${guest}.wasi`), ...args]);
}

function tender(guest: string, args: string[]): Transcript {
  return runNode("tools/solo5-wasm.js", args.length > 0 ? [guestPath(guest), ...args] : [guestPath(guest)]);
}

test("hello prints what it prints under the tender", () => {
  for (const args of [[], ["a", "b c", "", '"\\', "é", "--x=1"], ["--block", "--", "--mem"]])
    assert.deepEqual(wasi("hello", args), tender("hello", args), args.join(" "));
});

test("`--` ends the tender's flags", () => {
  const { stdout } = wasi("hello", ["--", "--block:a=b", "--"]);
  assert.equal(stdout, "Hello, World\nCommand line is: '--block:a=b --'\n[--block:a=b]\n[--]\n");
});

for (const build of ["", ".simd"])
  test(`simple${build} reads files of an image made by docteur 0.0.7`, () => {
    for (const path of ["/a-b", "/.hidden"]) {
      const run = runNode("tests/support/wasi-run.js", [
        ...[folder, ".", guestPath(`simple.wasi${build}`)],
        ...["--block:docteur=tiny.img", "--block-sector-size:docteur=512", "--filename", path],
      ]);
      assert.deepEqual([run.status, run.stderr], [0, ""]);
      assert.equal(gitOid("blob", Buffer.from(run.stdout)), fixtureBlobs("tiny").get(path));
    }
  });

test("paths are found in preopened directories", () => {
  const found: [name: string, path: string][] = [
    [".", "tiny.img"],
    [".", "./tiny.img"],
    [".", "data/deep/tiny.img"],
    [".", "data/../tiny.img"],
    ["/", "/tiny.img"],
    ["/", "tiny.img"],
    ["/mnt/images", "/mnt/images/tiny.img"],
    ["/mnt/images/", "/mnt/images//data/deep/tiny.img"],
    ["images", "images/tiny.img"],
    ["./images", "images/tiny.img"],
  ];
  for (const [name, path] of found) {
    const { status, stderr } = wasi("simple", [`--block:docteur=${path}`, "--filename=/a-b"], name);
    assert.deepEqual([status, stderr], [0, ""], `${path} in ${name}`);
  }
});

const OPEN = "Could not open block device: ";
const DECLARES = "solo5-wasm: the manifest declares: docteur (BLOCK_BASIC)\n";
const FILE = ["--filename", "/a-b"];

const REFUSALS: [title: string, args: string[], stderr: string][] = [
  ["no such file", ["--block:docteur=nope.img", ...FILE], `${OPEN}nope.img: no such file or directory\n`],
  ["a directory", ["--block:docteur=data", ...FILE], `${OPEN}data: is a directory\n`],
  ["the preopened directory", ["--block:docteur=.", ...FILE], `${OPEN}.: is a directory\n`],
  ["a FIFO", ["--block:docteur=fifo", ...FILE], `${OPEN}fifo: is not a regular file\n`],
  [
    "no whole number of blocks",
    ["--block:docteur=odd.img", ...FILE],
    "odd.img: Backing storage size must be block aligned (512 bytes)\n",
  ],
  [
    "less than a block",
    ["--block:docteur=short.img", ...FILE],
    "short.img: Backing storage must be at least 1 block (512 bytes) in size\n",
  ],
  [
    "a declared device not attached",
    FILE,
    `guest.wasm: Device 'docteur' of type BLOCK_BASIC declared but not attached\n${DECLARES}`,
  ],
  [
    "an attached device not declared",
    ["--block:docteur=tiny.img", "--block:disk=tiny.img", ...FILE],
    `guest.wasm: Resource not declared in manifest: 'disk'\n${DECLARES}`,
  ],
  ["a device twice", ["--block:docteur=a", "--block:docteur=b"], "Device 'docteur' attached twice\n"],
  ["no name", ["--block:=a"], "Invalid option: `--block:=a'\n"],
  ["no path", ["--block:docteur="], "Invalid option: `--block:docteur='\n"],
  ["a bad name", ["--block:a-b=c"], "Invalid option: `--block:a-b=c'\n"],
  [
    "a name of 68 letters",
    [`--block:${"x".repeat(68)}=c`],
    `Invalid option: \`--block:${"x".repeat(68)}=c'\n`,
  ],
  ...["0", "511", "513", "x", "512x", "2147483648", "18446744073709552128"].map(
    (size): [string, string[], string] => [
      `block size ${size}`,
      ["--block:docteur=tiny.img", `--block-sector-size:docteur=${size}`],
      "Block size of 'docteur' must be a power of two greater than or equal to 512\n",
    ],
  ),
  [
    "a block size without its device",
    ["--block-sector-size:docteur=512"],
    "Block size given for 'docteur', which is not attached\n",
  ],
  ["--mem", ["--mem=4"], "--mem is not for WASI, whose runtime limits the memory\n"],
  [
    "a long command line",
    ["--block:docteur=tiny.img", "x".repeat(8193)],
    "Guest command line too long (max=8192 bytes)\n",
  ],
];

for (const [title, args, stderr] of REFUSALS)
  test(`refused: ${title}`, () => {
    assert.deepEqual(wasi("simple", args), { status: 1, stdout: "", stderr: `solo5-wasm: ${stderr}` });
  });

test("refused: a path outside of what is preopened", () => {
  const { status, stderr } = wasi("simple", ["--block:docteur=/etc/hostname", ...FILE], "/mnt");
  assert.deepEqual(
    [status, stderr],
    [1, `solo5-wasm: ${OPEN}/etc/hostname: not inside a preopened directory\n`],
  );
  const near = wasi("simple", ["--block:docteur=/mntx/tiny.img", ...FILE], "/mnt");
  assert.match(near.stderr, /not inside a preopened directory/);
  const above = wasi("simple", ["--block:docteur=../tiny.img", ...FILE]);
  assert.deepEqual([above.status, above.stdout], [1, ""]);
});

test("exit statuses are the guest's", () => {
  const statuses = (path: string, image = "tiny.img"): (number | null)[] => {
    const { status } = wasi("simple", [`--block:docteur=${image}`, "--filename", path]);
    return [status];
  };
  assert.deepEqual(statuses("/nope"), [1]);
  const damaged = fixture("tiny.img");
  damaged.fill(0x58, 28, 32);
  writeFileSync(join(folder, "damaged.img"), damaged);
  assert.deepEqual(statuses("/a-b", "damaged.img"), [4]);
});
