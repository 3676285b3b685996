/** `docteur bundle`: guest and image in one module read as the guest with a block device does. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { readBundle } from "../../src/bundle/index.js";
import { bundleParts, MODULE_MAX } from "../../src/bundle/module.js";
import { DocteurError } from "../../src/errors.js";
import { loadGuest, MemoryDevice, run } from "../../src/tender/index.js";
import { docteur } from "../support/cli.js";
import { FIXTURES, fixture, fixtureBlobs, fixturePath, gitOid } from "../support/fixtures.js";
import { guestBytes, manifestOf } from "../support/guest-bytes.js";
import { guestPath, runNode } from "../support/programs.js";
import { seeded } from "../support/random.js";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "docteur-bundle-"));
});
after(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => join(folder, name);

/** Some of a fixture's files. Each run of a guest reserves gigabytes of addresses, so that hundreds in one process may be too many. */
function someBlobs(name: string): [string, string][] {
  const blobs = [...fixtureBlobs(name)];
  const step = Math.ceil(blobs.length / 40);
  return blobs.filter((_, index) => index % step === 0);
}

/** What a guest of the tender's writes, and its status. */
function runGuest(guest: ReturnType<typeof loadGuest>, path: string): { status: number; output: Buffer } {
  const chunks: Uint8Array[] = [];
  const outcome = run(guest, { args: ["--filename", path], console: (bytes) => chunks.push(bytes) });
  return { status: outcome.status, output: Buffer.concat(chunks) };
}

describe("files of every fixture read as before", () => {
  for (const name of FIXTURES)
    test(name, async () => {
      const result = await docteur(["bundle", "-q", fixturePath(`${name}.img`), "-o", at(`${name}.wasm`)]);
      assert.deepEqual(result, { status: 0, signal: null, stdout: "", stderr: "" });
      const guest = loadGuest(readFileSync(at(`${name}.wasm`)));
      assert.deepEqual(guest.manifest.devices, []);
      const blobs = someBlobs(name);
      assert.ok(blobs.length > 0);
      for (const [path, oid] of blobs) {
        const { status, output } = runGuest(guest, path);
        assert.equal(status, 0, path);
        assert.equal(gitOid("blob", output), oid, path);
      }
      assert.deepEqual(runGuest(guest, "/no such file").status, 1);
      const { info, image } = readBundle(readFileSync(at(`${name}.wasm`)));
      assert.deepEqual(Buffer.from(image), Buffer.from(fixture(`${name}.img`)));
      assert.equal(info.commit, Buffer.from(image.subarray(0, 20)).toString("hex"));
    });
});

test("a WASI command reads from the module alone", async () => {
  const closing = await docteur(["bundle", "--wasi", fixturePath("delta.img"), "-o", at("site.wasm")]);
  assert.match(closing.stderr, /^\S+site\.wasm: a WASI command with commit [0-9a-f]{40}, .*\n$/);
  const module = new WebAssembly.Module(readFileSync(at("site.wasm")));
  const imports = WebAssembly.Module.imports(module).map((one) => `${one.module}.${one.name}`);
  assert.ok(
    imports.every((name) => name.startsWith("wasi_snapshot_preview1.") && !/path|pread|prestat/.test(name)),
  );
  for (const [path, oid] of someBlobs("delta").slice(0, 12)) {
    const run = runNode("tests/support/wasi-run.js", [folder, ".", at("site.wasm"), "--filename", path]);
    assert.equal(run.status, 0, `${path}: ${run.stderr}`);
    assert.equal(gitOid("blob", Buffer.from(run.stdout)), oid, path);
  }
});

test("the device keeps the contract of block devices", () => {
  const numbers = new Uint8Array(16 * 512);
  for (let block = 0; block < 16; block++) new DataView(numbers.buffer).setUint32(block * 512, block, true);
  const { head, tail } = bundleParts(readFileSync(guestPath("bounds-test")), "storage", numbers.length);
  const bundle = Buffer.concat([head, numbers, tail("{}")]);
  const outcome = run(bundle, { args: ["two", "words"] });
  assert.deepEqual(
    outcome,
    run(readFileSync(guestPath("bounds-test")), {
      args: ["two", "words"],
      devices: { storage: new MemoryDevice(numbers) },
    }),
  );
  assert.deepEqual(outcome, { status: 0, cause: "exit" });
});

test("of two devices, the other one stays in the manifest", () => {
  const storage = new Uint8Array(16 * 512);
  const parts = bundleParts(readFileSync(guestPath("block-test")), "storage", storage.length);
  const bundle = Buffer.concat([parts.head, storage, parts.tail("{}")]);
  assert.deepEqual(loadGuest(bundle).manifest.devices, [{ name: "other", type: "BLOCK_BASIC" }]);
});

test("print and extract", async () => {
  await docteur(["bundle", "-q", fixturePath("tiny.img"), "-o", at("t.wasm")]);
  const { status, stdout } = await docteur(["bundle", "--print", at("t.wasm")]);
  assert.equal(status, 0);
  const commit = Buffer.from(fixture("tiny.img").subarray(0, 20)).toString("hex");
  const { sha256, ...rest } = JSON.parse(stdout) as Record<string, unknown>;
  assert.match(String(sha256), /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    version: 1,
    device: "docteur",
    blockSize: 512,
    size: fixture("tiny.img").length,
    commit,
  });
  assert.equal((await docteur(["bundle", "-q", "--extract", at("t.wasm"), "-o", at("out.img")])).status, 0);
  assert.deepEqual(readFileSync(at("out.img")), readFileSync(fixturePath("tiny.img")));
  assert.equal(
    runNode("tools/solo5-wasm.js", [at("t.wasm"), "--filename", "/hello.txt"]).stdout,
    "Hello from the fixture.\n",
  );
});

