/**
 * Extended headers of tar archives (POSIX.1-2017, pax, "pax Header Block"), read as GNU tar reads them (xheader.c,
 * `decode_record`): records of "LENGTH KEY=VALUE\n", where LENGTH counts the whole record.
 */

/**
 * The fields of an extended header, which override those of the member's own header. Byte strings ("latin1").
 */
export interface PaxRecords {
  path?: string;
  linkPath?: string;
  /** Bytes. */
  size?: number;
  /** Seconds since 1970, rounded down. */
  mtime?: number;
  /** Whether the member is a sparse file in one of GNU tar's ways. */
  isSparse?: boolean;
}

/** Stores one record. @returns whether its value is valid */
function takeRecord(records: PaxRecords, key: string, value: string): boolean {
  switch (key) {
    case "path":
      // GNU tar reads an empty value as a value. In POSIX it cancels the value of a global header.
      records.path = value;
      return true;
    case "linkpath":
      records.linkPath = value;
      return true;
    case "size":
      records.size = Number(value);
      return /^[0-9]+$/.test(value) && Number.isSafeInteger(records.size);
    case "mtime":
      records.mtime = Math.floor(Number(value));
      return /^-?[0-9]+(\.[0-9]*)?$/.test(value) && Number.isSafeInteger(records.mtime);
    default:
      if (key.startsWith("GNU.sparse.")) records.isSparse = true;
      return true;
  }
}

/** The head of a record: its length, then its key. Blanks may surround the length. */
const HEAD = /^[ \t]*([0-9]+)[ \t]+([^=\0]*)=/;
/** The most bytes of a head: keys are short. */
const HEAD_MAX = 1024;

/**
 * Reads an extended header. A zero byte where a record would begin ends it.
 * @returns `undefined` if it is damaged
 */
export function parsePax(content: Buffer): PaxRecords | undefined {
  const records: PaxRecords = {};
  for (let at = 0; at < content.length; ) {
    const start = content.toString("latin1", at, Math.min(content.length, at + HEAD_MAX));
    if (/^[ \t]*(?:\0|$)/.test(start)) break;
    const [head, digits, key] = HEAD.exec(start) ?? [];
    if (head === undefined) return undefined;
    const end = at + Number(digits);
    if (end > content.length || at + head.length >= end || content[end - 1] !== 0x0a) return undefined;
    if (!takeRecord(records, key!, content.toString("latin1", at + head.length, end - 1))) return undefined;
    at = end;
  }
  return records;
}
