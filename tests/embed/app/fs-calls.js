/** Some hundred calls of `docteur/fs`, and their outcomes in a form that runtimes can be compared by. */
import { open } from "docteur";
import { createFs } from "docteur/fs";

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A value as JSON has it: bytes by their digits, times by their numbers. */
function plain(value) {
  if (value instanceof Uint8Array) return `bytes ${hex(value)}`;
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if ("isFile" in value)
    return {
      ...Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)])),
      is: ["isFile", "isDirectory", "isSymbolicLink"].filter((name) => value[name]()),
    };
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]));
}

/** The calls of a path. */
const CALLS = {
  stat: (fs, path) => fs.promises.stat(path),
  "stat, big": (fs, path) => fs.promises.stat(path, { bigint: true }),
  lstat: (fs, path) => fs.promises.lstat(path),
  statfs: (fs, path) => fs.promises.statfs(path),
  access: (fs, path) => fs.promises.access(path),
  "access to write": (fs, path) => fs.promises.access(path, fs.constants.W_OK),
  readlink: (fs, path) => fs.promises.readlink(path),
  realpath: (fs, path) => fs.promises.realpath(path),
  readFile: (fs, path) => fs.promises.readFile(path),
  "readFile, text": (fs, path) => fs.promises.readFile(path, "utf8"),
  "readFile, base64": (fs, path) => fs.promises.readFile(path, { encoding: "base64url" }),
  "readFile, latin1": (fs, path) => fs.promises.readFile(path, "latin1"),
  readdir: (fs, path) => fs.promises.readdir(path),
  "readdir, types": (fs, path) => fs.promises.readdir(path, { withFileTypes: true }),
  "readdir, bytes": (fs, path) => fs.promises.readdir(path, "buffer"),
  "readdir, deep": (fs, path) => fs.promises.readdir(path, { recursive: true }),
  async opendir(fs, path) {
    const names = [];
    for await (const { name } of await fs.promises.opendir(path)) names.push(name);
    return names;
  },
  async handle(fs, path) {
    const handle = await fs.promises.open(path);
    try {
      const { bytesRead, buffer } = await handle.read(new Uint8Array(10), 2, 5, 1);
      const rest = await handle.readFile("utf8");
      return { bytesRead, buffer, rest, size: (await handle.stat()).size };
    } finally {
      await handle.close();
    }
  },
  async stream(fs, path) {
    const handle = await fs.promises.open(path);
    const parts = [];
    for (const reader = handle.readableWebStream().getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(hex(value));
    }
    await handle.close();
    return parts.join("");
  },
  callback: (fs, path) =>
    new Promise((resolve, reject) => {
      fs.readFile(path, "utf8", (error, text) => (error ? reject(error) : resolve(text)));
    }),
  writeFile: (fs, path) => fs.promises.writeFile(path, "x"),
  unlink: (fs, path) => fs.promises.unlink(path),
};

const OTHER_PATHS = ["/nope", "/docs/one.md/x", "/docs/../docs/./one.md", "", "a\0b", 7, "/loop", "docs"];

/** @param {string} url of an image @returns the outcome of each call on each path */
export async function outcomes(url) {
  const volume = await open(url);
  const fs = createFs(volume);
  const found = {};
  const paths = ["/", ...(await fs.promises.readdir("/", { recursive: true })).map((path) => `/${path}`)];
  for (const path of [...paths, ...OTHER_PATHS])
    for (const [name, call] of Object.entries(CALLS)) {
      const key = `${name} ${JSON.stringify(path)}`;
      try {
        found[key] = plain(await call(fs, path)) ?? "nothing";
      } catch ({ name, code, message, errno, syscall }) {
        found[key] = { name, code, message, errno, syscall };
      }
    }
  found.glob = [];
  for await (const path of fs.promises.glob("**/*.md", { cwd: "/" })) found.glob.push(path);
  await volume.close();
  return found;
}
