/** The report of verifying an image. docs/VERIFY.md describes its form. */

import { DocteurError, type ErrorCode } from "../errors.js";
import { MESSAGES, STATUS_NAMES } from "../messages.js";
import { quotePath } from "../text/quoted-path.js";
import { MORE_MEMORY } from "./out-of-memory.js";
import type { ImageFigures } from "./tally.js";

/** The version of the report's form: raised when a field goes away or changes its meaning. */
export const SCHEMA = 2 as const;

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
  /** The path inside the image, with a slash in front. Bytes that are not UTF-8 show as U+FFFD. */
  path?: string;
  /** The path in git's double quotes, if it is not UTF-8. */
  quoted?: string;
  /** Absolute offset in the image, in bytes. */
  offset?: number;
  /** Advice for people. */
  hint?: string;
}

/** - `sound`: no error was found
 *  - `damaged`: the image is not sound
 *  - `mismatch`: no damage was found, but the image is not the one that was asked for
 *  - `unknown`: memory did not suffice to judge everything, and the judged parts showed no damage
 *  - `unreadable`: reading failed, and the parts that could be read showed no damage
 */
export type ReportStatus = "sound" | "damaged" | "mismatch" | "unknown" | "unreadable";

/** A commit's author or committer. Bytes that are not UTF-8 show as U+FFFD. */
export interface ReportPerson {
  /** At most 4,096 bytes, as is `email`. */
  name: string;
  email: string;
  /** UTC, ISO 8601, in whole seconds; absent if git reads no date. */
  date?: string;
  /** The date's offset from UTC, "+02:00"; absent if it has none, or ISO 8601 cannot write it. */
  zone?: string;
}

/** The result of verifying one image; all of it can be written as JSON. A field is absent if it is not known. */
export interface Report extends ImageFigures {
  schema: typeof SCHEMA;
  /** The image's path, or its URL without credentials and query. */
  image?: string;
  status: ReportStatus;
  checks: "full" | "quick";
  /** Ids of the commit and of its root tree, 40 hexadecimal digits. */
  commit?: string;
  tree?: string;
  author?: ReportPerson;
  committer?: ReportPerson;
  /** The commit's message, at most 1 MiB of it; empty if it has none. */
  message?: string;
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
export type Place = Pick<Finding, "oid" | "path" | "quoted" | "offset" | "hint">;

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

  /** Adds an error that was thrown. Its path is that of a file outside of the image. */
  addError({ code, message, oid, offset, hint }: DocteurError): void {
    this.add("error", code, message, { oid, offset, hint } as Place);
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
export function defined<T extends object>(object: T): Defined<T> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** A type whose fields are absent where they would be undefined. */
type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** The error for the report of an image that is not sound: its first error. */
export function reportError({ status, findings }: Report): DocteurError | undefined {
  if (status === "sound") return undefined;
  const found = findings.find(({ severity }) => severity === "error");
  // If no finding was kept, the status has to suffice.
  if (found === undefined) return new DocteurError(CODE_OF_STATUS[status], `the image is ${status}`);
  const { code, message, oid, path, quoted = path && quotePath(path), offset, hint } = found;
  return new DocteurError(code as ErrorCode, message, { oid, path: quoted, offset, hint });
}

const CODE_OF_STATUS: Record<Exclude<ReportStatus, "sound">, ErrorCode> = {
  damaged: "BadPack",
  mismatch: "Mismatch",
  unknown: "OutOfMemory",
  unreadable: "Io",
};
