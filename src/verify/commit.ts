/** The parts of a commit object that `verify` shows. */

/** A commit, decoded. */
export interface CommitText {
  /** As bytes of UTF-8 mostly, which git does not enforce. */
  authorName: Uint8Array;
  authorEmail: Uint8Array;
  /** Undefined where the commit has none: no blank line ends its header. */
  message: Uint8Array | undefined;
}

const LINE_FEED = 0x0a;

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

/**
 * Reads a commit object's author and message.
 * @param data the object's content
 */
export function parseCommit(data: Uint8Array): CommitText {
  const end = headerEnd(data);
  const author = header(data, end, "author") ?? new Uint8Array(0);
  const open = author.indexOf(0x3c);
  const close = author.lastIndexOf(0x3e);
  const name = open < 0 ? author : author.subarray(0, author[open - 1] === 0x20 ? open - 1 : open);
  return {
    authorName: name,
    authorEmail: open >= 0 && close > open ? author.subarray(open + 1, close) : new Uint8Array(0),
    message: end < data.length ? data.subarray(end + 1) : undefined,
  };
}
