/** The peers' names, with their versions. */
import { readFileSync } from "node:fs";
import { runGit } from "./git.js";

function installed(name: string): string {
  const manifest = new URL(`../../../node_modules/${name}/package.json`, import.meta.url);
  return `${name} ${(JSON.parse(readFileSync(manifest, "utf8")) as { version: string }).version}`;
}

export const NODE = `Node ${process.versions.node}`;
export const NODE_ZLIB = `node:zlib (${NODE})`;
export const FFLATE = installed("fflate");
export const ISOMORPHIC_GIT = installed("isomorphic-git");
export const UNZIPIT = installed("unzipit");

/** `git 2.39.5` */
export async function gitName(): Promise<string> {
  return (await runGit(["--version"])).toString().trim().replace("git version ", "git ");
}
