/**
 * The account that a verdict rests on: how much of an image had to be judged, and how much was. The two counts come from
 * different places, for example the header and the loop that compares ids. An image is sound only if they are equal
 * in every part, so a part that was passed over, for want of memory or by mistake, can never make an image sound.
 */
import { MORE_MEMORY } from "./out-of-memory.js";
import type { Findings } from "./report.js";

/** The parts of an account, and what they count. */
export const PARTS = {
  /** The image's frame: its header, PACK and IDX. */
  frame: "the header",
  /** The PACK's checksum, and the bytes between PACK and IDX. */
  pack: "the PACK's checksum",
  /** The IDX, byte for byte; with `quick`, in itself. */
  index: "the index (IDX)",
  /** The bytes behind the IDX. */
  rest: "what follows the index",
  /** The layout section, made again; with `quick`, its pages in themselves. */
  layout: "the layout section",
  /** Objects: inflated, hashed, and compared with the IDX. */
  objects: "objects",
  /** Trees that were read for entries. */
  trees: "trees",
  /** Bytes of these trees, in which every name is checked. */
  "tree bytes": "bytes of trees",
  /** Trees that the commit leads to. */
  "reached trees": "trees that the commit leads to",
  /** Entries of these trees, each followed to its object. */
  edges: "entries of these trees",
  /** Trees with a defect, and entries without the object that they name. Each weighs in the verdict. */
  flaws: "defects",
  /** The commit: there, and well-formed. */
  commit: "the commit",
  /** The tree that the commit names: there, and a tree. */
  root: "the commit's tree",
} as const;

/** A part of an account. */
export type Part = keyof typeof PARTS;

/** Parts that an image has once. */
const SINGLE: readonly Part[] = ["frame", "pack", "index", "rest", "layout", "commit", "root"];
const QUICK: readonly Part[] = SINGLE;

/** The account of one image. */
export class Ledger {
  readonly #due = new Map<Part, number>();
  readonly #done = new Map<Part, number>();
  readonly #parts: readonly Part[];

  /** @param quick whether objects are left alone, but for the commit */
  constructor(quick: boolean) {
    this.#parts = quick ? QUICK : (Object.keys(PARTS) as Part[]);
    for (const part of SINGLE) this.#due.set(part, 1);
  }

  /** Notes how much of a part must be judged, in all. */
  owe(part: Part, count: number): void {
    this.#due.set(part, (this.#due.get(part) ?? 0) + count);
  }

  /** Notes that more of a part was judged. */
  judged(part: Part, count = 1): void {
    this.#done.set(part, (this.#done.get(part) ?? 0) + count);
  }

  /** Whether as much of a part was judged as had to be. A part that was never counted is not settled. */
  isSettled(part: Part): boolean {
    return this.#due.get(part) === (this.#done.get(part) ?? 0);
  }

  /**
   * Closes the account. If no error was found but not everything was judged, it adds that as a finding.
   * @param findings all that was found
   */
  close(findings: Findings): void {
    if (findings.hasErrors) return;
    const open = this.#parts.filter((part) => !this.isSettled(part));
    if (open.length === 0) return;
    const parts = open.map((part) => this.#describe(part)).join("; ");
    findings.add("error", "OutOfMemory", `the image could not be judged as a whole: ${parts}`, {
      hint: MORE_MEMORY,
    });
  }

  #describe(part: Part): string {
    const due = this.#due.get(part);
    if (SINGLE.includes(part) || due === undefined) return `${PARTS[part]} not judged`;
    return `${this.#done.get(part) ?? 0} of ${due} ${PARTS[part]} judged`;
  }
}
