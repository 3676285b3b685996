/** Random calls of `fs`, and their outcomes in a form that two file systems can be compared by. */
import type * as NodeFs from "node:fs";
import { pathToFileURL } from "node:url";
import type { Random } from "./random.js";

/** Any `fs`: Node's, or an image's. */
export type AnyFs = typeof NodeFs;

/** The forms of a call. */
export const FORMS = ["sync", "promise", "callback"] as const;
export type Form = (typeof FORMS)[number];

/** A call of one path. */
export interface PathCall {
  name: string;
  path: Buffer;
  /** How the path is given. */
  as: "string" | "buffer" | "url";
  options: readonly unknown[];
  form: Form;
}

const ENCODINGS = [undefined, "utf8", "latin1", "hex", "base64", "base64url", "utf16le", "ascii", "buffer"];
const FLAGS = [undefined, "r", "rs", 0, 0o400000, 0o200000];

/** A call. */
export function randomCall(path: Buffer, random: Random, forms: readonly Form[] = FORMS): PathCall {
  const pick = <T>(values: readonly T[]): T => values[random(values.length)]!;
  const encoding = pick(ENCODINGS);
  const text = encoding === "buffer" ? undefined : encoding;
  const choices: [string, readonly unknown[]][] = [
    ["access", [pick([undefined, 0, 1, 4, 5])]],
    ["exists", []],
    ["stat", [pick([undefined, { bigint: true }])]],
    ["lstat", [pick([undefined, { bigint: true }])]],
    ["stat or nothing", [{ throwIfNoEntry: false }]],
    ["readlink", [pick([encoding, { encoding }])]],
    // Other encodings would hide the root, which the two have not in common.
    ["realpath", [pick<unknown>([undefined, "buffer", { encoding: "utf8" }])]],
    ["realpath.native", [pick([undefined, "buffer"])]],
    ["readFile", [pick<unknown>([text, { encoding: text }, { encoding: text, flag: pick(FLAGS) }])]],
    ["readdir", [pick([encoding, { encoding }, { encoding, withFileTypes: true }])]],
    ["readdir recursive", [{ recursive: true, withFileTypes: true }]],
    ["opendir", [pick([undefined, { bufferSize: 1000, encoding: pick(["utf8", "latin1"]) }])]],
    ["readStream", [{ start: pick([undefined, 0, 3, 70_000]), end: pick([undefined, 5, 100_000]) }]],
    ["open", [pick([undefined, "r", 0])]],
  ];
  const [name, options] = pick(choices);
  // Node fails to list what is below a path in bytes, and below links with `..` behind them.
  const isDeep = name === "readdir recursive";
  const hasDots = path.includes("..");
  // In URLs, `..` is gone before anything is looked up. The errors of Node 20's `opendirSync` lack the path.
  const as = pick(["string", "string", isDeep ? "string" : "buffer", hasDots ? "string" : "url"] as const);
  const fitting = name === "opendir" ? forms.filter((form) => form !== "sync") : forms;
  const form = name === "stat or nothing" ? "sync" : pick(fitting);
  return { name: isDeep && hasDots ? "stat" : name.split(" ")[0]!, path, as, options, form };
}

function given({ path, as }: PathCall, root: string): string | Buffer | URL {
  const full = Buffer.concat([Buffer.from(root), path]);
  if (as === "buffer") return full;
  if (as === "url") return pathToFileURL(full.toString()) as URL;
  return full.toString();
}

/** Runs a call in its form. */
async function run(fs: AnyFs, root: string, call: PathCall): Promise<unknown> {
  const { name, options, form } = call;
  const path = given(call, root);
  const all = fs as unknown as Record<string, (...values: unknown[]) => unknown>;
  if (name === "readStream") {
    const parts: Buffer[] = [];
    for await (const part of fs.createReadStream(path, options[0] as object)) parts.push(part as Buffer);
    return Buffer.concat(parts);
  }
  if (name === "realpath.native")
    return form === "callback"
      ? called((done) => fs.realpath.native(path as string, options[0] as undefined, done))
      : fs.realpathSync.native(path, options[0] as undefined);
  if (name === "exists" && form === "callback") return new Promise((resolve) => all.exists!(path, resolve));
  if (name === "exists") return all.existsSync!(path);
  if (form === "sync") return all[`${name}Sync`]!(path, ...options);
  if (form === "promise") {
    const promises = fs.promises as unknown as Record<string, (...values: unknown[]) => Promise<unknown>>;
    return promises[name]!(path, ...options);
  }
  return called((done) => all[name]!(path, ...options, done));
}

function called<T>(call: (done: (error: unknown, result: T) => void) => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)));
  });
}

/** A value without the root that its paths may begin with. */
function plain(value: unknown, root: string): unknown {
  if (typeof value === "string") return value.replaceAll(root, "") || "/";
  if (Buffer.isBuffer(value)) {
    const start = Buffer.from(root);
    const isBelow = value.subarray(0, start.length).equals(start);
    return `buffer ${(isBelow ? value.subarray(start.length) : value).toString("latin1") || "/"}`;
  }
  if (Array.isArray(value)) return value.map((one) => plain(one, root));
  return value;
}

const KINDS = ["isFile", "isDirectory", "isSymbolicLink", "isFIFO", "isSocket", "isBlockDevice"] as const;

function kindOf(value: Record<string, () => boolean>): string {
  return KINDS.filter((kind) => value[kind]!()).join();
}

/** What a result says, as far as it can be equal in two file systems. */
async function summary(fs: AnyFs, value: unknown, root: string): Promise<unknown> {
  if (Array.isArray(value)) {
    const all = await Promise.all(value.map((one) => summary(fs, one, root)));
    return all.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (typeof value === "number") {
    const stats = fs.fstatSync(value);
    fs.closeSync(value);
    return { descriptor: await summary(fs, stats, root) };
  }
  if (typeof value !== "object" || value === null || Buffer.isBuffer(value)) return plain(value, root);
  if ("fd" in value && "readFile" in value) {
    const handle = value as NodeFs.promises.FileHandle;
    const stats = await handle.stat();
    await handle.close();
    return { descriptor: await summary(fs, stats, root) };
  }
  if ("entries" in value) {
    const entries: unknown[] = [];
    const { path } = value as unknown as NodeFs.Dir;
    for await (const entry of value as unknown as NodeFs.Dir) entries.push(entry);
    return { path: plain(path, root), entries: await summary(fs, entries, root) };
  }
  const kind = kindOf(value as Record<string, () => boolean>);
  if ("parentPath" in value) {
    const { name, parentPath } = value as NodeFs.Dirent;
    return { name: plain(name, root), parentPath: plain(parentPath, root), kind };
  }
  // Sizes of directories, owners and times are the file system's own.
  const { mode, size, nlink } = value as NodeFs.Stats;
  const isFolder = kind === "isDirectory";
  return {
    kind,
    mode: String(mode),
    type: typeof mode,
    size: isFolder ? 0 : Number(size),
    nlink: isFolder ? 1 : Number(nlink),
  };
}

/** The outcome of a call: its result, or all that its error says. */
export async function outcome(fs: AnyFs, root: string, call: PathCall): Promise<unknown> {
  try {
    return await summary(fs, await run(fs, root, call), root);
  } catch (thrown) {
    const { message, errno, code, syscall, path, dest, name } = thrown as NodeJS.ErrnoException & {
      dest?: string;
    };
    const error = { message, errno, code, syscall, path, dest, name };
    return Object.fromEntries(Object.entries(error).map(([key, value]) => [key, plain(value, root)]));
  }
}
