/**
 * Members of a tar archive: headers of POSIX's ustar format, with extended headers of the pax format (POSIX.1-2017,
 * pax) for what does not fit. Owners are 0, as in archives of git's.
 */

const BLOCK = 512;
/** GNU tar and others write whole records of 20 blocks. */
const RECORD = 20 * BLOCK;
const NAME_LEN = 100;
const PREFIX_LEN = 155;
/** The largest number that 11 octal digits hold. */
const OCTAL_MAX = 8 ** 11 - 1;

/** Kinds of members, by their type flag. */
const TYPE = {
  file: "0",
  executable: "0",
  symlink: "2",
  directory: "5",
  extended: "x",
  global: "g",
} as const;

/** A member. Strings are byte strings ("latin1"). */
export interface Member {
  kind: "file" | "executable" | "symlink" | "directory";
  /** The path, a directory's with a slash at its end. */
  path: string;
  /** Bytes of content, which follow the header and are padded. */
  size: number;
  /** Of a symbolic link. */
  target?: string;
  /** Seconds since 1970. */
  seconds: number;
}

/** A path's two parts, where it fits: it is `prefix/name`. */
function splitName(path: string): { prefix: string; name: string } | undefined {
  if (path.length <= NAME_LEN) return { prefix: "", name: path };
  const slash = path.indexOf("/", path.length - NAME_LEN - 1);
  if (slash < 0 || slash > PREFIX_LEN || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

function header(
  type: string,
  { prefix, name }: { prefix: string; name: string },
  mode: number,
  size: number,
  seconds: number,
  target = "",
): Buffer {
  const block = Buffer.alloc(BLOCK);
  const text = (value: string, at: number): void => void block.write(value, at, "latin1");
  const octal = (value: number, at: number, digits: number): void =>
    text(value.toString(8).padStart(digits, "0"), at);
  text(name, 0);
  octal(mode, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(seconds, 136, 11);
  text("        ", 148);
  text(type, 156);
  text(target, 157);
  text("ustar\x0000root", 257);
  text("root", 297);
  octal(0, 329, 7);
  octal(0, 337, 7);
  text(prefix, 345);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}

/** A record of an extended header: its length counts itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (length !== rest.length + String(length).length) length = rest.length + String(length).length;
  return length + rest;
}

function extended(type: string, name: string, records: string, seconds: number): Buffer {
  const head = header(type, { prefix: "", name }, 0o644, records.length, seconds);
  return Buffer.concat([head, Buffer.from(records, "latin1"), padding(records.length)]);
}

/** The zeros after so many bytes of content. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What an archive begins with: the commit's id, as `git get-tar-commit-id` reads it. */
export function tarStart(commit: string, seconds: number): Buffer {
  return extended(TYPE.global, "pax_global_header", record("comment", commit), octalTime(seconds));
}

/** What an archive ends with. @param length of all before */
export function tarEnd(length: number): Buffer {
  const size = length + 2 * BLOCK;
  return Buffer.alloc(2 * BLOCK + ((RECORD - (size % RECORD)) % RECORD));
}

function octalTime(seconds: number): number {
  return Math.min(Math.max(seconds, 0), OCTAL_MAX);
}

/** Whether bytes are UTF-8, which the values of extended headers should be. */
function isUtf8(bytes: string): boolean {
  const buffer = Buffer.from(bytes, "latin1");
  return buffer.equals(Buffer.from(buffer.toString("utf8")));
}

/** The header of a member, and the extended header in front of it if it needs one. */
export function tarHeader({ kind, path, size, target = "", seconds }: Member): Buffer {
  const split = splitName(path);
  let records = "";
  if (split === undefined) records += record("path", path);
  if (target.length > NAME_LEN) records += record("linkpath", target);
  if (size > OCTAL_MAX) records += record("size", String(size));
  if (octalTime(seconds) !== seconds) records += record("mtime", String(seconds));
  if (records !== "" && !isUtf8(records)) records = record("hdrcharset", "BINARY") + records;
  const mode = kind === "file" ? 0o644 : kind === "symlink" ? 0o777 : 0o755;
  const head = header(
    TYPE[kind],
    split ?? { prefix: "", name: path.slice(0, NAME_LEN) },
    mode,
    Math.min(size, OCTAL_MAX),
    octalTime(seconds),
    target.slice(0, NAME_LEN),
  );
  if (records === "") return head;
  return Buffer.concat([extended(TYPE.extended, "pax_header", records, octalTime(seconds)), head]);
}
