/** Checks the end of an image: what follows the IDX, and the layout section, which is made again and compared. */
import { DocteurError, STATUS } from "../errors.js";
import { OID } from "../git/entry.js";
import { hexOid, oidBytes } from "../git/oid.js";
import { aboutVersion, endOf } from "../layout/footer.js";
import { FOOTER, type Footer, PAGE, pageCrc } from "../layout/format.js";
import type { LayoutObjects } from "../layout/objects.js";
import { type Frame as LayoutFrame, writeSection } from "../layout/section.js";
import { SeekFinder } from "../layout/seek-points.js";
import type { Idx } from "../pack-table/idx.js";
import { compareBytes } from "./compare.js";
import { endOf as entryEnd, type Rows } from "./entry-table.js";
import type { Course, Frame } from "./frame.js";
import type { Proven } from "./proven.js";

/** The error for a section that is not the image's. */
function damaged({ findings }: Pick<Course, "findings">, why: string, offset: number): void {
  findings.add("error", "BadLayout", `the layout section is damaged: ${why} (at offset ${offset})`, {
    offset,
    hint: "docteur layout --add makes it again; the rest of the image can be read without it",
  });
}

/** Reports bytes other than zero that follow the IDX. Readers never look there, so they do no harm, but are odd. */
async function checkZeros({ reader, findings }: Course, start: number, end: number): Promise<void> {
  const found = await reader.firstNonZero(start, end);
  if (found < 0) return;
  const message = `something that is not zero follows the index (at offset ${found})`;
  findings.add("warning", "TrailingData", message, { offset: found });
}

/** The difference between a footer and the image around it. */
function whyForeign(footer: Footer, frame: Frame, idx: Idx, idxEnd: number): string | undefined {
  if (compareBytes(footer.commit, frame.commit) !== 0) return "it is that of another commit";
  if (compareBytes(footer.trailer, idx.packTrailer) !== 0) return "it is that of another PACK";
  return footer.bareSize < idxEnd ? "it begins within the index" : undefined;
}

/**
 * Looks for a section, and checks what can be told without the objects.
 * @returns the footer of a section that may be that of the image
 */
export async function checkEnd(course: Course, frame: Frame, idx: Idx): Promise<Footer | undefined> {
  const { reader, findings, ledger, out } = course;
  const { capacity } = reader;
  // The index that the objects give may lack some of them; this is where the one of the image ends.
  const start = frame.idxStart + out.figures.idxBytes!;
  const footerAt = capacity - FOOTER;
  const end = footerAt < start ? undefined : endOf(await reader.copy(footerAt, FOOTER), capacity);
  ledger.judged("rest");
  if (end?.state === "found") {
    const { footer } = end;
    const reason = whyForeign(footer, frame, idx, start);
    if (reason === undefined) {
      out.figures.layoutBytes = capacity - footer.bareSize;
      await checkZeros(course, start, footer.bareSize);
      return footer;
    }
    damaged(course, reason, footerAt);
  } else if (end?.state === "damaged") damaged(course, end.reason, footerAt);
  else if (end?.state === "unknown") {
    const { message, hint } = aboutVersion(end.version);
    findings.add("note", "UnknownLayout", `${message}: it was not checked`, { offset: footerAt, hint });
  } else {
    out.figures.layoutBytes = 0;
    await checkZeros(course, start, capacity);
  }
  ledger.judged("layout");
  return undefined;
}

/** Checks the pages of a section by their checksums alone. */
export async function checkPages(course: Course, footer: Footer): Promise<void> {
  const { reader, ledger } = course;
  const { bareSize, firstPage, pageSize, pages, trailer } = footer;
  ledger.judged("layout");
  const found = await reader.firstNonZero(bareSize, firstPage);
  if (found >= 0) damaged(course, "something that is not zero is before its pages", found);
  for (let number = 0; number < pages; number++) {
    const at = firstPage + number * pageSize;
    const page = await reader.copy(at, pageSize);
    const expected = new DataView(page.buffer, page.byteOffset).getUint32(PAGE.crc, true);
    if (pageCrc(page, number, trailer) === expected) continue;
    damaged(course, `page ${number} does not match its checksum`, at);
    return;
  }
}

