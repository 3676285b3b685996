/** The report of verifying an image. docs/VERIFY.md describes its form. */

import { DocteurError, type ErrorCode } from "../errors.js";
import { MESSAGES, STATUS_NAMES } from "../messages.js";
import { MORE_MEMORY } from "./out-of-memory.js";

/** The version of the report's form: raised when a field goes away or changes its meaning. */
export const SCHEMA = 1;

/** The meaning of a finding: the image is not sound; it is sound but worth a look; a note only. */
export type Severity = "error" | "warning" | "note";

/** Codes of findings that are not codes of the library's errors. */
export type FindingCode =
  | ErrorCode
  /** Something that is not zero follows the IDX. */
  | "TrailingData"
  /** The layout section has an unknown version. */
  | "UnknownLayout"
  /** A tree's entry has a mode that git understands and does not write. */
  | "OddMode"
  /** A tree's entry has the name of one of git's settings, and is a symbolic link. */
  | "OddName"
  /** A tree's entry has an id of zeros. */
  | "NullId"
  /** Objects that the commit does not lead to. */
  | "Unreachable"
  /** Parts that could not be checked, because something before them is damaged. */
  | "Unchecked";

/** One thing that was found. */
export interface Finding {
  severity: Severity;
  code: FindingCode;
  /** One line for people. */
  message: string;
  /** The git object, 40 hexadecimal digits. */
  oid?: string;
  /** The path inside the image. */
  path?: string;
  /** Absolute offset in the image, in bytes. */
  offset?: number;
  /** Advice for people. */
  hint?: string;
}

/** A count of paths or of their bytes: exact up to 2^53 - 1, which trees that hold others many times over can exceed. */
export type PathCount = number | typeof BEYOND | null;

/** The text for a count that JSON's readers could not take as a number. */
export const BEYOND = "2^53 or more";

/** Counts of each kind; `null` if not counted. */
export interface Counts {
  /** Objects in the PACK, by kind, and the number of those that are stored as deltas. */
  objects: number | null;
  commits: number | null;
  trees: number | null;
  blobs: number | null;
  tags: number | null;
  deltas: number | null;
  /** Paths that the commit leads to; executables are not among the files. */
  directories: PathCount;
  files: PathCount;
  executables: PathCount;
  symlinks: PathCount;
  submodules: PathCount;
  /** Objects that the commit does not lead to. */
  unreachable: number | null;
}

/** Sizes in bytes; `null` if not known. */
export interface Sizes {
  image: number | null;
  /** The PACK and the IDX, with their trailers. */
  pack: number | null;
  idx: number | null;
  /** The layout section; `null` also if there is none. */
  layout: number | null;
  /** The content of all objects. */
  objects: number | null;
  /** The content of all files and executables, path by path: the size of an extracted tree. */
  files: PathCount;
}

/** - `sound`: no error was found
 *  - `damaged`: the image is not sound
 *  - `mismatch`: no damage was found, but the image is not the one that was asked for
 *  - `unknown`: memory did not suffice to judge everything, and the judged parts showed no damage
 *  - `unreadable`: reading failed, and the parts that could be read showed no damage
 */
export type ReportStatus = "sound" | "damaged" | "mismatch" | "unknown" | "unreadable";

/** The result of verifying one image; all of it can be written as JSON. */
export interface Report {
  schema: typeof SCHEMA;
  /** The image's path, or `null` if it has none. */
  image: string | null;
  status: ReportStatus;
  depth: "full" | "quick";
  /** Ids of the commit and of its root tree, 40 hexadecimal digits. */
  commit: string | null;
  tree: string | null;
  author: { name: string; email: string } | null;
  /** The committer's date, ISO 8601 with its own offset from UTC. */
  date: string | null;
  /** The commit's message. */
  message: string | null;
  counts: Counts;
  sizes: Sizes;
  findings: Finding[];
  /** Whether there were more findings than `maxFindings`. */
  truncated: boolean;
}

/** Codes that say nothing about the image: a lack of memory, the limit of work, and failed reads. */
const UNKNOWN = new Set<FindingCode>(["OutOfMemory", "WorkLimit"]);
const UNREADABLE = new Set<FindingCode>([
  ...(["Io", "DeviceFailed", "InvalidArgument", "BadSource"] as const),
  ...(["Network", "AccessDenied", "ImageChanged"] as const),
]);

