/** Images as directories of WASI programs: every call that a program can make, through the shim and a memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { WASI, wasi } from "@bjorn3/browser_wasi_shim";
import { openSync } from "../../src/sync/index.js";
import { preopen } from "../../src/wasi/index.js";
import { DATE } from "../support/checked-image.js";
import { SAMPLES, sampleImage } from "../support/sample-images.js";

const ROOT = 3;
const [FOLLOW, READ] = [1, BigInt(wasi.RIGHTS_FD_READ)];
/** Places in the memory. */
const [PATH, RESULT, VECTOR, BUFFER] = [0, 8192, 8256, 16384];

type Call = (...args: unknown[]) => number;
interface Found {
  filetype: number;
  ino: bigint;
  size: bigint;
  mtime: bigint;
}

/** A program: it has a memory, and calls what WASI gives it. */
class Program {
  readonly #calls: Record<string, Call>;
  readonly #memory = new WebAssembly.Memory({ initial: 4 });

  constructor(image: Uint8Array) {
    const shim = new WASI([], [], [], { debug: false });
    shim.fds = [undefined!, undefined!, undefined!, preopen(openSync(image), "/image")];
    shim.inst = { exports: { memory: this.#memory } };
    this.#calls = shim.wasiImport as Record<string, Call>;
  }

  get view(): DataView {
    return new DataView(this.#memory.buffer);
  }

  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.#memory.buffer).slice(at, at + length);
  }

  call(name: string, ...args: unknown[]): number {
    return this.#calls[name]!(...args);
  }

  /** Calls with a path, which stands at `PATH`. */
  at(name: string, before: unknown[], path: string, ...after: unknown[]): number {
    const bytes = new TextEncoder().encode(path);
    new Uint8Array(this.#memory.buffer).set(bytes, PATH);
    return this.call(name, ...before, PATH, bytes.length, ...after);
  }

  open(path: string, oflags = 0, rights = READ, dirflags = FOLLOW, fd = ROOT): { errno: number; fd: number } {
    const errno = this.at("path_open", [fd, dirflags], path, oflags, rights, 0n, 0, RESULT);
    return { errno, fd: this.view.getUint32(RESULT, true) };
  }

  filestat(errno: number): Found | number {
    if (errno !== 0) return errno;
    const { view } = this;
    return {
      ino: view.getBigUint64(RESULT + 8, true),
      filetype: view.getUint8(RESULT + 16),
      size: view.getBigUint64(RESULT + 32, true),
      mtime: view.getBigUint64(RESULT + 48, true),
    };
  }

  stat(path: string, flags = FOLLOW): Found | number {
    return this.filestat(this.at("path_filestat_get", [ROOT, flags], path, RESULT));
  }

  /** Reads on, at most `size` bytes. */
  read(fd: number, size: number): Uint8Array {
    this.view.setUint32(VECTOR, BUFFER, true);
    this.view.setUint32(VECTOR + 4, size, true);
    assert.equal(this.call("fd_read", fd, VECTOR, 1, RESULT), 0);
    return this.bytes(BUFFER, this.view.getUint32(RESULT, true));
  }

  content(path: string, step: number): Buffer {
    const { errno, fd } = this.open(path);
    assert.equal(errno, 0, path);
    const pieces: Uint8Array[] = [];
    for (let piece = this.read(fd, step); piece.length > 0; piece = this.read(fd, step)) pieces.push(piece);
    assert.equal(this.call("fd_close", fd), 0);
    return Buffer.concat(pieces);
  }

  /** The names of a directory, with their kinds, as a C library reads them: a buffer at a time. */
  names(path: string, bufferSize: number): Map<string, { filetype: number; ino: bigint }> {
    const { errno, fd } = this.open(path, wasi.OFLAGS_DIRECTORY);
    assert.equal(errno, 0, path);
    const names = new Map<string, { filetype: number; ino: bigint }>();
    let cookie = 0n;
    for (;;) {
      assert.equal(this.call("fd_readdir", fd, BUFFER, bufferSize, cookie, RESULT), 0);
      const used = this.view.getUint32(RESULT, true);
      let at = 0;
      while (used - at >= 24) {
        const length = this.view.getUint32(BUFFER + at + 16, true);
        if (used - at - 24 < length) break;
        cookie = this.view.getBigUint64(BUFFER + at, true);
        const name = new TextDecoder().decode(this.bytes(BUFFER + at + 24, length));
        assert.ok(!names.has(name), `${name} comes twice`);
        const ino = this.view.getBigUint64(BUFFER + at + 8, true);
        names.set(name, { filetype: this.view.getUint8(BUFFER + at + 20), ino });
        at += 24 + length;
      }
      if (used < bufferSize) break;
      assert.ok(at > 0, "a buffer that holds no name");
    }
    assert.equal(this.call("fd_close", fd), 0);
    return names;
  }
}

const FILETYPES = {
  directory: wasi.FILETYPE_DIRECTORY,
  file: wasi.FILETYPE_REGULAR_FILE,
  executable: wasi.FILETYPE_REGULAR_FILE,
  symlink: wasi.FILETYPE_SYMBOLIC_LINK,
  submodule: wasi.FILETYPE_DIRECTORY,
};

for (const name of SAMPLES)
  test(`${name}: a program finds what the image holds`, async () => {
    const image = await sampleImage(name);
    const volume = openSync(image);
    const program = new Program(image);
    let count = 0;
    const visit = (directory: string): void => {
      const entries = volume.list(directory, { sizes: true });
      const relative = `.${directory}`;
      for (const bufferSize of [400, 60_000]) {
        const names = program.names(relative, bufferSize);
        assert.deepEqual([...names.keys()].sort(), [".", "..", ...entries.map((entry) => entry.name)].sort());
        for (const entry of entries) {
          const stat = program.stat(`.${entry.path}`, 0) as Found;
          const filetype = FILETYPES[entry.kind];
          assert.deepEqual(names.get(entry.name), { filetype, ino: stat.ino }, entry.path);
          assert.equal(stat.filetype, filetype);
          assert.equal(stat.mtime, BigInt(volume.commit.date!.getTime()) * 1_000_000n);
          if (entry.size !== undefined) assert.equal(stat.size, BigInt(entry.size), entry.path);
        }
      }
      for (const { kind, path } of entries) {
        count++;
        if (kind === "directory") visit(path);
        else if (kind === "file" || kind === "executable")
          for (const step of [1000, 60_000])
            assert.ok(program.content(`.${path}`, step).equals(volume.get(path)), path);
      }
    };
    visit("/");
    assert.ok(count > 6);
  });

test("files are sought and read anywhere", async () => {
  const program = new Program(await sampleImage("made"));
  const whole = program.content("docs/a/notes.txt", 60_000);
  const { fd } = program.open("docs/a/notes.txt");
  const seek = (offset: bigint, whence: number): bigint | number => {
    const errno = program.call("fd_seek", fd, offset, whence, RESULT);
    return errno === 0 ? program.view.getBigUint64(RESULT, true) : errno;
  };
  assert.equal(seek(-5n, wasi.WHENCE_END), BigInt(whole.length - 5));
  assert.ok(whole.subarray(-5).equals(program.read(fd, 100)));
  assert.equal(program.read(fd, 100).length, 0);
  assert.equal(seek(10n, wasi.WHENCE_SET), 10n);
  assert.equal(seek(-3n, wasi.WHENCE_CUR), 7n);
  assert.ok(whole.subarray(7, 27).equals(program.read(fd, 20)));
  assert.equal(program.call("fd_tell", fd, RESULT), 0);
  assert.equal(program.view.getBigUint64(RESULT, true), 27n);
  assert.equal(seek(-1n, wasi.WHENCE_SET), wasi.ERRNO_INVAL);
  assert.equal(seek(0n, 9), wasi.ERRNO_INVAL);
  assert.equal(seek(1n << 62n, wasi.WHENCE_SET), 1n << 62n);
  assert.equal(program.read(fd, 20).length, 0);
  // A read at an offset leaves the position where it is.
  program.view.setUint32(VECTOR, BUFFER, true);
  program.view.setUint32(VECTOR + 4, 12, true);
  assert.equal(program.call("fd_pread", fd, VECTOR, 1, 3n, RESULT), 0);
  assert.ok(whole.subarray(3, 15).equals(program.bytes(BUFFER, 12)));
  assert.equal(seek(0n, wasi.WHENCE_CUR), 1n << 62n);
  const stat = program.filestat(program.call("fd_filestat_get", fd, RESULT)) as Found;
  assert.equal(stat.size, BigInt(whole.length));
  assert.equal(stat.mtime, BigInt(Date.parse(DATE)) * 1_000_000n);
});

test("a program's mistakes get the numbers that WASI has for them", async () => {
  const program = new Program(await sampleImage("made"));
  const open = (path: string, oflags = 0, rights = READ, dirflags = FOLLOW): number =>
    program.open(path, oflags, rights, dirflags).errno;
  const WRITE = BigInt(wasi.RIGHTS_FD_WRITE);
  const { OFLAGS_CREAT: CREAT, OFLAGS_EXCL: EXCL, OFLAGS_TRUNC: TRUNC, OFLAGS_DIRECTORY: DIRECTORY } = wasi;
  const cases: [got: number, expected: number, what: string][] = [
    [open("nothing"), wasi.ERRNO_NOENT, "no such file"],
    [open("README.md/x"), wasi.ERRNO_NOTDIR, "a file on the way"],
    [open("README.md/"), wasi.ERRNO_NOTDIR, "a file with a slash"],
    [open("README.md", DIRECTORY), wasi.ERRNO_NOTDIR, "a file opened as a directory"],
    [open(""), wasi.ERRNO_NOENT, "an empty path"],
    [open("a\0b"), wasi.ERRNO_INVAL, "a NUL"],
    [open("/README.md"), wasi.ERRNO_NOTCAPABLE, "an absolute path"],
    [open("../README.md"), wasi.ERRNO_NOTCAPABLE, "above the directory"],
    [open("docs/../../README.md"), wasi.ERRNO_NOTCAPABLE, "above the directory, later"],
    [open("docs/up"), 0, "a link"],
    [open("docs/up", 0, READ, 0), wasi.ERRNO_LOOP, "a link that is not followed"],
    [open("new", CREAT), wasi.ERRNO_ROFS, "a new file"],
    [open("none/new", CREAT), wasi.ERRNO_NOENT, "a new file in no directory"],
    [open("README.md/new", CREAT), wasi.ERRNO_NOTDIR, "a new file in a file"],
    [open("README.md", CREAT), 0, "a file that is there already"],
    [open("README.md", CREAT | EXCL), wasi.ERRNO_EXIST, "a file that must not be there"],
    [open("README.md", TRUNC), wasi.ERRNO_ROFS, "a file to be emptied"],
    [open("README.md", 0, READ | WRITE), wasi.ERRNO_ROFS, "a file to be written"],
    [open("docs", CREAT), wasi.ERRNO_ISDIR, "a directory to be made a file"],
    [program.at("path_readlink", [ROOT], "README.md", BUFFER, 100, RESULT), wasi.ERRNO_INVAL, "no link"],
    [program.at("path_create_directory", [ROOT], "new"), wasi.ERRNO_ROFS, "a new directory"],
    [program.at("path_create_directory", [ROOT], "docs"), wasi.ERRNO_EXIST, "a directory that is there"],
    [program.at("path_unlink_file", [ROOT], "README.md"), wasi.ERRNO_ROFS, "a file to be removed"],
    [program.at("path_unlink_file", [ROOT], "none"), wasi.ERRNO_NOENT, "nothing to be removed"],
    [program.at("path_remove_directory", [ROOT], "docs"), wasi.ERRNO_ROFS, "a directory to be removed"],
    [program.at("path_filestat_set_times", [ROOT, 0], "docs", 0n, 0n, 0), wasi.ERRNO_ROFS, "times to be set"],
    [program.at("path_rename", [ROOT], "docs", ROOT, PATH, 4), wasi.ERRNO_ROFS, "a directory to be renamed"],
    [program.at("path_link", [ROOT, 0], "README.md", ROOT, PATH, 4), wasi.ERRNO_ROFS, "a file to be linked"],
  ];
  for (const [got, expected, what] of cases) assert.equal(got, expected, what);
  const { fd } = program.open("README.md");
  program.view.setUint32(VECTOR, BUFFER, true);
  program.view.setUint32(VECTOR + 4, 4, true);
  assert.equal(program.call("fd_write", fd, VECTOR, 1, RESULT), wasi.ERRNO_BADF);
  assert.equal(program.call("fd_read", ROOT, VECTOR, 1, RESULT), wasi.ERRNO_ISDIR);
  assert.equal(program.call("fd_filestat_set_size", fd, 0n), wasi.ERRNO_INVAL);
  assert.equal(program.call("fd_close", fd), 0);
  assert.equal(program.call("fd_read", fd, VECTOR, 1, RESULT), wasi.ERRNO_BADF);
});

test("links and the directory's own name", async () => {
  const program = new Program(await sampleImage("made"));
  assert.equal(program.at("path_readlink", [ROOT], "docs/up", BUFFER, 100, RESULT), 0);
  const length = program.view.getUint32(RESULT, true);
  assert.equal(new TextDecoder().decode(program.bytes(BUFFER, length)), "../README.md");
  assert.equal((program.stat("docs/up", 0) as Found).filetype, wasi.FILETYPE_SYMBOLIC_LINK);
  assert.equal((program.stat("docs/up") as Found).filetype, wasi.FILETYPE_REGULAR_FILE);
  assert.equal(program.call("fd_prestat_get", ROOT, RESULT), 0);
  const nameLength = program.view.getUint32(RESULT + 4, true);
  assert.equal(program.call("fd_prestat_dir_name", ROOT, BUFFER, nameLength), 0);
  assert.equal(new TextDecoder().decode(program.bytes(BUFFER, nameLength)), "/image");
  // Below a directory that was opened, no path leads out of that directory.
  const docs = program.open("docs", wasi.OFLAGS_DIRECTORY).fd;
  assert.equal(program.open("a/notes.txt", 0, READ, FOLLOW, docs).errno, 0);
  assert.equal(program.open("../README.md", 0, READ, FOLLOW, docs).errno, wasi.ERRNO_NOTCAPABLE);
});
