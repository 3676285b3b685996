/** Every call of `fs` that writes, in every form. As a program it prints how they end below a folder. */
import * as nodeFs from "node:fs";
import { fileURLToPath } from "node:url";
import type { AnyFs } from "./fs-calls.js";

type Arguments = (path: string) => unknown[];

/** The calls, by their names and a word for what is special. */
const CALLS: Record<string, Arguments> = {
  writeFile: (path) => [path, "x"],
  appendFile: (path) => [path, "x"],
  truncate: (path) => [path, 1],
  copyFile: (path) => [path, `${path}.new`],
  "copyFile to": (path) => [path.replace(/[^/]*$/, "file"), path],
  cp: (path) => [path, `${path}.new`],
  rename: (path) => [path, `${path}.new`],
  "rename to": (path) => [path, `${path}/a/b`],
  link: (path) => [path, `${path}.new`],
  symlink: (path) => ["target", path],
  mkdtemp: (path) => [path],
  mkdir: (path) => [path],
  rmdir: (path) => [path],
  unlink: (path) => [path],
  chmod: (path) => [path, 0o644],
  chown: (path) => [path, 0, 0],
  lchown: (path) => [path, 0, 0],
  utimes: (path) => [path, 1, 1],
  lutimes: (path) => [path, 1, 1],
  rm: (path) => [path],
  "rm recursive": (path) => [path, { recursive: true }],
  "rm force": (path) => [path, { force: true }],
  access: (path) => [path, 2],
  "open w": (path) => [path, "w"],
  "open r+": (path) => [path, "r+"],
  "open wx": (path) => [path, "wx"],
  "open a": (path) => [path, "a"],
  "open ax+": (path) => [path, "ax+"],
  "open creat": (path) => [path, 0o100],
};

/** Paths below the folder that `createWritesTree` fills. */
const PATHS = [
  "file",
  "folder",
  "missing",
  "link",
  "folder-link",
  "dangling",
  "loop",
  "no/x",
  "file/x",
  "folder/in",
  "link/",
];

export function createWritesTree(root: string): void {
  nodeFs.writeFileSync(`${root}/file`, "content");
  nodeFs.mkdirSync(`${root}/folder`);
  nodeFs.writeFileSync(`${root}/folder/in`, "content");
  nodeFs.symlinkSync("file", `${root}/link`);
  nodeFs.symlinkSync("folder", `${root}/folder-link`);
  nodeFs.symlinkSync("nowhere", `${root}/dangling`);
  nodeFs.symlinkSync("loop", `${root}/loop`);
}

/** Names that `mkdtemp` makes up. */
function fixed(text: string): string {
  return text.replace(/(mkdtemp '.*)[a-zA-Z0-9]{6}'$/, "$1XXXXXX'");
}

function told(error: unknown, root: string): string {
  const { message, code, errno, syscall } = error as NodeJS.ErrnoException;
  return `${fixed(message.replaceAll(root, ""))} (${code} ${errno} ${syscall})`;
}

/** How the calls end, by form, call and path. */
export async function outcomesOfWrites(fs: AnyFs, root: string): Promise<Record<string, string>> {
  const outcomes: Record<string, string> = {};
  const all = fs as unknown as Record<string, (...given: unknown[]) => unknown>;
  const promises = fs.promises as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>;
  const note = async (key: string, work: () => unknown): Promise<void> => {
    try {
      const value = await work();
      outcomes[key] = `ok ${typeof value === "object" && value !== null ? "handle" : typeof value}`;
      if (typeof value === "number") fs.closeSync(value);
      else if (value !== undefined && value !== null) await (value as nodeFs.promises.FileHandle).close();
    } catch (error) {
      outcomes[key] = told(error, root);
    }
  };
  for (const [call, given] of Object.entries(CALLS))
    for (const path of PATHS) {
      const name = call.split(" ")[0]!;
      const values = given(`${root}/${path}`);
      await note(`sync ${call} ${path}`, () => all[`${name}Sync`]!(...values));
      await note(`promise ${call} ${path}`, () => promises[name]!(...values));
      await note(`callback ${call} ${path}`, () => {
        return new Promise((resolve, reject) => {
          all[name]!(...values, (error: unknown, value: unknown) => (error ? reject(error) : resolve(value)));
        });
      });
    }
  const handle = await fs.promises.open(`${root}/file`);
  for (const [name, ...values] of [
    ["write", Buffer.from("x")],
    ["writev", [Buffer.from("x")]],
    ["writeFile", "x"],
    ["appendFile", "x"],
    ["truncate", 1],
    ["chmod", 0o644],
    ["chown", 0, 0],
    ["utimes", 1, 1],
    ["sync"],
    ["datasync"],
  ] as const)
    await note(`handle ${name}`, () =>
      (handle as unknown as Record<string, (...given: unknown[]) => unknown>)[name]!(...values),
    );
  await handle.close();
  await note("handle closed", () => handle.read());
  const fd = fs.openSync(`${root}/file`, "r");
  for (const [name, ...values] of [
    ["write", Buffer.from("x")],
    ["writev", [Buffer.from("x")]],
    ["ftruncate", 1],
    ["fchmod", 0o644],
    ["fchown", 0, 0],
    ["futimes", 1, 1],
    ["fsync"],
    ["fdatasync"],
  ] as const)
    await note(`fd ${name}`, () => all[`${name}Sync`]!(fd, ...values));
  await note("fd writeFile", () => fs.writeFileSync(fd, "x"));
  fs.closeSync(fd);
  await note("fd closed", () => fs.readSync(fd, Buffer.alloc(1)));
  return outcomes;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  process.stdout.write(JSON.stringify(await outcomesOfWrites(nodeFs, process.argv[2]!)));
