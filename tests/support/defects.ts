/** What a defect of an image must lead to, in every mount mode, for `verify`, and on every build of the core. */
import assert from "node:assert/strict";
import { DocteurError, type OpenOptions, open } from "../../src/index.js";
import { assertSound } from "../../src/verify/index.js";
import { coreVariants } from "./core.js";
import { OK_TEXT } from "./crafted-image.js";

/** An error's code, and its absolute offset in the image: undefined where it has none, left out where any will do. */
export type Expected = readonly [code: string, offset?: number | undefined];

/** Fails unless `action` fails like that. */
export async function assertFails(
  action: Promise<unknown>,
  expected: Expected,
  where: string,
): Promise<void> {
  try {
    await action;
  } catch (error) {
    assert.ok(error instanceof DocteurError, `${where}: ${(error as Error).stack}`);
    assert.equal(error.code, expected[0], `${where}: ${error.message}`);
    if (expected.length > 1) assert.equal(error.offset, expected[1], `${where}: ${error.message}`);
    return;
  }
  assert.fail(`${where}: nothing failed, ${expected[0]} is expected`);
}

/** What must happen. A mode that is not named opens the image and finds it sound. */
export interface Outcome {
  /** The file to read; `/f` by default. */
  path?: string;
  /** Opening fails: in `light` and `fast`, in `fast` alone, in `analyze`. */
  open?: Expected;
  openFast?: Expected;
  openAnalyze?: Expected;
  /** Opening works, reading the file fails: in `light` and `fast`, and in `analyze`. */
  read?: Expected;
  readAnalyze?: Expected;
  /** Where nothing fails: the file's content. */
  content?: Uint8Array;
  /** `verify` fails; by default as opening or reading with `analyze` does, though of a tree it gives no offset. */
  verify?: Expected | undefined;
  memoryLimit?: number;
}

const variants = await coreVariants();

async function checkMode(
  bytes: Uint8Array,
  options: OpenOptions,
  outcome: Outcome,
  where: string,
): Promise<void> {
  const { mode } = options;
  const onOpen =
    mode === "analyze"
      ? outcome.openAnalyze
      : (outcome.open ?? (mode === "fast" ? outcome.openFast : undefined));
  if (onOpen) {
    await assertFails(open(bytes, options), onOpen, `${where}: open`);
    return;
  }
  const volume = await open(bytes, options);
  const onRead = mode === "analyze" ? outcome.readAnalyze : outcome.read;
  const path = outcome.path ?? "/f";
  // Twice: what an error leaves behind must not change the next answer.
  for (let round = 0; round < 2; round++) {
    if (onRead) await assertFails(volume.get(path), onRead, `${where}: get`);
    else if (outcome.content)
      assert.deepEqual(Buffer.from(await volume.get(path)), Buffer.from(outcome.content), where);
    assert.equal(Buffer.from(await volume.get("/ok")).toString(), OK_TEXT, where);
  }
  await volume.close();
}

/** Checks an image of `imageWith`'s kind against its outcome. */
export async function checkDefect(bytes: Uint8Array, outcome: Outcome): Promise<void> {
  const { memoryLimit } = outcome;
  for (const { label, module } of variants)
    for (const mode of ["light", "fast", "analyze"] as const) {
      const options = { mode, module, ...(memoryLimit === undefined ? {} : { memoryLimit }) };
      await checkMode(bytes, options, outcome, `${label}, ${mode}`);
    }
  const { openAnalyze, readAnalyze } = outcome;
  const fromModes: Expected | undefined = openAnalyze ?? (readAnalyze && [readAnalyze[0]]);
  const onVerify = "verify" in outcome ? outcome.verify : fromModes;
  if (onVerify) await assertFails(assertSound(bytes), onVerify, "verify");
  else await assertSound(bytes);
}
