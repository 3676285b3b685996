/** Verifies and mounts image after image in one instance of the Wasm each: hundreds of thousands of damaged ones. */
import assert from "node:assert/strict";
import { Core } from "../../src/core/instance.js";
import { remount } from "../../src/core/mount.js";
import {
  type BlockDevice,
  compileCore,
  MemoryDevice,
  type OpenOptions,
  RESULT,
  type ReadResult,
} from "../../src/index.js";
import { compileVerifier } from "../../src/verify/compile-verifier.js";
import { Engine } from "../../src/verify/engine.js";
import { conclude, examineFully } from "../../src/verify/examine.js";
import type { Examined } from "../../src/verify/frame.js";
import { Ledger } from "../../src/verify/ledger.js";
import { ImageReader } from "../../src/verify/reader.js";
import { type Finding, Findings, type ReportStatus } from "../../src/verify/report.js";
import { createBudget } from "../../src/verify/tables-budget.js";
import { readCommit } from "../../src/volume/commit.js";
import { Volume } from "../../src/volume.js";

const VERIFY_LIMIT = 64 << 20;
const READ_LIMIT = 2 << 20;
/** Reads of one image at most: far more than any takes, so that a reader that goes in circles ends. */
const READS_MAX = 100_000;

/** What `verify` found. */
export interface Verdict {
  status: ReportStatus;
  findings: readonly Finding[];
  examined: Examined;
}

/** `verify` without its options, over and over. */
export class Verifier {
  readonly #engine: Engine;

  constructor(module: WebAssembly.Module) {
    this.#engine = new Engine(module, VERIFY_LIMIT);
  }

  static async create(): Promise<Verifier> {
    return new Verifier(await compileVerifier());
  }

  /** What `verifyImage` does. @throws what is no DocteurError */
  async verify(bytes: Uint8Array): Promise<Verdict> {
    const engine = this.#engine;
    engine.wasm.init(VERIFY_LIMIT);
    assert.equal(engine.wasm.alloc(32), engine.oid, "memory that was begun anew is as it was at first");
    const findings = new Findings(100);
    const examined: Examined = {
      commit: undefined,
      tree: undefined,
      text: undefined,
      reader: undefined,
      figures: {},
    };
    const ledger = new Ledger(false);
    await conclude({ findings, ledger }, () => {
      const reader = new ImageReader(engine, new MemoryDevice(bytes));
      const course = {
        reader,
        findings,
        ledger,
        out: examined,
        tables: createBudget(VERIFY_LIMIT),
        onProgress: undefined,
      };
      return examineFully(course, () => undefined, undefined);
    });
    return { status: findings.status, findings: findings.list, examined };
  }
}

/** Serves whichever image is put in. */
class ChangingDevice implements BlockDevice {
  readonly blockSize = 512;
  bytes: Uint8Array = new Uint8Array(512);
  reads = 0;

  get capacity(): number {
    return this.bytes.length;
  }

  read(offset: number, target: Uint8Array): ReadResult {
    assert.ok(++this.reads < READS_MAX, "a reader goes in circles");
    assert.ok(offset + target.length <= this.bytes.length, "a read past the end");
    target.set(this.bytes.subarray(offset, offset + target.length));
    return RESULT.OK;
  }
}

/** `open` over and over. A volume is good until the next one is opened. */
export class Reader {
  readonly #device = new ChangingDevice();
  readonly #core: Core;

  constructor(module: WebAssembly.Module) {
    this.#core = new Core(module, this.#device);
  }

  static async create(): Promise<Reader> {
    return new Reader(await compileCore());
  }

  async open(bytes: Uint8Array, { mode = "light", ...proof }: OpenOptions): Promise<Volume> {
    this.#device.bytes = bytes;
    this.#device.reads = 0;
    await remount(this.#core, this.#device, { ...proof, mode, memoryLimit: READ_LIMIT });
    return new Volume(this.#core, this.#device, await readCommit(this.#core, []), READ_LIMIT);
  }
}
