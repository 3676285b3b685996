/** `solo5.abi` and `solo5.manifest`: what is taken, and the message of every refusal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAbi, checkDevices, isDeviceName, parseManifest } from "../../src/tender/manifest.js";

function contents(...texts: string[]): ArrayBuffer[] {
  return texts.map((text) => Uint8Array.from(Buffer.from(text)).buffer);
}

function manifest(devices: unknown, extra: object = {}): ArrayBuffer[] {
  return contents(JSON.stringify({ type: "solo5.manifest", version: 1, devices, ...extra }));
}

function block(name: unknown): object {
  return { name, type: "BLOCK_BASIC" };
}

test("names are 1 to 67 letters and digits", () => {
  for (const name of ["a", "Z9", "docteur", "0", "x".repeat(67)]) assert.ok(isDeviceName(name), name);
  for (const name of ["", "x".repeat(68), "a-b", "a b", "é", "a\n", "a=", "../a"])
    assert.ok(!isDeviceName(name), name);
});

test("a sound ABI section is taken", () => {
  checkAbi(contents('{"target":"wasm","version":1}'));
  checkAbi(contents(' { "version" : 1, "target" : "wasm" }\n'));
});

const ABI_REFUSALS: [title: string, contents: ArrayBuffer[], message: string][] = [
  ["missing", [], "no solo5.abi section: not a guest for this tender"],
  ["twice", contents("{}", "{}"), "malformed solo5.abi section: it is there 2 times"],
  ["no JSON", contents("target=wasm"), "malformed solo5.abi section: not JSON in UTF-8"],
  ["empty", contents(""), "malformed solo5.abi section: not JSON in UTF-8"],
  ["no UTF-8", [Uint8Array.of(0x22, 0xff, 0x22).buffer], "malformed solo5.abi section: not JSON in UTF-8"],
  ["a list", contents("[]"), "malformed solo5.abi section: not an object"],
  ["null", contents("null"), "malformed solo5.abi section: not an object"],
  ["without a target", contents('{"version":1}'), 'malformed solo5.abi section: no "target"'],
  ["without a version", contents('{"target":"wasm"}'), 'malformed solo5.abi section: no "version"'],
  [
    "with more",
    contents('{"target":"wasm","version":1,"x":0}'),
    'malformed solo5.abi section: unknown key "x"',
  ],
  ["another target", contents('{"target":"hvt","version":1}'), 'guest is for target "hvt", not "wasm"'],
  ["another version", contents('{"target":"wasm","version":2}'), "guest has ABI version 2, not 1"],
  ["a version in a string", contents('{"target":"wasm","version":"1"}'), 'guest has ABI version "1", not 1'],
];

for (const [title, given, message] of ABI_REFUSALS)
  test(`ABI section refused: ${title}`, () => {
    assert.throws(() => checkAbi(given), { code: "BadGuest", message });
  });

test("a sound manifest is taken, up to 64 devices", () => {
  assert.deepEqual(parseManifest(manifest([])).devices, []);
  const many = Array.from({ length: 64 }, (_, index) => block(`d${index}`));
  assert.equal(parseManifest(manifest(many)).devices.length, 64);
  assert.deepEqual(parseManifest(manifest([{ name: "net", type: "NET_BASIC" }])).devices, [
    { name: "net", type: "NET_BASIC" },
  ]);
});

const MALFORMED: [title: string, contents: ArrayBuffer[], why: string][] = [
  ["twice", contents("{}", "{}"), "it is there 2 times"],
  ["no JSON", contents("{"), "not JSON in UTF-8"],
  ["a number", contents("1"), "not an object"],
  ["another type", manifest([], { type: "x" }), 'its type is "x"'],
  ["without devices", contents('{"type":"solo5.manifest","version":1}'), 'no "devices"'],
  ["unknown key", manifest([], { more: 1 }), 'unknown key "more"'],
  ["devices no list", manifest({}), "its devices are not a list"],
  [
    "65 devices",
    manifest(Array.from({ length: 65 }, (_, i) => block(`d${i}`))),
    "65 devices, at most 64 are allowed",
  ],
  ["a device no object", manifest(["docteur"]), "not an object"],
  ["a device without a type", manifest([{ name: "a" }]), 'no "type"'],
  ["a device with more", manifest([{ ...block("a"), size: 1 }]), 'unknown key "size"'],
  ["no name", manifest([block("")]), 'device name "" is not 1 to 67 letters and digits'],
  ["a number for a name", manifest([block(7)]), "device name 7 is not 1 to 67 letters and digits"],
  ["a dash in a name", manifest([block("a-b")]), 'device name "a-b" is not 1 to 67 letters and digits'],
  [
    "68 letters",
    manifest([block("x".repeat(68))]),
    `device name "${"x".repeat(68)}" is not 1 to 67 letters and digits`,
  ],
  ["the same name twice", manifest([block("a"), block("a")]), "device 'a' is declared twice"],
  [
    "the same name for two types",
    manifest([block("a"), { name: "a", type: "NET_BASIC" }]),
    "device 'a' is declared twice",
  ],
  [
    "an unknown type",
    manifest([{ name: "a", type: "PCI_BASIC" }]),
    "device 'a' is of unknown type \"PCI_BASIC\"",
  ],
];

for (const [title, given, why] of MALFORMED)
  test(`manifest refused: ${title}`, () => {
    const message = `malformed solo5.manifest section: ${why}`;
    assert.throws(() => parseManifest(given), { code: "BadGuest", message });
  });

test("manifest refused: missing, or of another version", () => {
  const missing = "no solo5.manifest section: not a guest for this tender";
  assert.throws(() => parseManifest([]), { code: "BadGuest", message: missing });
  const version = "manifest has version 2, not 1";
  assert.throws(() => parseManifest(manifest([], { version: 2 })), { code: "BadGuest", message: version });
});

test("the devices are those that are declared, all and no others", () => {
  const two = parseManifest(manifest([block("a"), block("b")]));
  checkDevices(two, ["b", "a"]);
  const hint = "the manifest declares: a (BLOCK_BASIC), b (BLOCK_BASIC)";
  assert.throws(() => checkDevices(two, ["a"]), {
    message: "Device 'b' of type BLOCK_BASIC declared but not attached",
    hint,
  });
  assert.throws(() => checkDevices(two, ["a", "b", "c"]), {
    message: "Resource not declared in manifest: 'c'",
    hint,
  });
  assert.throws(() => checkDevices(parseManifest(manifest([])), ["a"]), {
    hint: "the manifest declares no devices",
  });
});
