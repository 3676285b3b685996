/**
 * Verifies images: checks them, counts their objects, and compares them with expected commits. See docs/VERIFY.md.
 * @module docteur/verify
 */

import { hasFiles, pathOfUrl } from "#files";
import { expectedOf, processors, startTeam, withCopy } from "#verify-host";
import {
  type Check,
  type Checks,
  checkOptions,
  isBoolean,
  isFunction,
  isModule,
  isString,
  isWhole,
} from "../arguments.js";
import { type BlockDevice, isBlockSize } from "../devices/device.js";
import { fileOf, type ImageSource, nameOf, toDevice } from "../devices/open.js";
import { DEVICE, type DeviceOptions } from "../devices/options.js";
import { DocteurError } from "../errors.js";
import type { CommitText } from "../git/commit.js";
import { dateOf, type Ident, isoDate, zoneOf } from "../git/ident.js";
import type { Sha1 } from "../git/oid.js";
import { numberSteps, type StepNumbers } from "../progress-steps.js";
import type { WasmModule } from "../wasm/types.js";
import { compileVerifier } from "./compile-verifier.js";
import { Engine } from "./engine.js";
import { conclude, examineFully } from "./examine.js";
import type { Expected } from "./expected-commit.js";
import type { Course, Examined, PhaseProgress } from "./frame.js";
import { Ledger } from "./ledger.js";
import { examineQuickly } from "./quick.js";
import { ImageReader } from "./reader.js";
import { defined, Findings, type Report, type ReportPerson, reportError, SCHEMA } from "./report.js";
import { createBudget } from "./tables-budget.js";
import type { ImageFigures } from "./tally.js";
import type { Team } from "./team.js";

export type { CommitText } from "../git/commit.js";
export type { Ident, Moment } from "../git/ident.js";
export type { StepNumbers } from "../progress-steps.js";
export type { PhaseProgress } from "./frame.js";
export type { Finding, FindingCode, Report, ReportPerson, ReportStatus, Severity } from "./report.js";
export type { ImageFigures, ObjectFigures, PathCount, PathCounts } from "./tally.js";
/** The progress of verifying, with the number of its step: a damaged image takes more steps. */
export type VerifyProgress = PhaseProgress & StepNumbers;

/** Options of `verify`; those of devices are for remote images. */
export interface VerifyOptions extends DeviceOptions {
  /** Only header, trailers, index and commit: no object but the commit is inflated. */
  quick?: boolean;
  /** The ids that commit and root tree must have, 40 hexadecimal digits. */
  commit?: string;
  tree?: string;
  /** A repository on this machine whose commit the image must be: its folder, or `FOLDER@REF`. */
  against?: string;
  /** The most findings that the report holds; 100 by default. */
  maxFindings?: number;
  /** Threads that inflate, 1 to 8, if the source is a file or a URL. By default one per processor, or fewer. */
  jobs?: number;
  /**
   * Cap of the memory of each thread's Wasm, in bytes, up to 4 GiB less 64 KiB; 1 GiB by default. Only very large objects
   * take much of it. The tables of all objects and trees may take four times as much together: at 256 bytes per object
   * and 16 per entry of a tree, some 15 million objects by default.
   */
  memoryLimit?: number;
  onProgress?: (progress: VerifyProgress) => void;
  /** The verifier's Wasm, compiled, if this package's files cannot be found: `dist/verifier.wasm` or its SIMD build. */
  module?: WasmModule | undefined;
}

/** A report, and the commit's text as it is stored, which need not be UTF-8. */
export interface VerifiedImage {
  report: Report;
  text: CommitText | undefined;
  /** This thread's work: bytes that were inflated and made, and bytes that were read from the device. */
  work: { made: number; read: number };
}

const MEMORY_LIMIT = 1 << 30;
/** The budget for the tables of all objects, by the memory of a thread's Wasm. */
const TABLES_FACTOR = 4;
const BLOCK_SIZE = 512;
const MAX_FINDINGS = 100;
/** The most threads: more of them would take more memory than verifying promises. */
export const JOBS_MAX = 8;
/** Bytes of PACK that a thread is worth. */
const THREAD_LEN = 2 << 20;

