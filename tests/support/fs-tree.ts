/** A random directory with everything that an `fs` has to cope with, and the paths that lead through it. */
import { lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import type { Random } from "./random.js";
import { createRandomTree } from "./random-tree.js";

const SLASH = Buffer.from("/");

function within(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, SLASH, name]);
}

/** Everything below a folder, as paths from there on with a slash in front. */
export function pathsBelow(root: string, below: Buffer = Buffer.alloc(0)): Buffer[] {
  return readdirSync(Buffer.concat([Buffer.from(root), below]), { encoding: "buffer" }).flatMap((name) => {
    const path = within(below, name);
    const isFolder = lstatSync(Buffer.concat([Buffer.from(root), path])).isDirectory();
    return isFolder ? [path, ...pathsBelow(root, path)] : [path];
  });
}

/** A target that leads from a folder to another path of the tree. */
function relativeTarget(folder: Buffer, to: Buffer): Buffer {
  const depth = folder.filter((byte) => byte === 0x2f).length;
  return Buffer.concat([Buffer.from("../".repeat(depth) || "./"), to.subarray(1)]);
}

/** Makes the tree in an empty folder. */
export function createFsTree(root: string, seed: number, random: Random): void {
  createRandomTree(root, seed, seed);
  writeFileSync(`${root}/empty`, "");
  writeFileSync(`${root}/lines.txt`, "one\r\ntwo\nthree\rfour fünf\n\nlast");
  writeFileSync(`${root}/run`, "#!/bin/sh\n", { mode: 0o755 });
  writeFileSync(`${root}/large`, Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * at) >> 7)));
  writeFileSync(`${root}/\ufeffmark`, "\ufeffcontent");
  mkdirSync(`${root}/deep/${"d/".repeat(60)}`, { recursive: true });
  writeFileSync(`${root}/deep/${"d/".repeat(60)}end`, "deep");
  symlinkSync("loop-b", `${root}/loop-a`);
  symlinkSync("loop-a", `${root}/loop-b`);
  symlinkSync("itself", `${root}/itself`);
  symlinkSync("nowhere/at/all", `${root}/dangling`);
  symlinkSync("run/x", `${root}/through-a-file`);
  symlinkSync("deep/", `${root}/slash`);
  symlinkSync("run/", `${root}/file-and-slash`);
  // A chain of as many links as are followed, and one more.
  symlinkSync("run", `${root}/chain-1`);
  for (let link = 2; link <= 41; link++) symlinkSync(`chain-${link - 1}`, `${root}/chain-${link}`);
  const paths = pathsBelow(root);
  for (let count = 0; count < 40; count++) {
    const folders = paths.filter((path) => lstatSync(Buffer.concat([Buffer.from(root), path])).isDirectory());
    const folder = random(3) === 0 ? Buffer.alloc(0) : folders[random(folders.length)]!;
    const to = paths[random(paths.length)]!;
    const place = Buffer.concat([Buffer.from(root), folder, Buffer.from(`/link-${count}`)]);
    symlinkSync(relativeTarget(folder, to), place);
    paths.push(within(folder, Buffer.from(`link-${count}`)));
  }
}

/**
 * Whether a path leads out of the folder on its way. (In an image, `..` stays at the root; the extracted folder has
 * something above it.)
 */
export function leavesRoot(root: string, path: Buffer): boolean {
  const ahead = path.toString("latin1").split("/").reverse();
  const done: string[] = [];
  for (let links = 0; ahead.length > 0; ) {
    const name = ahead.pop()!;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (done.pop() === undefined) return true;
      continue;
    }
    const full = Buffer.from(
      `${Buffer.from(root).toString("latin1")}/${[...done, name].join("/")}`,
      "latin1",
    );
    let isLink: boolean;
    try {
      isLink = lstatSync(full).isSymbolicLink();
    } catch {
      return false;
    }
    if (isLink && ++links > 50) return false;
    if (isLink) ahead.push(...readlinkSync(full, "latin1").split("/").reverse());
    else done.push(name);
  }
  return false;
}

/** A path that leads somewhere, nearly somewhere, or nowhere. */
export function randomPath(paths: readonly Buffer[], random: Random): Buffer {
  let path = paths[random(paths.length)]!;
  for (let changes = random(4); changes > 0; changes--) {
    const parts = path.toString("latin1").split("/");
    const at = 1 + random(parts.length);
    const insert = [".", "", "..", "x", "a", "link-3", "loop-a", "run", ...parts.slice(1, 2)][random(9)]!;
    switch (random(7)) {
      case 0:
        parts.splice(at, 0, insert);
        break;
      case 1:
        parts.splice(at, 0, "a", "..");
        break;
      case 2:
        parts.push("");
        break;
      case 3:
        parts.push(insert);
        break;
      case 4:
        if (parts.length > 2) parts.splice(at, 1);
        break;
      default: {
        const other = paths[random(paths.length)]!.toString("latin1").split("/");
        parts.push("..", ...other.slice(-1));
      }
    }
    path = Buffer.from(parts.join("/"), "latin1");
  }
  return path.length === 0 ? SLASH : path;
}
