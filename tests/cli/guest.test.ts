/** `docteur guest`: the sections that make a module a guest, and the folder of a new one. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DocteurError } from "../../src/errors.js";
import { readGuestSections, writeGuestSections } from "../../src/tender/guest-sections.js";
import { loadGuest } from "../../src/tender/index.js";
import { docteur } from "../support/cli.js";
import { guestBytes, manifestOf } from "../support/guest-bytes.js";
import { guestPath, runNode } from "../support/programs.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const BARE = guestBytes({ sections: [["name", "kept"]] });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test("manifest writes sections that the tender takes, in place of those that are there", async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("bare.wasm"), BARE);
  writeFileSync(at("one.json"), `${manifestOf("one")}\n`);
  writeFileSync(at("none.json"), manifestOf());
  const write = async (...args: string[]): Promise<void> => {
    const result = await docteur(["guest", "manifest", ...args]);
    assert.deepEqual(result, { status: 0, signal: null, stdout: "", stderr: "" });
  };
  await write(at("bare.wasm"), at("one.json"), "-o", at("guest.wasm"));
  const printed = await docteur(["guest", "manifest", "--print", at("guest.wasm")]);
  assert.deepEqual(JSON.parse(printed.stdout), {
    "solo5.abi": { target: "wasm", version: 1 },
    "solo5.manifest": JSON.parse(manifestOf("one")),
  });
  // In place.
  await write(at("guest.wasm"), at("none.json"), "-o", at("guest.wasm"));
  const bytes = readFileSync(at("guest.wasm"));
  assert.deepEqual(loadGuest(bytes).manifest.devices, []);
  const module = new WebAssembly.Module(bytes);
  assert.equal(WebAssembly.Module.customSections(module, "name").length, 1);
  assert.equal(runNode("tools/solo5-wasm.js", [at("guest.wasm")]).status, 42);
});

test("what is not a guest or not a manifest is refused by name, and no file appears", async (t) => {
  const folder = temporaryFolder(t);
  const at = (name: string): string => join(folder, name);
  writeFileSync(at("bare.wasm"), BARE);
  writeFileSync(at("good.json"), manifestOf());
  writeFileSync(at("text.wasm"), "text");
  writeFileSync(at("no-memory.wasm"), guestBytes({ memory: null, exports: [], sections: [] }));
  writeFileSync(at("bad.json"), "{");
  writeFileSync(at("twice.json"), manifestOf("a", "a"));
  const refused = async (
    module: string,
    manifest: string,
    status: number,
    message: RegExp,
  ): Promise<void> => {
    const result = await docteur(["guest", "manifest", at(module), at(manifest), "-o", at("out.wasm")]);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, message);
    assert.ok(!readdirSync(folder).includes("out.wasm"));
  };
  await refused("text.wasm", "good.json", 16, /text\.wasm: not a WebAssembly module/);
  await refused("no-memory.wasm", "good.json", 16, /no-memory\.wasm: no exported memory/);
  await refused("bare.wasm", "bad.json", 16, /bad\.json: malformed solo5\.manifest section: not JSON/);
  await refused("bare.wasm", "twice.json", 16, /twice\.json: .*declared twice/);
  await refused("missing.wasm", "good.json", 8, /missing\.wasm: no such file/);
  await refused("bare.wasm", "missing.json", 8, /missing\.json: no such file/);
  for (const args of [[], ["manifest", "a.wasm"], ["manifest", "--print", "a", "-o", "b"], ["unknown"]])
    assert.equal((await docteur(["guest", ...args])).status, 16, args.join(" "));
});

test("any bytes give a guest that the tender takes, or a typed refusal", () => {
  const random = seeded(5);
  const sources = [BARE, guestBytes(), readFileSync(guestPath("hello"))];
  let written = 0;
  for (let round = 0; round < 6000; round++) {
    const source = sources[round % sources.length]!;
    const bytes = Uint8Array.from(random(3) === 0 ? source.subarray(0, random(source.length)) : source);
    for (let flips = random(3); flips > 0 && bytes.length > 0; flips--)
      bytes[random(bytes.length)]! ^= 1 << random(8);
    try {
      const guest = writeGuestSections(bytes, utf8(manifestOf("docteur")));
      loadGuest(guest as Uint8Array<ArrayBuffer>, 2 ** 32);
      assert.equal(readGuestSections(guest).manifest.devices[0]!.name, "docteur");
      written++;
    } catch (error) {
      assert.ok(error instanceof DocteurError, String(error));
    }
    try {
      readGuestSections(bytes);
    } catch (error) {
      assert.ok(error instanceof DocteurError, String(error));
    }
  }
  assert.ok(written > 500, `${written}`);
});

test("init writes a folder once", async (t) => {
  const folder = temporaryFolder(t);
  for (const [language, file] of [
    ["assemblyscript", "asconfig.json"],
    ["c", "docteur.o"],
  ] as const) {
    const target = join(folder, `My Guest ${language}`);
    const made = await docteur(["guest", "init", "--language", language, target]);
    assert.equal(made.status, 0, made.stderr);
    assert.ok(readdirSync(target).includes(file));
    const again = await docteur(["guest", "init", "--language", language, target]);
    assert.equal(again.status, 16);
    assert.match(again.stderr, /is there already/);
  }
  const made = readFileSync(join(folder, "My Guest assemblyscript", "package.json"), "utf8");
  assert.equal((JSON.parse(made) as { name: string }).name, "my-guest-assemblyscript");
  mkdirSync(join(folder, "other"));
  writeFileSync(join(folder, "other", "README.md"), "mine");
  assert.equal((await docteur(["guest", "init", join(folder, "other")])).status, 16);
  assert.deepEqual(readdirSync(join(folder, "other")), ["README.md"]);
  assert.equal((await docteur(["guest", "init", "--language", "cobol"], { cwd: folder })).status, 16);
});