/** The largest memory that a Wasm module can have, less a page. */
export const MEMORY_MAX = 0xffff0000;

const isSizeOfBlock: Check = (value) =>
  isBlockSize(value as number) ? undefined : "a power of two, at least 512";

const CHECKS: Checks & Record<keyof VerifyOptions, Check> = {
  quick: isBoolean,
  commit: isString,
  tree: isString,
  against: isString,
  maxFindings: isWhole(0),
  jobs: isWhole(1, JOBS_MAX),
  memoryLimit: isWhole(1, MEMORY_MAX),
  ...DEVICE,
  blockSize: isSizeOfBlock,
  onProgress: isFunction,
  module: isModule,
};

/** The path of an image's file; undefined if there is none, or it cannot be opened. */
function pathOf(source: ImageSource): string | undefined {
  if (!hasFiles) return undefined;
  try {
    const file = fileOf(source);
    return file === undefined || typeof file === "string" ? file : pathOfUrl(file);
  } catch {
    return undefined;
  }
}

function checkId(name: string, id: string | undefined): void {
  if (id === undefined || /^[0-9a-f]{40}$/i.test(id)) return;
  throw new DocteurError("InvalidArgument", `not the id of a ${name}: ${id}`, {
    hint: "an id is given whole: 40 hexadecimal digits",
  });
}

function compareIds(
  out: Examined,
  wanted: { commit?: string | undefined; tree?: string | undefined; where: string },
  findings: Findings,
): void {
  for (const name of ["commit", "tree"] as const) {
    const expected = wanted[name]?.toLowerCase();
    const actual = out[name];
    if (expected === undefined || actual === undefined || actual === expected) continue;
    const message = `the image's ${name} is ${actual}, not ${expected}${wanted.where}`;
    findings.add("error", "Mismatch", message, { oid: actual });
  }
}

/** Takes the progress of an examination. */
type Reporter = ((progress: PhaseProgress) => void) | undefined;

async function examine(
  source: ImageSource,
  options: VerifyOptions & { module: WasmModule },
  expected: Expected | undefined,
  { findings, ledger, out, packSha1 }: Pick<Course, "findings" | "ledger" | "out" | "packSha1">,
): Promise<void> {
  const blockSize = options.blockSize ?? BLOCK_SIZE;
  const memoryLimit = options.memoryLimit ?? MEMORY_LIMIT;
  const steps: PhaseProgress["phase"][] = options.quick ? ["hash"] : ["read", "hash", "resolve"];
  const { onProgress } = options;
  const device = await toDevice(source, { ...options, blockSize });
  const examineAt = async (path: string | undefined, from: BlockDevice, report: Reporter): Promise<void> => {
    out.figures.imageBytes = from.capacity;
    const reader = new ImageReader(new Engine(options.module, memoryLimit), from);
    out.reader = reader;
    const tables = createBudget(TABLES_FACTOR * memoryLimit);
    const course: Course = { reader, findings, ledger, out, tables, onProgress: report, packSha1 };
    if (options.quick) {
      await examineQuickly(course, expected);
      return;
    }
    const team = (packLen: number): Team | undefined => {
      const worth = Math.ceil(packLen / THREAD_LEN);
      const jobs = Math.min(options.jobs ?? Math.min(processors(), JOBS_MAX), worth);
      if (path === undefined || jobs < 2) return undefined;
      return startTeam(jobs - 1, { module: options.module, path, blockSize: from.blockSize, memoryLimit });
    };
    await examineFully(course, team, expected);
  };
  try {
    if (device.stats === undefined) {
      await examineAt(pathOf(source), device, onProgress && numberSteps(onProgress, steps));
      return;
    }
    const report = onProgress && numberSteps(onProgress, ["fetch", ...steps]);
    const total = device.capacity;
    const onFetched = (done: number): void => report?.({ phase: "fetch", done, total });
    await withCopy(device, onFetched, (copy, path, digest) => {
      if (digest !== undefined && digest !== device.digest)
        findings.add("error", "Mismatch", `the digest of the image is ${digest}, not ${device.digest}`);
      return examineAt(path, copy, report);
    });
  } finally {
    await device.close?.();
  }
}

