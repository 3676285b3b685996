/** What the core's exports answer to paths around symbolic links, files and submodules, as docs/ABI.md says, in every mode. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { BLOCK_READ, type CoreExports, FLAG, MODE, RESULT, STATUS } from "../../src/abi.js";
import { fixture } from "../support/fixtures.js";
import { distPath } from "../support/programs.js";

/** Mounts an image in memory. @returns the exports, and the one handle */
function mounted(image: Uint8Array, mode: number): { exports: CoreExports; handle: number } {
  const block_read = (_handle: bigint, offset: bigint, target: number, size: number): number => {
    const piece = image.subarray(Number(offset), Number(offset) + size);
    new Uint8Array(exports.memory.buffer).set(piece, target);
    return BLOCK_READ.OK;
  };
  const module = new WebAssembly.Module(readFileSync(distPath("core.wasm")));
  const exports = new WebAssembly.Instance(module, { solo5: { block_read } })
    .exports as unknown as CoreExports;
  assert.equal(exports.mountBegin(0n, BigInt(image.length), 512n, mode, 0), STATUS.Ok);
  const handle = exports.operation();
  assert.equal(exports.mount(handle), STATUS.Ok);
  return { exports, handle };
}

const { NotFound, ValueExpected, DictionaryExpected, Submodule } = STATUS;

/** Answers without flag 1 and with it: the kind from `stat`, the text from `read`, "listed" from `list`, or a status. */
const PATHS: [path: string, stat: number[], read: (string | number)[], list: (string | number)[]][] = [
  ["dir/f", [2, 2], ["f\n", "f\n"], [DictionaryExpected, DictionaryExpected]],
  ["dir/f/x", [NotFound, NotFound], [NotFound, NotFound], [NotFound, NotFound]],
  ["dir", [1, 1], [ValueExpected, ValueExpected], ["listed", "listed"]],
  ["dirlink", [4, 1], ["dir", ValueExpected], [DictionaryExpected, "listed"]],
  ["dirlink/f", [NotFound, 2], [NotFound, "f\n"], [NotFound, DictionaryExpected]],
  ["dangling", [4, NotFound], ["nowhere", NotFound], [DictionaryExpected, NotFound]],
  ["vendor/sub", [5, 5], [Submodule, Submodule], [DictionaryExpected, DictionaryExpected]],
  ["vendor/sub/x", [Submodule, Submodule], [Submodule, Submodule], [Submodule, Submodule]],
  ...["", "/", "."].map((root): (typeof PATHS)[number] => [
    root,
    [1, 1],
    [ValueExpected, ValueExpected],
    ["listed", "listed"],
  ]),
];

for (const [name, mode] of Object.entries(MODE))
  test(`paths and flags, mode ${name}`, () => {
    const { exports, handle } = mounted(fixture("gitmodes.img"), mode);
    const field = (offset: number): number =>
      new DataView(exports.memory.buffer).getUint32(exports.result(handle) + offset, true);
    for (const [path, stat, read, list] of PATHS) {
      const bytes = new TextEncoder().encode(path);
      const at = exports.input();
      new Uint8Array(exports.memory.buffer).set(bytes, at);
      for (const flags of [0, FLAG.FOLLOW]) {
        const what = `${JSON.stringify(path)}, flags ${flags}`;
        const answer = <T>(status: number, value: () => T): T | number =>
          status === STATUS.Ok ? value() : status;
        const kind = answer(exports.stat(handle, at, bytes.length, flags), () => field(RESULT.kind));
        assert.equal(kind, stat[flags], `stat ${what}`);
        const text = answer(exports.read(handle, at, bytes.length, flags, 0n, 100), () =>
          Buffer.from(exports.memory.buffer, field(RESULT.data), field(RESULT.dataLen)).toString(),
        );
        assert.equal(text, read[flags], `read ${what}`);
        const listed = answer(exports.list(handle, at, bytes.length, flags, 0, 0, 0), () => "listed");
        assert.equal(listed, list[flags], `list ${what}`);
      }
    }
  });
