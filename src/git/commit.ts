/** The parts of a commit object that `verify` checks and shows. */

/** A commit, decoded. */
export interface CommitText {
  /** As bytes of UTF-8 mostly, which git does not enforce. */
  authorName: Uint8Array;
  authorEmail: Uint8Array;
  /** Undefined where the commit has none: no blank line ends its header. */
  message: Uint8Array | undefined;
  /** The committer's date, ISO 8601; undefined where it has none that can be read. */
  date: string | undefined;
}

const LINE_FEED = 0x0a;
/** Bytes of a message, and of an author's name and address, that are told at most: a commit may be as large as memory. */
const MESSAGE_MAX = 1 << 20;
const NAME_MAX = 1 << 12;

/** The value of a header line: what follows its name, up to the line's end. */
function header(data: Uint8Array, end: number, name: string): Uint8Array | undefined {
  const prefix = new TextEncoder().encode(`${name} `);
  for (let line = 0; line < end; ) {
    const feed = data.indexOf(LINE_FEED, line);
    const lineEnd = feed < 0 || feed > end ? end : feed;
    if (prefix.every((byte, index) => data[line + index] === byte))
      return data.subarray(line + prefix.length, lineEnd);
    line = lineEnd + 1;
  }
  return undefined;
}

/** The first offset of an empty line, which ends the header; the data's length where there is none. */
function headerEnd(data: Uint8Array): number {
  for (let at = 0; ; at++) {
    at = data.indexOf(LINE_FEED, at);
    if (at < 0) return data.length;
    if (data[at + 1] === LINE_FEED) return at + 1;
  }
}

/** The id of a commit's tree, 40 digits: its first line; undefined where that is no such line. */
export function treeOf(data: Uint8Array): string | undefined {
  const line = String.fromCharCode(...data.subarray(0, 46));
  return /^tree ([0-9a-f]{40})\n$/.exec(line)?.[1];
}

/** The date at the end of a line "committer NAME <EMAIL> SECONDS ZONE", with its offset from UTC. */
function dateOf(line: Uint8Array): string | undefined {
  const text = String.fromCharCode(...line.subarray(-40));
  const [, seconds, sign, hours, minutes] = / (-?[0-9]{1,12}) ([+-])([0-9]{2})([0-9]{2})$/.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  const offset = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -1 : 1);
  const date = new Date((Number(seconds) + offset * 60) * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  return `${date.toISOString().slice(0, -5)}${offset === 0 ? "Z" : `${sign}${hours}:${minutes}`}`;
}

/**
 * Reads a commit object's author, date and message.
 * @param data the object's content
 */
export function parseCommit(data: Uint8Array): CommitText {
  const end = headerEnd(data);
  const author = header(data, end, "author") ?? new Uint8Array(0);
  const open = author.indexOf(0x3c);
  const close = author.lastIndexOf(0x3e);
  const name = open < 0 ? author : author.subarray(0, author[open - 1] === 0x20 ? open - 1 : open);
  return {
    authorName: name.subarray(0, NAME_MAX),
    authorEmail:
      open >= 0 && close > open
        ? author.subarray(open + 1, Math.min(close, open + 1 + NAME_MAX))
        : new Uint8Array(0),
    message: end < data.length ? data.subarray(end + 1, end + 1 + MESSAGE_MAX) : undefined,
    date: dateOf(header(data, end, "committer") ?? new Uint8Array(0)),
  };
}