/** The place of a finding. */
export type Place = Pick<Finding, "oid" | "path" | "offset" | "hint">;

/** The findings on their way into a report. The first `max` are kept, errors before the rest. */
export class Findings {
  readonly #max: number;
  readonly #kept: Finding[] = [];
  readonly #codes = new Set<FindingCode>();
  #dropped = 0;

  /** Findings that are looked at for their number alone. */
  static none(): Findings {
    return new Findings(0);
  }

  /** @param max the most findings that are kept */
  constructor(max: number) {
    this.#max = max;
  }

  add(severity: Severity, code: FindingCode, message: string, place: Place = {}): void {
    this.weigh(severity, code);
    const finding: Finding = { severity, code, message, ...defined(place) };
    if (this.#kept.length < this.#max) {
      this.#kept.push(finding);
      return;
    }
    this.#dropped++;
    if (severity !== "error") return;
    // Other findings make room for errors.
    const other = this.#kept.findLastIndex(({ severity: kept }) => kept !== "error");
    if (other < 0) return;
    this.#kept.splice(other, 1);
    this.#kept.push(finding);
  }

  /** The number of kept findings. */
  get max(): number {
    return this.#max;
  }

  /** Whether another of that severity would be kept. */
  takes(severity: Severity): boolean {
    return (
      this.#kept.length < this.#max ||
      (severity === "error" && this.#kept.some(({ severity: kept }) => kept !== "error"))
    );
  }

  /** Lets a finding weigh in the verdict before it is told: telling it may take memory that is not there. */
  weigh(severity: Severity, code: FindingCode): void {
    if (severity === "error") this.#codes.add(code);
  }

  /** Counts a finding that is not kept. */
  drop(severity: Severity, code: FindingCode): void {
    this.weigh(severity, code);
    this.#dropped++;
  }

  /** Adds the finding that a status of the core or the verifier stands for. */
  addStatus(status: number, place: Place = {}): void {
    const code = STATUS_NAMES.get(status) ?? "InvalidArgument";
    const where = place.offset === undefined ? "" : ` (at offset ${place.offset})`;
    const object = code === "MissingObject" && place.oid !== undefined ? `: ${place.oid}` : "";
    const more = UNKNOWN.has(code) ? { hint: MORE_MEMORY } : {};
    this.add("error", code, `${MESSAGES[code].replace("%", "the path")}${object}${where}`, {
      ...place,
      ...more,
    });
  }

  /** Adds an error that was thrown. */
  addError({ code, message, oid, path, offset, hint }: DocteurError): void {
    this.add("error", code, message, { oid, path, offset, hint } as Place);
  }

  /** Whether an error is among them. */
  get hasErrors(): boolean {
    return this.#codes.size > 0;
  }

  get list(): Finding[] {
    return this.#kept;
  }

  get truncated(): boolean {
    return this.#dropped > 0;
  }

  get status(): ReportStatus {
    if (this.#codes.size === 0) return "sound";
    const judged = [...this.#codes].filter((code) => !UNKNOWN.has(code));
    if (judged.length === 0) return "unknown";
    const codes = judged.filter((code) => !UNREADABLE.has(code));
    if (codes.length === 0) return "unreadable";
    return codes.every((code) => code === "Mismatch") ? "mismatch" : "damaged";
  }
}

/** An object without the fields that are undefined. */
function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** Nothing counted. */
export function noCounts(): Counts {
  return {
    objects: null,
    commits: null,
    trees: null,
    blobs: null,
    tags: null,
    deltas: null,
    directories: null,
    files: null,
    executables: null,
    symlinks: null,
    submodules: null,
    unreachable: null,
  };
}

/** The error for the report of an image that is not sound: its first error. */
export function reportError({ status, findings }: Report): DocteurError | undefined {
  if (status === "sound") return undefined;
  const found = findings.find(({ severity }) => severity === "error");
  // If no finding was kept, the status has to suffice.
  if (found === undefined) return new DocteurError(CODE_OF_STATUS[status], `the image is ${status}`);
  const { code, message, ...place } = found;
  return new DocteurError(code as ErrorCode, message, place);
}

const CODE_OF_STATUS: Record<Exclude<ReportStatus, "sound">, ErrorCode> = {
  damaged: "BadPack",
  mismatch: "Mismatch",
  unknown: "OutOfMemory",
  unreadable: "Io",
};
