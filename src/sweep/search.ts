/** Lines that a search finds in a file, with the lines around them. */
import { isBinary, type Pattern } from "./pattern.js";

/** What is wanted of each file. */
export interface SearchSpec {
  /** Lines that do not match. */
  invert: boolean;
  /** The most lines that are found in a file. */
  maxCount: number;
  /** Lines before and after each that is found. */
  before: number;
  after: number;
  /** Take every file for text. */
  text: boolean;
  /** `any`: whether a line is found; `count`: how many; `lines`: these lines. */
  want: "any" | "count" | "lines";
}

/** What was found in a file. */
export interface Found {
  /** Lines that were found. */
  count: number;
  /** Lines of a binary file are not told. */
  isBinary: boolean;
  /** Three numbers for each line: its number from 1 on, one of `LINE`, and the length of its bytes. */
  lines: number[];
  /** The lines' bytes, one after another, without line feeds. */
  bytes: Uint8Array;
  /** Whether there was no room to keep the lines. */
  isDropped?: boolean;
}

/** Kinds of lines: found; around one that is; around one, after a gap. A found line after a gap is the sum. */
export const LINE = { found: 0, around: 1, gap: 2 } as const;

const LINE_FEED = 10;
const NOTHING = new Uint8Array(0);

/** Searches one file, which comes whole or in pieces of whole lines. */
export class Search {
  readonly takesLines = true;
  readonly #pattern: Pattern;
  readonly #spec: SearchSpec;
  #isBinary = false;
  #isFirst = true;
  #count = 0;
  #lines: number[] = [];
  #parts: Uint8Array[] = [];
  #hasTold = false;
  /** The piece, and its first line that is not told. */
  #piece: Buffer = Buffer.alloc(0);
  #untold = 0;
  /** The number of the line at a place of the piece. */
  #number = 1;
  #numbered = 0;
  /** The last lines of the piece before, as far as a line of this piece may be told with them. */
  #tail: Uint8Array = NOTHING;
  /** Whether lines between the last one told and `#tail` are not there any more. */
  #hasLost = false;
  #afterLeft = 0;
  #hasGap = false;
  /** The match that bounds the lines without one. */
  #bound = -1;
  #boundEnd = -1;

  constructor(pattern: Pattern, spec: SearchSpec) {
    this.#pattern = pattern;
    this.#spec = spec;
  }

  /** Whether nothing more of the file is needed. */
  get isDone(): boolean {
    const { maxCount, want } = this.#spec;
    if (this.#count > 0 && (want === "any" || (want === "lines" && this.#isBinary))) return true;
    return this.#count >= maxCount && this.#afterLeft === 0;
  }

  /** Searches a piece: whole lines. Only the file's last one may lack its line feed. */
  add(piece: Buffer): void {
    const { text, maxCount, want, after } = this.#spec;
    if (this.#isFirst) this.#isBinary = !text && isBinary(piece);
    this.#isFirst = false;
    const searched = this.#tail.length;
    const bytes = searched === 0 ? piece : Buffer.concat([this.#tail, piece]);
    this.#piece = bytes;
    this.#untold = 0;
    this.#numbered = 0;
    this.#bound = -1;
    this.#pattern.begin(bytes);
    const tellsLines = want === "lines" && !this.#isBinary;
    for (let at = searched; at < bytes.length && this.#count < maxCount; ) {
      const start = this.#next(at);
      if (start < 0) break;
      this.#count++;
      if (!tellsLines && this.isDone) return;
      const end = this.#lineEnd(start);
      if (tellsLines) {
        this.#tellAfter(start);
        this.#tellBefore(start);
        this.#tell(start, end, LINE.found);
        this.#afterLeft = after;
      }
      at = end + 1;
    }
    if (!tellsLines) return;
    this.#tellAfter(bytes.length);
    this.#keepTail();
  }

  /** All that was found; of lines those since the last call. Undefined if nothing was found. */
  finish(): Found | undefined {
    if (this.#count === 0) return undefined;
    const lines = this.#lines;
    const bytes = this.#parts.length === 0 ? NOTHING : Buffer.concat(this.#parts);
    this.#lines = [];
    this.#parts = [];
    return { count: this.#count, isBinary: this.#isBinary, lines, bytes };
  }

  #lineEnd(start: number): number {
    const end = this.#piece.indexOf(LINE_FEED, start);
    return end < 0 ? this.#piece.length : end;
  }

  /** The next line that is found, from a line's start on; -1 for none. */
  #next(from: number): number {
    if (!this.#spec.invert) return this.#pattern.next(from) ? this.#pattern.start : -1;
    for (let at = from; at < this.#piece.length; at = this.#boundEnd + 1) {
      if (this.#bound < at) {
        const isThere = this.#pattern.next(at);
        this.#bound = isThere ? this.#pattern.start : this.#piece.length;
        this.#boundEnd = isThere ? this.#pattern.end : this.#piece.length;
      }
      if (at < this.#bound) return at;
    }
    return -1;
  }

  /** The number of the line that begins at a place, which is not before the last one asked for. */
  #numberAt(start: number): number {
    for (let at = this.#numbered; at < start; this.#number++) {
      const feed = this.#piece.indexOf(LINE_FEED, at);
      if (feed < 0 || feed >= start) break;
      at = feed + 1;
      this.#numbered = at;
    }
    return this.#number;
  }

  #tell(start: number, end: number, kind: number): void {
    this.#lines.push(this.#numberAt(start), kind + (this.#hasGap ? LINE.gap : 0), end - start);
    this.#hasGap = false;
    this.#hasTold = true;
    // A copy: the piece may lie in memory that is used again.
    this.#parts.push(Uint8Array.prototype.slice.call(this.#piece, start, end));
    this.#untold = end + 1;
  }

  /** Tells lines after the last one that was found, up to a place. */
  #tellAfter(until: number): void {
    while (this.#afterLeft > 0 && this.#untold < until) {
      this.#tell(this.#untold, this.#lineEnd(this.#untold), LINE.around);
      this.#afterLeft--;
    }
  }

  /** Tells lines before one that was found. */
  #tellBefore(start: number): void {
    const { before, after } = this.#spec;
    const starts: number[] = [];
    let first = start;
    while (starts.length < before && first > this.#untold) {
      first = this.#lineBefore(first);
      starts.unshift(first);
    }
    const isNext = first === this.#untold && !(this.#untold === 0 && this.#hasLost);
    this.#hasGap = (before > 0 || after > 0) && this.#hasTold && !isNext;
    for (const at of starts) this.#tell(at, this.#lineEnd(at), LINE.around);
  }

  /** The start of the line before one. */
  #lineBefore(start: number): number {
    return start === 1 ? 0 : this.#piece.lastIndexOf(LINE_FEED, start - 2) + 1;
  }

  /** Keeps the piece's last lines that were not told: the next piece may tell them. */
  #keepTail(): void {
    const { length } = this.#piece;
    let first = length;
    for (let left = this.#spec.before; left > 0 && first > this.#untold; left--)
      first = this.#lineBefore(first);
    this.#hasLost = first > this.#untold || (this.#untold === 0 && this.#hasLost);
    this.#numberAt(first);
    this.#tail = Uint8Array.prototype.slice.call(this.#piece, first, length);
  }
}