/**
 * Verifies an image, and gives the commit as bytes, too.
 * @param packSha1 begins a hash of the PACK for callers that take objects, which are proven by themselves, and not the
 *   PACK's checksum: by default one that also looks for attacks on SHA-1, as the hashes of objects always do
 * @throws DocteurError if the options are wrong, or the repository to compare with cannot be used
 */
export async function verifyImage(
  source: ImageSource,
  options: VerifyOptions = {},
  packSha1?: () => Sha1,
): Promise<VerifiedImage> {
  checkOptions("verify", options, CHECKS);
  checkId("commit", options.commit);
  checkId("tree", options.tree);
  const expected = options.against === undefined ? undefined : await expectedOf(options.against);
  const findings = new Findings(options.maxFindings ?? MAX_FINDINGS);
  const out: Examined = {
    commit: undefined,
    tree: undefined,
    text: undefined,
    reader: undefined,
    figures: {},
  };
  const ledger = new Ledger(options.quick === true);
  // An error of loading the verifier says nothing about the image.
  const module = options.module ?? (await compileVerifier());
  await conclude({ findings, ledger }, () =>
    examine(source, { ...options, module }, expected, { findings, ledger, out, packSha1 }),
  );
  const { commit, tree } = options;
  compareIds(out, { commit, tree, where: "" }, findings);
  if (expected !== undefined) compareIds(out, { ...expected, where: ` as in ${options.against}` }, findings);
  const work = { made: out.reader?.engine.wasm.work() ?? 0, read: out.reader?.bytesRead ?? 0 };
  return { report: toReport(pathOf(source) ?? nameOf(source), options, findings, out), text: out.text, work };
}

function toReport(
  image: string | undefined,
  { quick }: VerifyOptions,
  findings: Findings,
  { commit, tree, text, figures }: Examined,
): Report {
  return {
    schema: SCHEMA,
    status: findings.status,
    checks: quick ? "quick" : "full",
    ...defined({
      image,
      commit,
      tree,
      author: text && personOf(text.author),
      committer: text && personOf(text.committer),
      message: text && decode(text.message ?? new Uint8Array(0)),
    }),
    ...inOrder(figures),
    findings: findings.list,
    truncated: findings.truncated,
  };
}

/** The figures of a report, in their order. */
const FIGURES = [
  ...(["objectCount", "deltaCount", "unreachableCount", "objects", "pathCounts"] as const),
  ...(["imageBytes", "packBytes", "idxBytes", "layoutBytes", "objectBytes", "contentBytes"] as const),
];

function inOrder(figures: ImageFigures): ImageFigures {
  return defined(Object.fromEntries(FIGURES.map((name) => [name, figures[name]])));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function personOf({ name, email, moment }: Ident): ReportPerson {
  return defined({
    name: decode(name),
    email: decode(email),
    date: moment && isoDate(dateOf(moment)),
    zone: moment && zoneOf(moment),
  });
}

/**
 * Verifies an image: checks the header and the PACK with its checksum; inflates every object and computes its id and
 * CRC-32 anew; compares the IDX, byte for byte, with the one that they make; checks the commit, and every tree and blob
 * that it leads to.
 * @param source as for `open`; it is closed in the end. Each byte of a remote image is fetched once, in order, into a
 *   temporary file
 * @returns all findings; an image that is damaged or cannot be read gives a report, not an exception
 * @throws DocteurError `InvalidArgument` if the options are wrong; `NoRepository`, `NoSuchRevision` and similar errors if
 *   `against` cannot be used
 */
export async function verify(source: ImageSource, options: VerifyOptions = {}): Promise<Report> {
  return (await verifyImage(source, options)).report;
}

/**
 * Verifies an image as `verify` does, and throws unless it is sound.
 * @throws DocteurError the first error of the report, with its offset, path and object where they are known
 */
export async function assertSound(source: ImageSource, options: VerifyOptions = {}): Promise<Report> {
  return soundReport(await verify(source, options));
}

/** @throws DocteurError the first error of the report */
export function soundReport(report: Report): Report {
  const error = reportError(report);
  if (error !== undefined) throw error;
  return report;
}