/** Ends the making of a section that already differs. */
class Differs extends Error {}

/** Compares the bytes of a section with those of the image, in their order. */
class Comparison {
  readonly #course: Course;
  readonly #footer: Footer;
  #at: number;

  constructor(course: Course, footer: Footer) {
    this.#course = course;
    this.#footer = footer;
    this.#at = footer.bareSize;
  }

  get isComplete(): boolean {
    return this.#at === this.#course.reader.capacity;
  }

  async append(bytes: Uint8Array): Promise<void> {
    const { reader } = this.#course;
    const at = this.#at;
    const length = Math.min(bytes.length, reader.capacity - at);
    const actual = await reader.copy(at, length);
    if (length === bytes.length && compareBytes(actual, bytes) === 0) {
      this.#at += length;
      return;
    }
    const byte = actual.findIndex((each, index) => each !== bytes[index]);
    this.#tell(at + (byte < 0 ? length : byte));
    throw new Differs();
  }

  #tell(at: number): void {
    const { firstPage, pageSize, pages } = this.#footer;
    const page = Math.floor((at - firstPage) / pageSize);
    const part = page < 0 ? "what is before its pages" : page < pages ? `page ${page}` : "its footer";
    damaged(this.#course, `${part} is not as the objects give it`, at);
  }
}

/** Finds the seek points of blobs that are stored whole, and proven: their entries are sound. */
function pointsOf({ reader }: Course, rows: Rows): LayoutObjects["seekPoints"] {
  let finder: SeekFinder | undefined;
  return async (row) => {
    finder ??= await SeekFinder.create();
    return finder.findInEntry(
      (at, length) => reader.copy(at, length),
      rows.offsets[row]!,
      entryEnd(rows, row),
    );
  };
}

/**
 * Makes the section again from the proven objects, and compares it byte by byte. The work ends with the first difference,
 * and so with the section that is there, whatever the number of paths.
 */
export async function compareLayout(
  course: Course,
  frame: Frame,
  { rows, index, rowOfRank, resolver }: Proven,
  footer: Footer,
): Promise<void> {
  const { ledger, out } = course;
  ledger.judged("layout");
  const ranks = new Uint32Array(rows.count);
  for (let rank = 0; rank < rows.count; rank++) ranks[rowOfRank[rank]!] = rank;
  const rowOf = (oid: string): number => rowOfRank[index.rankOf(oidBytes(oid))]!;
  const around: LayoutFrame = {
    commit: frame.commit,
    commitRow: rowOf(out.commit!),
    rootRow: rowOf(out.tree!),
    trailer: index.packTrailer,
    packSize: out.figures.packBytes!,
    idxStart: frame.idxStart,
    bareSize: footer.bareSize,
  };
  const comparison = new Comparison(course, footer);
  const { offsets, end, bases, types, sizes } = rows;
  const objects = {
    idx: index,
    ranks,
    rowOfRank,
    offsets,
    end,
    bases,
    types,
    sizes,
    seekPoints: pointsOf(course, rows),
    tree: async (row: number): Promise<Uint8Array> => {
      const content = await resolver.content(row);
      if (content !== undefined) return content;
      throw new DocteurError(
        "OutOfMemory",
        `a tree cannot be read again, as memory is short: ${hexOid(rows.oids.subarray(row * OID))}`,
      );
    },
  };
  try {
    await writeSection(
      objects,
      around,
      (bytes) => comparison.append(bytes),
      ({ paths }) => {
        if (paths === footer.paths) return;
        damaged(course, `it has ${footer.paths} paths, not ${paths}`, course.reader.capacity - FOOTER);
        throw new Differs();
      },
    );
    if (!comparison.isComplete) damaged(course, "it is longer than the objects make it", footer.bareSize);
  } catch (error) {
    if (error instanceof Differs) return;
    if (!(error instanceof DocteurError)) throw error;
    if (error.code === "OutOfMemory") course.findings.addStatus(STATUS.OutOfMemory);
    else damaged(course, `the image cannot have one: ${error.message}`, footer.bareSize);
  }
}
