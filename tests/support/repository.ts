/** Large random repositories for tests of reading, written by one `git fast-import`, and images of their packs as git left them. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { encodeHeader, HEADER_LEN, paddingLen } from "../../src/make/image.js";
import { GIT_ENVIRONMENT, git } from "./git.js";
import { type Random, seeded } from "./random.js";

/** How much of everything a repository holds. */
export interface Scale {
  /** Families of similar files, and versions in each. */
  families: number;
  versions: number;
  /** Versions of one file that change a little each. */
  chain: number;
  /** Entries of one directory. */
  wide: number;
  /** Directories inside each other. */
  deep: number;
  /** Bytes of the large files. */
  large: number;
}

export const SMALL: Scale = { families: 6, versions: 12, chain: 80, wide: 300, deep: 40, large: 300_000 };
export const FULL: Scale = {
  families: 30,
  versions: 40,
  chain: 1200,
  wide: 5000,
  deep: 200,
  large: 2_500_000,
};

const SUBMODULE = "ae83c9c50ae822b4661085caa5eece32aa2dce0b";

const NAMES = [
  "with space",
  " lead",
  "trail ",
  'quote"',
  "back\\slash",
  "new\nline",
  "tab\t",
  "-dash",
  ".hidden",
  "...",
  "é",
  "日本語",
  "😀",
  "\u0001",
].map((name) => Buffer.from(name));
const RAW_NAMES = [[0xff], [0x61, 0xe9, 0x2d], [0x80, 0x20]].map((bytes) => Buffer.from(bytes));

/** Symbolic links of the repository: where they lead when followed, or the error's code. */
export const LINKS: readonly (readonly [path: string, target: string, leads: string])[] = [
  ["links/relative", "../names/é", "/names/é"],
  ["links/absolute", "/names/é", "/names/é"],
  ["links/out", "../../../../names/é", "/names/é"],
  ["links/through", "folder/é", "/names/é"],
  ["links/folder", "../names", "/names"],
  ["links/root", "/", "/"],
  ["links/self", "self", "SymlinkLoop"],
  ["links/ping", "pong", "SymlinkLoop"],
  ["links/pong", "ping", "SymlinkLoop"],
  ["links/dangling", "../nowhere", "NotFound"],
  ["links/below-file", "../names/é/x", "NotFound"],
  ["links/submodule", "../vendor/sub", "Submodule"],
  ["links/into-submodule", "../vendor/sub/x", "Submodule"],
  ...Array.from({ length: 41 }, (_, index): [string, string, string] => [
    `chain/${index + 1}`,
    index === 0 ? "../names/é" : `${index}`,
    index < 40 ? "/names/é" : "SymlinkLoop",
  ]),
];

