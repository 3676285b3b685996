/**
 * `docteur/emscripten`: an image as a file system that programs compiled by Emscripten mount, Pyodide for one.
 * The shape is that of Emscripten's own file systems, such as NODEFS.
 * @module docteur/emscripten
 */
import { createFs } from "../fs/browser.js";
import type { VolumeSync } from "../sync/volume.js";
import { errno, errnoOf } from "../wasi/errno.js";
import type { FsStats, ReadFs } from "../wasi/fs.js";

export type { FsDirent, FsStats, ReadFs } from "../wasi/fs.js";

/** A node of Emscripten's tree. */
interface Node {
  name: string;
  parent: Node;
  mode: number;
  node_ops: object;
  stream_ops: object;
}

/** An open file of Emscripten's. `nfd` is ours. */
interface Stream {
  node: Node;
  flags: number;
  position: number;
  nfd?: number;
}

/** What is needed of a module's `FS`. */
export interface EmscriptenFS {
  createNode(parent: object | null, name: string, mode: number, rdev: number): object;
  ErrnoError: new (errno: number) => Error;
}

/** Attributes of a node. */
interface Attributes {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  atime: Date;
  mtime: Date;
  ctime: Date;
  blksize: number;
  blocks: number;
}

/** A file system for `FS.mount(type, {}, directory)`. */
export interface FileSystemType {
  mount(mount: object): object;
}

/** The bits of `open`'s flags that tell how a file is accessed, and the one that empties it. */
const ACCESS = 3;
const TRUNCATE = 0o1000;
const DIRECTORY_MODE = 0o40755;
const [SEEK_CUR, SEEK_END] = [1, 2];

/** The path of a node within the image. */
function pathOf(node: Node): string {
  const names: string[] = [];
  for (let at = node; at.parent !== at; at = at.parent) names.push(at.name);
  return `/${names.reverse().join("/")}`;
}

function attributesOf(stats: FsStats): Attributes {
  const size = Number(stats.size);
  const date = (ns: bigint): Date => new Date(Number(ns / 1_000_000n));
  return {
    dev: Number(stats.dev),
    ino: Number(stats.ino),
    mode: Number(stats.mode),
    nlink: Number(stats.nlink),
    uid: 0,
    gid: 0,
    rdev: 0,
    size,
    atime: date(stats.atimeNs),
    mtime: date(stats.mtimeNs),
    ctime: date(stats.ctimeNs),
    blksize: 4096,
    blocks: Math.ceil(size / 512),
  };
}

/**
 * Makes an image a file system of an Emscripten module. Files are read as the program reads them: nothing is copied
 * into its memory before. Every change is refused with `EROFS`. Links lead where the program's own file system takes
 * their targets: absolute ones out of the image. Files cannot be mapped into memory (`mmap` fails with `ENODEV`).
 * @param FS the module's `FS`, such as `pyodide.FS`
 * @param volume an image from `docteur/sync`
 * @example
 * pyodide.FS.mkdirTree("/data");
 * pyodide.FS.mount(createFileSystemType(pyodide.FS, openSync("data.img")), {}, "/data");
 */
export function createFileSystemType(FS: EmscriptenFS, volume: VolumeSync): FileSystemType {
  return fileSystemTypeOver(FS, createFs(volume));
}

/** As `createFileSystemType`, over any file system of Node's shape. */
export function fileSystemTypeOver(FS: EmscriptenFS, fs: ReadFs): FileSystemType {
  /** What a call gives; its errors become Emscripten's. */
  const call = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (error instanceof FS.ErrnoError) throw error;
      throw new FS.ErrnoError(errnoOf(error));
    }
  };
  const refuse = (): never => {
    throw new FS.ErrnoError(errno("EROFS"));
  };
  const statsOf = (node: Node): FsStats => fs.lstatSync(pathOf(node), { bigint: true });
  const nodeFor = (parent: Node | null, name: string, mode: number): Node => {
    const node = FS.createNode(parent, name, mode, 0) as Node;
    node.node_ops = nodeOps;
    node.stream_ops = streamOps;
    return node;
  };

  const nodeOps = {
    getattr: (node: Node): Attributes => call(() => attributesOf(statsOf(node))),
    lookup: (parent: Node, name: string): Node =>
      call(() => {
        const path = `${pathOf(parent)}/${name}`;
        return nodeFor(parent, name, Number(fs.lstatSync(path, { bigint: true }).mode));
      }),
    readdir: (node: Node): string[] =>
      call(() => {
        const entries = fs.readdirSync(pathOf(node), { withFileTypes: true });
        return [".", "..", ...entries.map((entry) => entry.name)];
      }),
    readlink: (node: Node): string => call(() => fs.readlinkSync(pathOf(node))),
    setattr: refuse,
    mknod: refuse,
    rename: refuse,
    unlink: refuse,
    rmdir: refuse,
    symlink: refuse,
  };

  const streamOps = {
    open: (stream: Stream): void =>
      call(() => {
        if ((stream.flags & (ACCESS | TRUNCATE)) !== 0) refuse();
        // Directories are read by their nodes.
        if (!statsOf(stream.node).isDirectory()) stream.nfd = fs.openSync(pathOf(stream.node), "r");
      }),
    close: (stream: Stream): void =>
      call(() => {
        if (stream.nfd !== undefined) fs.closeSync(stream.nfd);
      }),
    read: (stream: Stream, buffer: Uint8Array, offset: number, length: number, position: number): number =>
      call(() => {
        // Emscripten's heap is an Int8Array.
        const bytes = new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length);
        return length === 0 ? 0 : fs.readSync(stream.nfd!, bytes, 0, length, position);
      }),
    write: refuse,
    llseek: (stream: Stream, offset: number, whence: number): number =>
      call(() => {
        let position = offset;
        if (whence === SEEK_CUR) position += stream.position;
        else if (whence === SEEK_END) position += Number(statsOf(stream.node).size);
        if (position < 0) throw new FS.ErrnoError(errno("EINVAL"));
        return position;
      }),
  };

  return { mount: () => nodeFor(null, "/", DIRECTORY_MODE) };
}
