/** The parts of a commit object that are checked and shown. */
import { type Ident, parseIdent } from "./ident.js";

/** A commit, decoded. Long texts are cut: a commit may be as large as memory. */
export interface CommitText {
  author: Ident;
  /** The author's line as it is stored, at most 8 KiB. */
  authorLine: Uint8Array;
  committer: Ident;
  /** At most 1 MiB; undefined if no blank line ends the header. */
  message: Uint8Array | undefined;
}

const LINE_FEED = 0x0a;
/** The most bytes of a message, and of a person's name and address, that are returned. */
const MESSAGE_MAX = 1 << 20;
const NAME_MAX = 1 << 12;
const LINE_MAX = 1 << 13;

const encoder = new TextEncoder();

/**
 * The value of the last header line with a name, as git reads it: the text after the name, up to the line's
 * end.
 */
function header(data: Uint8Array, end: number, name: string): Uint8Array {
  const prefix = encoder.encode(`${name} `);
  let value: Uint8Array = new Uint8Array(0);
  for (let line = 0; line < end; ) {
    const feed = data.indexOf(LINE_FEED, line);
    const lineEnd = feed < 0 || feed > end ? end : feed;
    if (prefix.every((byte, index) => data[line + index] === byte))
      value = data.subarray(line + prefix.length, lineEnd);
    line = lineEnd + 1;
  }
  return value;
}

/** The end of the header's lines. git stops at a NUL. */
function linesEnd(data: Uint8Array, end: number): number {
  const nul = data.subarray(0, end).indexOf(0);
  return nul < 0 ? end : nul;
}

/** The offset of the first empty line, which ends the header; the data's length if there is none. */
function headerEnd(data: Uint8Array): number {
  for (let at = 0; ; at++) {
    at = data.indexOf(LINE_FEED, at);
    if (at < 0) return data.length;
    if (data[at + 1] === LINE_FEED) return at + 1;
  }
}

/**
 * The id of a commit's tree, 40 digits: its first line, whose digits may be capitals, as in git; undefined if
 * the commit does not begin with such a line.
 */
export function treeOf(data: Uint8Array): string | undefined {
  const line = String.fromCharCode(...data.subarray(0, 46));
  return /^tree ([0-9a-fA-F]{40})\n$/.exec(line)?.[1]?.toLowerCase();
}

/** A shortened copy, which keeps no memory of the commit alive. */
function cut({ name, email, moment }: Ident): Ident {
  return { name: name.slice(0, NAME_MAX), email: email.slice(0, NAME_MAX), moment };
}

/**
 * Reads a commit object's people, dates and message.
 * @param data the object's content; the result does not refer to it
 */
export function parseCommit(data: Uint8Array): CommitText {
  const end = headerEnd(data);
  const lines = linesEnd(data, end);
  const author = header(data, lines, "author");
  return {
    author: cut(parseIdent(author)),
    authorLine: author.slice(0, LINE_MAX),
    committer: cut(parseIdent(header(data, lines, "committer"))),
    message: end < data.length ? data.slice(end + 1, end + 1 + MESSAGE_MAX) : undefined,
  };
}