/** A path as fast-import takes any: in quotes, unusual bytes in octal. */
function quoted(path: Buffer): string {
  let text = "";
  for (const byte of path) {
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, "0")}`;
  }
  return `"${text}"`;
}

function randomBytes(random: Random, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = random(256);
  return bytes;
}

/** Text of lines, of which `edited` changes some. */
function randomText(random: Random, lines: number): string[] {
  return Array.from({ length: lines }, () => `${"value ".repeat(random(8))}${random(1e9).toString(36)}`);
}

function edited(random: Random, lines: readonly string[]): string[] {
  const result = [...lines];
  for (let edits = 1 + random(3); edits > 0; edits--)
    result.splice(random(result.length + 1), random(3), random(1e9).toString(36));
  return result;
}

class Importer {
  readonly #blobs: Buffer[] = [];
  readonly #files: Buffer[] = [];
  #mark = 0;

  blob(content: Buffer | string): number {
    const bytes = Buffer.from(content as string);
    this.#blobs.push(
      Buffer.from(`blob\nmark :${++this.#mark}\ndata ${bytes.length}\n`),
      bytes,
      Buffer.from("\n"),
    );
    return this.#mark;
  }

  file(path: Buffer | string, mark: number | string, mode = "100644"): void {
    const ref = typeof mark === "number" ? `:${mark}` : mark;
    this.#files.push(Buffer.from(`M ${mode} ${ref} ${quoted(Buffer.from(path as string))}\n`));
  }

  run(folder: string): void {
    const head =
      "commit refs/heads/main\ncommitter A U Thor <a@example.org> 1717740550 +0200\ndata 7\nrandom\n";
    const input = Buffer.concat([...this.#blobs, Buffer.from(head), ...this.#files]);
    // Each blob becomes a delta of the one before, for as long as git allows.
    execFileSync("git", ["fast-import", "--quiet", "--depth=4095"], {
      cwd: folder,
      env: GIT_ENVIRONMENT,
      input,
    });
  }
}

function addFamilies(into: Importer, random: Random, { families, versions }: Scale): number[] {
  const marks: number[] = [];
  for (let family = 0; family < families; family++) {
    const isText = family % 3 > 0;
    let lines = randomText(random, 5 + random(200));
    let bytes = randomBytes(random, random(8000));
    for (let version = 0; version < versions; version++) {
      lines = edited(random, lines);
      bytes = Buffer.concat([
        bytes.subarray(0, random(bytes.length + 1)),
        randomBytes(random, 9),
        bytes.subarray(-random(9000)),
      ]);
      const mark = into.blob(isText ? lines.join("\n") : bytes);
      marks.push(mark);
      into.file(`family/${family}/${version % 7}/v${version}`, mark, version % 5 === 0 ? "100755" : "100644");
    }
  }
  return marks;
}

/**
 * Creates a bare repository of one commit in an empty folder.
 * @param seed decides its content
 */
export function createRepository(folder: string, seed: number, scale: Scale): string {
  mkdirSync(folder, { recursive: true });
  git(folder, "init", "-q", "--bare", "-b", "main");
  const random = seeded(seed);
  const into = new Importer();

  let lines = randomText(random, 40);
  for (let version = 0; version < scale.chain; version++) {
    lines = edited(random, lines).slice(0, 60);
    into.file(`versions/${version}`, into.blob(lines.join("\n")));
  }
  const marks = addFamilies(into, random, scale);

  const empty = into.blob("");
  into.file("empty", empty);
  const noise = randomBytes(random, scale.large);
  into.file("large/noise", into.blob(noise));
  into.file("large/zeros", into.blob(Buffer.alloc(scale.large + 1)));
  const text = Buffer.from(randomText(random, scale.large / 20).join("\n"));
  for (const version of [0, 1, 2])
    into.file(`large/text.${version}`, into.blob(Buffer.concat([Buffer.from(`version ${version}\n`), text])));
  into.file("large/cut-noise", into.blob(noise.subarray(1000)));

  for (const name of [...NAMES, ...RAW_NAMES])
    into.file(
      Buffer.concat([Buffer.from("names/"), name]),
      into.blob(Buffer.concat([Buffer.from("I am "), name])),
    );
  for (const name of RAW_NAMES) into.file(Buffer.concat([name, Buffer.from("/"), name]), empty);
  for (let index = 0; index < scale.wide; index++)
    into.file(`wide/${random(1e9).toString(36)}-${index}`, marks[random(marks.length)]!);
  into.file(
    `${Array.from({ length: scale.deep }, (_, level) => `d${level % 10}`).join("/")}/bottom`,
    marks[0]!,
  );
  for (const name of ["a", "a-b", "a.c", "a0", "ab"])
    into.file(`sorted/${name}${name === "a" ? "/x" : ""}`, empty);
  for (const [path, target] of LINKS) into.file(path, into.blob(target), "120000");
  into.file("vendor/sub", SUBMODULE, "160000");

  into.run(folder);
  return folder;
}

/** An image of a repository's one pack, byte for byte as git wrote it. @param idx instead of git's */
export function imageOfRepository(folder: string, idx?: Uint8Array): Uint8Array {
  const packs = join(folder, "objects", "pack");
  const names = readdirSync(packs).filter((name) => name.endsWith(".pack"));
  if (names.length !== 1) throw new Error(`${names.length} packs in ${folder}`);
  const pack = readFileSync(join(packs, names[0]!));
  return imageOfPack(
    git(folder, "rev-parse", "main"),
    pack,
    idx ?? readFileSync(join(packs, names[0]!.replace(/pack$/, "idx"))),
  );
}

/** An image of a pack and its index. */
export function imageOfPack(commit: string, pack: Uint8Array, idx: Uint8Array): Uint8Array {
  const packEnd = HEADER_LEN + pack.length;
  const idxStart = packEnd + paddingLen(packEnd, 512);
  const idxEnd = idxStart + idx.length;
  const image = new Uint8Array(idxEnd + paddingLen(idxEnd, 512));
  image.set(encodeHeader(Buffer.from(commit, "hex"), idxStart));
  image.set(pack, HEADER_LEN);
  image.set(idx, idxStart);
  return image;
}

/** Every object of a repository, as git reads it. */
export function objectsOf(folder: string): Map<string, { kind: string; data: Buffer }> {
  const output = execFileSync("git", ["cat-file", "--batch-all-objects", "--batch"], {
    cwd: folder,
    env: GIT_ENVIRONMENT,
    maxBuffer: 1 << 30,
  });
  const objects = new Map<string, { kind: string; data: Buffer }>();
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0x0a, at);
    const [oid, kind, size] = output.toString("latin1", at, end).split(" ");
    objects.set(oid!, { kind: kind!, data: output.subarray(end + 1, end + 1 + Number(size)) });
    at = end + 1 + Number(size) + 1;
  }
  return objects;
}

/** An entry as `git ls-tree -r -t -l` prints it. */
export interface TreeLine {
  mode: number;
  oid: string;
  size: number | undefined;
  path: Buffer;
}

/** The whole tree of the commit. */
export function treeOf(folder: string): TreeLine[] {
  const output = execFileSync("git", ["ls-tree", "-r", "-t", "-l", "-z", "main"], {
    cwd: folder,
    env: GIT_ENVIRONMENT,
    maxBuffer: 1 << 30,
  });
  const lines: TreeLine[] = [];
  for (let at = 0; at < output.length; ) {
    const end = output.indexOf(0, at);
    const tab = output.indexOf(9, at);
    const [mode, , oid, size] = output.toString("latin1", at, tab).split(/ +/);
    lines.push({
      mode: Number.parseInt(mode!, 8),
      oid: oid!,
      size: size === "-" ? undefined : Number(size),
      path: output.subarray(tab + 1, end),
    });
    at = end + 1;
  }
  return lines;
}