test("what cannot be bundled is refused, and no file appears", async () => {
  const refused = async (args: string[], status: number, message: RegExp): Promise<void> => {
    const result = await docteur(["bundle", ...args, "-o", at("refused.wasm")]);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, message);
    assert.throws(() => readFileSync(at("refused.wasm")), { code: "ENOENT" });
  };
  const image = fixturePath("tiny.img");
  writeFileSync(at("zeros.img"), new Uint8Array(4096));
  writeFileSync(at("cut.img"), fixture("tiny.img").subarray(0, 1000));
  writeFileSync(at("text.wasm"), "text");
  writeFileSync(at("cut.wasm"), readFileSync(guestPath("simple")).subarray(0, 20_000));
  await refused([at("zeros.img")], 4, /zeros\.img|not a docteur image/);
  await refused([at("missing.img")], 8, /no such file/);
  await refused([at("cut.img")], 4, /./);
  await refused([image, "--guest", at("text.wasm")], 16, /text\.wasm: not a WebAssembly module/);
  await refused([image, "--guest", at("cut.wasm")], 16, /cut\.wasm: malformed WebAssembly module/);
  await refused([image, "--guest", guestPath("hello")], 16, /has no device 'docteur'/);
  await refused([image, "--guest", guestPath("simple.wasi")], 16, /does not import solo5\.block_acquire/);
  await refused([image, "--device", "disk"], 16, /has no device 'disk'\n.*hint: its devices are: docteur/);
  await refused([image, "--device", "a b"], 16, /not a device's name/);
  await refused([image, "--wasi", "--guest", guestPath("simple")], 16, /exclude each other/);
  await refused(["--print", image], 16, /--print writes no file/);
  assert.equal((await docteur(["bundle", image])).status, 16);
  assert.equal((await docteur(["bundle", "--print", guestPath("simple")])).status, 16);
});

test("a module beyond the engines' limit is refused before the image is read", () => {
  assert.throws(() => bundleParts(readFileSync(guestPath("simple")), "docteur", MODULE_MAX - 512), {
    code: "InvalidArgument",
    message: /too large: engines take modules of 1073741824 bytes at most/,
  });
});

test("a bundle whose bytes changed is told from one that is whole", async () => {
  await docteur(["bundle", "-q", fixturePath("tiny.img"), "-o", at("t.wasm")]);
  const bytes = readFileSync(at("t.wasm"));
  const image = bytes.indexOf(fixture("tiny.img"));
  const changed = Buffer.from(bytes);
  changed[image + 700]! ^= 1;
  assert.throws(() => readBundle(changed), { code: "Mismatch" });
  writeFileSync(at("changed.wasm"), changed);
  assert.equal((await docteur(["bundle", "--print", at("changed.wasm")])).status, 4);
  const random = seeded(3);
  for (let round = 0; round < 3000; round++) {
    const other = Buffer.from(bytes.subarray(0, random(4) === 0 ? random(bytes.length) : bytes.length));
    for (let flips = random(3); flips >= 0 && other.length > 0; flips--)
      other[random(other.length)]! ^= 1 + random(255);
    try {
      assert.deepEqual(Buffer.from(readBundle(other).image), Buffer.from(fixture("tiny.img")));
    } catch (error) {
      assert.ok(
        error instanceof DocteurError || error instanceof assert.AssertionError === false,
        String(error),
      );
      assert.ok(error instanceof DocteurError, String(error));
    }
  }
});

test("guests of any bytes are bundled to a valid module or refused", () => {
  const random = seeded(4);
  const small = guestBytes({
    sections: [
      ["solo5.abi", '{"target":"wasm","version":1}'],
      ["solo5.manifest", manifestOf("docteur")],
    ],
    imports: [
      { module: "solo5", name: "block_read", type: [["i64", "i64", "i32", "i32"], ["i32"]] },
      { module: "solo5", name: "cmdline_size", type: [[], ["i32"]] },
      { module: "solo5", name: "block_acquire", type: [["i32", "i32", "i32", "i32"], ["i32"]] },
    ],
    // call cmdline_size
    body: [0x10, 1],
  });
  const sources = [
    small,
    ...["simple", "simple.bundled", "block-test"].map((name) => readFileSync(guestPath(name))),
  ];
  let bundled = 0;
  for (let round = 0; round < 2000; round++) {
    const source = sources[round % sources.length]!;
    const bytes = Uint8Array.from(source);
    // The first round is the guest as it is; later ones change the front, where most sections are.
    if (round >= sources.length)
      for (let flips = random(2); flips >= 0; flips--)
        bytes[8 + random(random(2) === 0 ? 300 : bytes.length - 8)]! ^= 1 << random(8);
    const device = round % sources.length === 3 ? "storage" : "docteur";
    try {
      const { head, tail } = bundleParts(bytes, device, 512);
      const module = Buffer.concat([head, new Uint8Array(512), tail("{}")]);
      assert.ok(WebAssembly.validate(module), `round ${round}`);
      bundled++;
    } catch (error) {
      assert.ok(error instanceof DocteurError, String(error));
    }
  }
  assert.ok(bundled > 100, `${bundled}`);
});
