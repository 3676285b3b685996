/** `solo5-wasm` as a user runs it: every refusal with its message and exit status, and guests' own output and statuses. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { STATUS } from "../../src/errors.js";
import { parseCommandLine } from "../../tools/solo5/command-line.js";
import { fixture, fixtureBlobs, fixtureLines, fixturePath, gitOid } from "../support/fixtures.js";
import { ABI, type GuestParts, guestBytes, leb, manifestOf } from "../support/guest-bytes.js";
import { distPath, guestPath, runNode, type Transcript } from "../support/programs.js";

const folder = mkdtempSync(join(tmpdir(), "docteur-tender-"));
after(() => rmSync(folder, { recursive: true }));

const HINT = "solo5-wasm: Run `solo5-wasm --help' for the options.\n";

function tender(...args: string[]): Transcript {
  return runNode("tools/solo5-wasm.js", args, folder);
}

function refused(stderr: string): Transcript {
  return { status: 1, stdout: "", stderr: `solo5-wasm: ${stderr}` };
}

writeFileSync(join(folder, "ok.wasm"), guestBytes());
writeFileSync(join(folder, "one.img"), new Uint8Array(512));

test("--help and --version", () => {
  const help = tender("--help");
  assert.deepEqual([help.status, help.stderr], [0, ""]);
  assert.match(help.stdout, /^usage: solo5-wasm \[OPTION\]\.\.\. \[--\] GUEST \[ARGUMENT\]\.\.\.\n/);
  const { version } = JSON.parse(readFileSync(distPath("../package.json"), "utf8"));
  assert.deepEqual(tender("--version"), {
    status: 0,
    stdout: `solo5-wasm ${version}\nABI wasm version 1\n`,
    stderr: "",
  });
});

const SIZE = "must be a power of two greater than or equal to 512\n";
const USAGE_ERRORS: [title: string, args: string[], message: string][] = [
  ["no guest", [], "Missing GUEST operand\n"],
  ["no guest after --", ["--"], "Missing GUEST operand\n"],
  ["unknown option", ["--foo", "ok.wasm"], "Invalid option: `--foo'\n"],
  ["a lone dash", ["-", "ok.wasm"], "Invalid option: `-'\n"],
  ["--mem without a value", ["--mem", "ok.wasm"], "Invalid option: `--mem'\n"],
  ...["", "0", "-1", "x", "1x", "4097", "99999999999"].map((value): [string, string[], string] => [
    `--mem=${value}`,
    [`--mem=${value}`, "ok.wasm"],
    "Malformed argument to --mem: 1 to 4096 MB\n",
  ]),
  ...["", "-1", "x", "1w", "25d", "1e3"].map((value): [string, string[], string] => [
    `--timeout=${value}`,
    [`--timeout=${value}`, "ok.wasm"],
    "Malformed argument to --timeout: a number of seconds, at most 24 days\n",
  ]),
  ["--block without a path", ["--block:a", "ok.wasm"], "Invalid option: `--block:a'\n"],
  ["--block with an empty path", ["--block:a=", "ok.wasm"], "Invalid option: `--block:a='\n"],
  ["--block without a name", ["--block:=x", "ok.wasm"], "Invalid option: `--block:=x'\n"],
  ["--block with a bad name", ["--block:a_b=x", "ok.wasm"], "Invalid option: `--block:a_b=x'\n"],
  [
    "--block with a name of 68 letters",
    [`--block:${"n".repeat(68)}=x`, "ok.wasm"],
    `Invalid option: \`--block:${"n".repeat(68)}=x'\n`,
  ],
  ["--block twice for a device", ["--block:a=x", "--block:a=y", "ok.wasm"], "Device 'a' attached twice\n"],
  ...["", "0", "100", "513", "x", "-512", "4294967296"].map((value): [string, string[], string] => [
    `--block-sector-size:a=${value}`,
    ["--block:a=x", `--block-sector-size:a=${value}`, "ok.wasm"],
    value === "" ? "Invalid option: `--block-sector-size:a='\n" : `Block size of 'a' ${SIZE}`,
  ]),
  [
    "--block-sector-size twice",
    ["--block:a=x", "--block-sector-size:a=512", "--block-sector-size:a=512", "ok.wasm"],
    "Block size of 'a' given twice\n",
  ],
  [
    "--block-sector-size without its device",
    ["--block-sector-size:a=512", "ok.wasm"],
    "Block size given for 'a', which is not attached\n",
  ],
];

for (const [title, args, message] of USAGE_ERRORS)
  test(`usage error: ${title}`, () => {
    const expected = {
      code: "Usage",
      message: message.trimEnd(),
      hint: HINT.slice("solo5-wasm: ".length, -1),
    };
    assert.throws(() => parseCommandLine(args), expected);
  });

test("a usage error is printed with its hint", () => {
  const [, args, message] = USAGE_ERRORS[0]!;
  assert.deepEqual(tender(...args), refused(message + HINT));
});

test("refused: a guest that cannot be read", () => {
  assert.deepEqual(tender("nope.wasm"), refused("nope.wasm: no such file or directory\n"));
  mkdirSync(join(folder, "folder"));
  assert.deepEqual(tender("folder"), refused("folder: illegal operation on a directory\n"));
});

function sections(...list: [string, string][]): GuestParts {
  return { sections: list };
}

const MANIFEST: [string, string] = ["solo5.manifest", manifestOf()];
const TARGET: [string, string] = ["solo5.abi", ABI];
const MEMORY = { name: "memory", kind: 2, index: 0 };

const BAD_GUESTS: [title: string, bytes: GuestParts | Uint8Array, message: string][] = [
  ["an empty file", new Uint8Array(0), "not a WebAssembly module"],
  ["an ELF file", Uint8Array.from(Buffer.from("\x7fELF\x02\x01\x01\0\0")), "not a WebAssembly module"],
  [
    "a component",
    Uint8Array.of(0, 0x61, 0x73, 0x6d, 13, 0, 1, 0),
    "not a WebAssembly core module of version 1 (0x1000d)",
  ],
  [
    "a module that ends inside a section",
    guestBytes().subarray(0, 30),
    "malformed WebAssembly module: section runs past the end at byte 29",
  ],
  ["no ABI section", sections(MANIFEST), "no solo5.abi section: not a guest for this tender"],
  ["no manifest section", sections(TARGET), "no solo5.manifest section: not a guest for this tender"],
  [
    "two ABI sections",
    sections(TARGET, TARGET, MANIFEST),
    "malformed solo5.abi section: it is there 2 times",
  ],
  [
    "two manifest sections",
    sections(TARGET, MANIFEST, MANIFEST),
    "malformed solo5.manifest section: it is there 2 times",
  ],
  [
    "an ABI section of garbage",
    sections(["solo5.abi", "{"], MANIFEST),
    "malformed solo5.abi section: not JSON in UTF-8",
  ],
  [
    "a manifest of garbage",
    sections(TARGET, ["solo5.manifest", "\0"]),
    "malformed solo5.manifest section: not JSON in UTF-8",
  ],
  [
    "another target",
    sections(["solo5.abi", '{"target":"hvt","version":1}'], MANIFEST),
    'guest is for target "hvt", not "wasm"',
  ],
  [
    "another ABI version",
    sections(["solo5.abi", '{"target":"wasm","version":2}'], MANIFEST),
    "guest has ABI version 2, not 1",
  ],
  [
    "65 devices",
    sections(TARGET, ["solo5.manifest", manifestOf(...Array.from({ length: 65 }, (_, i) => `d${i}`))]),
    "malformed solo5.manifest section: 65 devices, at most 64 are allowed",
  ],
  [
    "a bad device name",
    sections(TARGET, ["solo5.manifest", manifestOf("a/b")]),
    'malformed solo5.manifest section: device name "a/b" is not 1 to 67 letters and digits',
  ],
  [
    "a device declared twice",
    sections(TARGET, ["solo5.manifest", manifestOf("a", "a")]),
    "malformed solo5.manifest section: device 'a' is declared twice",
  ],
  [
    "an unknown device type",
    sections(TARGET, ["solo5.manifest", manifestOf("a").replace("BLOCK_BASIC", "PCI_BASIC")]),
    "malformed solo5.manifest section: device 'a' is of unknown type \"PCI_BASIC\"",
  ],
  [
    "no memory exported",
    { exports: [{ name: "solo5_app_main", kind: 0, index: 0 }] },
    'no exported memory "memory"',
  ],
  [
    "a function exported as memory",
    {
      exports: [
        { name: "memory", kind: 0, index: 0 },
        { name: "solo5_app_main", kind: 0, index: 0 },
      ],
    },
    'no exported memory "memory"',
  ],
  ["no entry exported", { exports: [MEMORY] }, 'no exported function "solo5_app_main"'],
  [
    "a memory exported as entry",
    { exports: [MEMORY, { name: "solo5_app_main", kind: 2, index: 0 }] },
    'no exported function "solo5_app_main"',
  ],
  [
    "an entry of another type",
    { main: [["i32"], ["i32"]] },
    "export solo5_app_main is of type (i32) -> i32, not () -> i32",
  ],
  [
    "an unknown import",
    { imports: [{ module: "solo5", name: "net_read", type: [[], []] }] },
    "unknown import solo5.net_read (function)",
  ],
  [
    "an import of another module's",
    { imports: [{ module: "env", name: "abort", type: [[], []] }] },
    "unknown import env.abort (function)",
  ],
  [
    "an import whose name every object has",
    { imports: [{ module: "solo5", name: "toString", type: [[], []] }] },
    "unknown import solo5.toString (function)",
  ],
  [
    "an import of another type",
    { imports: [{ module: "solo5", name: "block_read", type: [["i32"], ["i32"]] }] },
    "import solo5.block_read is of type (i32) -> i32, not (i64, i64, i32, i32) -> i32",
  ],
];

for (const [title, guest, message] of BAD_GUESTS)
  test(`refused: ${title}`, () => {
    writeFileSync(join(folder, "bad.wasm"), guest instanceof Uint8Array ? guest : guestBytes(guest));
    assert.deepEqual(tender("bad.wasm"), refused(`bad.wasm: ${message}\n`));
  });

test("refused: a module that does not validate, in the engine's words", () => {
  writeFileSync(join(folder, "bad.wasm"), guestBytes({ body: [0x42, 1] }));
  const { status, stdout, stderr } = tender("bad.wasm");
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /^solo5-wasm: bad\.wasm: not a valid WebAssembly module: [^\n]+\n$/);
});

test("refused: a WASI command, with a hint", () => {
  writeFileSync(
    join(folder, "bad.wasm"),
    guestBytes({ imports: [{ module: "wasi_snapshot_preview1", name: "fd_read", type: [[], []] }] }),
  );
  const message = "bad.wasm: unknown import wasi_snapshot_preview1.fd_read (function)\n";
  assert.deepEqual(
    tender("bad.wasm"),
    refused(`${message}solo5-wasm: a WASI command: run it with a WASI runtime\n`),
  );
});

test("refused: a network device", () => {
  const manifest = manifestOf("net").replace("BLOCK_BASIC", "NET_BASIC");
  writeFileSync(join(folder, "net.wasm"), guestBytes(sections(TARGET, ["solo5.manifest", manifest])));
  const expected = refused(
    "net.wasm: device 'net' is of type NET_BASIC: this tender has no network devices\n" +
      "solo5-wasm: the manifest declares: net (NET_BASIC)\n",
  );
  assert.deepEqual(tender("net.wasm"), expected);
  assert.deepEqual(tender("--block:net=one.img", "net.wasm"), expected);
});

test("refused: a declared device that is not attached", () => {
  writeFileSync(
    join(folder, "two.wasm"),
    guestBytes(sections(TARGET, ["solo5.manifest", manifestOf("a", "b")])),
  );
  const hint = "solo5-wasm: the manifest declares: a (BLOCK_BASIC), b (BLOCK_BASIC)\n";
  const message = "two.wasm: Device 'b' of type BLOCK_BASIC declared but not attached\n";
  assert.deepEqual(tender("--block:a=one.img", "two.wasm"), refused(message + hint));
  assert.equal(tender("--block:a=one.img", "--block:b=one.img", "two.wasm").status, 42);
});

test("refused: an attached device that is not declared, before its file is opened", () => {
  assert.deepEqual(
    tender("--block:disk=nowhere.img", "ok.wasm"),
    refused(
      "ok.wasm: Resource not declared in manifest: 'disk'\nsolo5-wasm: the manifest declares no devices\n",
    ),
  );
});

test("refused: files that are no device", () => {
  const simple = guestPath("simple");
  const attach = (path: string, ...more: string[]): Transcript =>
    tender(`--block:docteur=${path}`, ...more, simple);
  const open = "Could not open block device: ";
  assert.deepEqual(attach("nowhere"), refused(`${open}nowhere: no such file or directory\n`));
  mkdirSync(join(folder, "directory"));
  assert.deepEqual(
    attach("directory"),
    refused(`${open}directory: is a directory\nsolo5-wasm: docteur make makes an image of a directory\n`),
  );
  execFileSync("mkfifo", [join(folder, "fifo")]);
  assert.deepEqual(attach("fifo"), refused(`${open}fifo: is neither a regular file nor a block device\n`));
  writeFileSync(join(folder, "odd.img"), new Uint8Array(1000));
  assert.deepEqual(
    attach("odd.img"),
    refused("odd.img: Backing storage size must be block aligned (512 bytes)\n"),
  );
  const large = "one.img: Backing storage must be at least 1 block (4096 bytes) in size\n";
  assert.deepEqual(attach("one.img", "--block-sector-size:docteur=4096"), refused(large));
});

test("refused: a command line of more than 8192 bytes", () => {
  const message = "Guest command line too long (max=8192 bytes)\n";
  assert.deepEqual(tender("ok.wasm", "x".repeat(8193)), refused(message));
  assert.equal(tender("ok.wasm", "x".repeat(8192)).status, 42);
});

test("refused: a guest that begins with more memory than it may have", () => {
  writeFileSync(join(folder, "large.wasm"), guestBytes({ memory: [1, 0, 17] }));
  const message = "large.wasm: guest needs 1088 KB of memory, more than the 1024 KB it may have\n";
  assert.deepEqual(tender("--mem=1", "large.wasm"), refused(message));
  assert.equal(tender("--mem=2", "large.wasm").status, 42);
});

test("--mem caps a guest while it runs", () => {
  assert.deepEqual(tender("--mem=3", guestPath("memory-test")), { status: 0, stdout: "48\n", stderr: "" });
});

test("--timeout stops a guest, as timeout(1) would", () => {
  writeFileSync(join(folder, "loop.wasm"), guestBytes({ body: [0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0] }));
  const stopped = refused("loop.wasm: guest stopped: it ran for 0.2 s\n");
  assert.deepEqual(tender("--timeout=0.2s", "loop.wasm"), { ...stopped, status: 124 });
  assert.equal(tender("--timeout=1h", "ok.wasm").status, 42);
  assert.equal(tender("--timeout=0", "ok.wasm").status, 42);
});

test("refused: a guest with larger tables than it may have", () => {
  const tables = Array.from({ length: 10 }, () => [0x70, 0, ...leb(10_000_000)]).flat();
  writeFileSync(join(folder, "tables.wasm"), guestBytes({ tables: [10, ...tables] }));
  const message = "tables.wasm: guest needs 100000000 table elements, more than the 4096 it may have\n";
  const hint = "solo5-wasm: a guest may have a table element for each 256 bytes of its memory limit\n";
  assert.deepEqual(tender("--mem=1", "tables.wasm"), refused(message + hint));
});

test("Ctrl-C ends a guest", async () => {
  writeFileSync(join(folder, "loop.wasm"), guestBytes({ body: [0x03, 0x40, 0x0c, 0, 0x0b, 0x41, 0] }));
  const child = spawn(process.execPath, [distPath("tools/solo5-wasm.js"), join(folder, "loop.wasm")]);
  setTimeout(() => child.kill("SIGINT"), 300);
  const signal = await new Promise((resolve) => child.on("close", (_, by) => resolve(by)));
  assert.equal(signal, "SIGINT");
});

test("the guest's options are not the tender's", () => {
  const says = (...args: string[]): string =>
    tender(...args)
      .stdout.split("\n")
      .slice(2)
      .join("\n");
  assert.equal(says(guestPath("hello"), "--help", "--mem=x", "--"), "[--help]\n[--mem=x]\n[--]\n");
  copyFileSync(guestPath("hello"), join(folder, "--hello.wasm"));
  assert.equal(says("--", "--hello.wasm", "a b"), "[a b]\n");
});

test("the guest's status is the process's", () => {
  const exit = guestPath("exit-test");
  assert.deepEqual(tender(exit, "return", "7"), { status: 7, stdout: "", stderr: "" });
  assert.deepEqual(tender(exit, "exit", "3"), { status: 3, stdout: "", stderr: "" });
  assert.equal(tender(exit, "exit", "300").status, 44);
  assert.deepEqual(tender(exit, "abort"), { ...refused(`${exit}: guest aborted\n`), status: 255 });
  const trap = { ...refused(`${exit}: guest trapped: unreachable\n`), status: 255 };
  assert.deepEqual(tender(exit, "unreachable"), trap);
  for (const how of ["bounds", "stack", "divide"]) {
    const { status, stderr } = tender(exit, how);
    assert.equal(status, 255);
    assert.match(stderr, /^solo5-wasm: [^\n]+: guest trapped: [^\n]+\n$/);
  }
});

test("simple prints files, and says what it cannot print", () => {
  copyFileSync(fixturePath("gitmodes.img"), join(folder, "modes.img"));
  const simple = (...args: string[]): Transcript =>
    tender("--block:docteur=modes.img", guestPath("simple"), ...args);
  const blobs = fixtureBlobs("gitmodes");
  let withEquals = false;
  for (const [path, oid] of blobs) {
    withEquals = !withEquals;
    const args = withEquals ? [`--filename=${path}`] : ["--filename", path];
    const { status, stdout, stderr } = simple(...args);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.equal(gitOid("blob", Buffer.from(stdout)), oid, path);
  }
  // Executables and symbolic links, which docteur 0.0.7 cannot see, for what they are; every file in every mode by turns.
  const modes = ["light", "fast", "analyze"];
  for (const [index, line] of fixtureLines("gitmodes.tree.txt").entries()) {
    const [, kind, oid, path] = /^\d+ (\w+) (\w+)\t(.*)$/.exec(line)!;
    if (kind !== "blob") continue;
    const { status, stdout } = simple("--mode", modes[index % 3]!, "--filename", path!);
    assert.deepEqual([status, gitOid("blob", Buffer.from(stdout))], [0, oid], path);
  }
  assert.equal(simple("--filename", "/link.txt").stdout, "hello.txt");
  assert.equal(
    simple("--follow", "--filename", "/link.txt").stdout,
    simple("--filename", "/hello.txt").stdout,
  );
  const fails = (path: string, stdout: string): void =>
    assert.deepEqual(simple("--filename", path), { status: 1, stdout, stderr: "" });
  fails("/nope", "Error: /nope not found.\n");
  fails("/hello.txt/x", "Error: /hello.txt/x not found.\n");
  fails("/dir", "Error: /dir is not a file.\n");
  fails("dir/", "Error: dir/ is not a file.\n");
  fails("/vendor/sub", "Error: /vendor/sub is a submodule.\n");
});

test("simple explains itself", () => {
  const simple = (...args: string[]): Transcript =>
    tender("--block:docteur=one.img", guestPath("simple"), ...args);
  const help = simple("--help");
  assert.match(help.stdout, /^usage: simple \[--mode light|fast|analyze\] \[--follow\] --filename PATH\n/);
  assert.deepEqual([help.status, help.stderr], [0, ""]);
  const errors: [args: string[], message: string][] = [
    [[], "required option --filename is missing"],
    [["--filename"], "option --filename needs a value"],
    [["--filename=a", "--filename", "b"], "option --filename is there twice"],
    [["--filenames=a"], "unknown argument --filenames=a"],
    [["/README.md"], "unknown argument /README.md"],
  ];
  for (const [args, message] of errors)
    assert.deepEqual(simple(...args), {
      status: 1,
      stdout: `Error: ${message}.\n${help.stdout}`,
      stderr: "",
    });
});

test("simple tells a damaged image from a device that fails", () => {
  const simple = guestPath("simple");
  const damaged = fixture("tiny.img");
  damaged.fill(0x58, 28, 32);
  writeFileSync(join(folder, "damaged.img"), damaged);
  const { status, stdout } = tender("--block:docteur=damaged.img", simple, "--filename", "/a-b");
  assert.equal(status, 4);
  assert.equal(stdout, `Error: /a-b: the image is damaged: BadPack (${STATUS.BadPack}).\n`);
  // The last of the names: none runs into the next.
  assert.ok(readFileSync(simple, "latin1").includes("101CrcMismatch\0"));
});

test("whoever closes the pipe ends the guest quietly", async () => {
  // The reader has gone long before Node runs a guest.
  const child = spawn(process.execPath, [distPath("tools/solo5-wasm.js"), guestPath("hello")]);
  child.stdout.destroy();
  let stderr = "";
  child.stderr.on("data", (bytes) => {
    stderr += bytes;
  });
  const status = await new Promise((resolve) => child.on("close", resolve));
  assert.deepEqual([status, stderr], [141, ""]);
});
