/** Guests that are written outside this repository, as docs/GUESTS.md says: in C, C++ and AssemblyScript. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadGuest, MemoryDevice, run } from "../../src/tender/index.js";
import { docteur } from "../support/cli.js";
import { FIXTURES, fixture, fixtureBlobs, fixturePath, gitOid } from "../support/fixtures.js";
import { distPath, runNode } from "../support/programs.js";
import { unlessRequired } from "../support/required.js";
import { temporaryFolder } from "../support/temporary.js";

const page = readFileSync(distPath("../docs/GUESTS.md"), "utf8");

function lacking(): string | undefined {
  const missing = ["clang", "clang++", "wasm-ld"].filter(
    (name) => spawnSync(name, ["--version"]).error !== undefined,
  );
  return missing.length > 0 ? `there is no ${missing.join(", ")}` : undefined;
}
const skip = unlessRequired("clang", lacking()) ?? false;

/** The block of code after a line of the page. */
function codeAfter(line: string): string {
  const from = page.indexOf(line);
  assert.ok(from >= 0, line);
  return /```\w*\n(.*?)```/s.exec(page.slice(from))![1]!;
}

/** The commands of the page that build a guest, run in a folder. */
function shell(folder: string, commands: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  for (const name of ["docteur", "solo5-wasm"])
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\nexec "${process.execPath}" "${distPath(`tools/${name}.js`)}" "$@"\n`,
      {
        mode: 0o755,
      },
    );
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  return execFileSync("sh", ["-ec", commands], {
    cwd: folder,
    env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Every file of every fixture, as the guest prints it. */
function assertReads(bytes: Uint8Array<ArrayBuffer>): void {
  const guest = loadGuest(bytes);
  for (const name of FIXTURES)
    for (const [path, oid] of fixtureBlobs(name)) {
      const chunks: Uint8Array[] = [];
      const devices = { docteur: new MemoryDevice(fixture(`${name}.img`)) };
      const { status } = run(guest, { devices, args: [path], console: (chunk) => chunks.push(chunk) });
      assert.equal(status, 0, `${name}: ${path}`);
      assert.equal(gitOid("blob", Buffer.concat(chunks)), oid, `${name}: ${path}`);
    }
}

test("C: the page's commands build a guest that prints every file of every fixture", { skip }, (t) => {
  const folder = temporaryFolder(t);
  shell(folder, codeAfter("## In C"));
  assertReads(Uint8Array.from(readFileSync(join(folder, "my-guest", "guest.wasm"))));
  const refused = runNode("tools/solo5-wasm.js", [
    `--block:docteur=${fixturePath("tiny.img")}`,
    join(folder, "my-guest", "guest.wasm"),
    "/nope",
  ]);
  assert.deepEqual(refused, { status: 16, stdout: "not found\n", stderr: "" });
});

const CPP = `
#include "docteur.h"
SOLO5_MANIFEST(SOLO5_BLOCK("docteur") "," SOLO5_BLOCK("other"))
struct Sum { uint32_t value; Sum() : value(7) {} };
static Sum sum;
static uint8_t block[512];
static unsigned char *own;
static uint32_t owned;
static void grow() {
  auto page = __builtin_wasm_memory_grow(0, 2);
  own = reinterpret_cast<unsigned char *>(page * 65536);
  owned = 2 * 65536;
  for (uint32_t i = 0; i < owned; i++) own[i] = 0x5a;
}
static bool intact() {
  for (uint32_t i = 0; i < owned; i++) if (own[i] != 0x5a) return false;
  return true;
}
int32_t solo5_app_main(void) {
  if (sum.value != 7 || docteur_alloc(16)) return 100;
  if (docteur_read("/a", 2, 0, 0, 1) != SOLO5_R_EINVAL) return 101;
  solo5_device device, other;
  if (solo5_acquire("docteur", &device) || solo5_acquire("other", &other)) return 102;
  if (solo5_block_read(other.handle, 0, block, 512) || block[0] != 9) return 103;
  for (int round = 0; round < 3; round++) {
    grow();
    int32_t status = docteur_mount(&device, DOCTEUR_MODE_FAST, 4 << 20, DOCTEUR_PROOF_COLLISIONS, nullptr);
    if (status) return status;
    uint8_t *taken = static_cast<uint8_t *>(docteur_alloc(100000));
    if (!taken) return 104;
    __builtin_memset(taken, 1, 100000);
    grow();
    status = docteur_list("/", 1, DOCTEUR_SIZE, "", 0, 0);
    if (status) return status;
    const struct docteur_result *result = docteur_result();
    for (uint32_t i = 0; round == 2 && i < result->count; i++) {
      solo5_puts(docteur_entry(i));
      solo5_puts("\\n");
    }
    status = docteur_stat("/hello.txt", 10, DOCTEUR_SIZE | DOCTEUR_OID);
    if (status || result->size != 24 || result->kind != DOCTEUR_KIND_FILE) return 105;
    status = docteur_object(docteur_info()->commit);
    if (status || result->kind != 1) return 106;
    if (docteur_stat("/nope", 5, 0) != DOCTEUR_NOT_FOUND) return 107;
    docteur_free(taken);
    if (!intact()) return 108;
  }
  uint8_t wrong[20] = {1};
  if (docteur_mount(&device, DOCTEUR_MODE_LIGHT, 0, DOCTEUR_PROOF_OID, wrong) != DOCTEUR_OTHER_COMMIT) return 109;
  return 0;
}
`;

/** Builds the guest in C++, as guest.wasm in a folder. */
function buildCpp(folder: string): void {
  writeFileSync(join(folder, "guest.cpp"), CPP);
  const target = [
    "--target=wasm32",
    "-O2",
    "-nostdlib",
    "-ffreestanding",
    "-fno-exceptions",
    "-mbulk-memory",
  ];
  const checks = ["-Wl,--no-entry", "-Wall", "-Wextra", "-Werror"];
  const inputs = ["-I", distPath("../guest/c"), "guest.cpp", distPath("kit/docteur.o"), "-o", "guest.wasm"];
  execFileSync("clang++", [...target, ...checks, ...inputs], { cwd: folder });
}

test("C++: every function of the reader, beside memory of the guest's own", { skip }, (t) => {
  const folder = temporaryFolder(t);
  buildCpp(folder);
  const chunks: Uint8Array[] = [];
  const outcome = run(Uint8Array.from(readFileSync(join(folder, "guest.wasm"))), {
    devices: {
      docteur: new MemoryDevice(fixture("tiny.img")),
      other: new MemoryDevice(new Uint8Array(512).fill(9)),
    },
    console: (chunk) => chunks.push(chunk),
  });
  assert.deepEqual(outcome, { status: 0, cause: "exit" });
  assert.match(Buffer.concat(chunks).toString(), /^(?:.+\n)*hello\.txt\n/);
});

test("of two devices of a bundle, one is in the module and the other the tender's", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  buildCpp(folder);
  const args = ["bundle", fixturePath("tiny.img"), "--guest", "guest.wasm", "-o", "bundle.wasm"];
  const made = await docteur(args, { cwd: folder });
  assert.equal(made.status, 0, made.stderr);
  const outcome = run(Uint8Array.from(readFileSync(join(folder, "bundle.wasm"))), {
    devices: { other: new MemoryDevice(new Uint8Array(512).fill(9)) },
  });
  assert.deepEqual(outcome, { status: 0, cause: "exit" });
});

/** The package as npm packs it, in `node_modules` of a folder, with what asc needs. */
function installPackage(folder: string): void {
  const modules = join(folder, "node_modules");
  mkdirSync(modules, { recursive: true });
  const root = distPath("..");
  const packed = execFileSync("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    encoding: "utf8",
  }).trim();
  execFileSync("tar", ["-xzf", join(folder, packed), "-C", modules]);
  execFileSync("mv", [join(modules, "package"), join(modules, "docteur")]);
  for (const name of ["assemblyscript", "binaryen", "long", "@assemblyscript"])
    symlinkSync(join(root, "node_modules", name), join(modules, name));
}

/** Builds the guest in a folder as its package.json says. @param target of asconfig.json */
function build(folder: string, target: "release" | "debug"): Uint8Array<ArrayBuffer> {
  const { scripts } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    scripts: { build: string };
  };
  const asc = `"${process.execPath}" node_modules/assemblyscript/bin/asc.js `;
  shell(folder, scripts.build.replace(/^asc /, asc).replace("--target release", `--target ${target}`));
  return Uint8Array.from(readFileSync(join(folder, "build", "guest.wasm")));
}

test("AssemblyScript: the template, built on the packed package, prints every file of every fixture", async (t) => {
  const folder = join(temporaryFolder(t), "guest");
  assert.equal((await docteur(["guest", "init", folder])).status, 0);
  installPackage(folder);
  assertReads(build(folder, "release"));

  // A program with objects of its own: the collector's memory and the reader's lie side by side.
  writeFileSync(join(folder, "assembly", "guest.ts"), codeAfter("### Objects of your own"));
  const chunks: Uint8Array[] = [];
  const devices = { docteur: new MemoryDevice(fixture("tiny.img")) };
  const outcome = run(build(folder, "debug"), {
    devices,
    args: ["/hello.txt"],
    console: (chunk) => chunks.push(chunk),
  });
  assert.deepEqual(outcome, { status: 255, cause: "abort" });
  assert.match(
    Buffer.concat(chunks).toString(),
    /^30 times Hello from the fixture\.\nabort: that’s all in assembly\/guest\.ts:\d+:\d+\n$/,
  );
});
