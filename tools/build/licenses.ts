/** The licenses of the software that the package and the program contain, as a text: `docteur licenses` prints it. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Metafile } from "esbuild";

/** Names of files that have licenses, and the notices that go with them. Of several licenses, MIT is taken. */
const LICENSE_FILE = /^(licen[cs]e(-mit)?|copying|notice)(\.md|\.txt)?$/i;

/** Packages without a file of their license: where it is. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "@assemblyscript/loader": "node_modules/assemblyscript",
  saxes: "tools/build/licenses/saxes",
};

/** A part of the package or the program. */
interface Part {
  name: string;
  version: string;
  /** SPDX's expression. */
  license: string;
  text: string;
}

/** The texts of a folder's licenses; of a name without a folder, the file of that name. */
function textsOf(folder: string): string {
  const files = existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => LICENSE_FILE.test(name))
        .map((name) => join(folder, name))
        .sort()
    : [`${folder}.txt`];
  if (files.length === 0) throw new Error(`${folder} has no license`);
  return files.map((name) => readFileSync(name, "utf8").trim()).join("\n\n");
}

/** @param folder of a package, whose license is there */
function packagePart(folder: string): Part {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Part;
  return { name, version, license, text: textsOf(ELSEWHERE[name] ?? folder) };
}

/** Where Node's distributions, and packages of systems, have its license: from the folder of the program. */
const NODE_LICENSES = ["../LICENSE", "LICENSE", "../share/doc/nodejs/LICENSE", "../share/doc/node/LICENSE"];

/** The part that Node is, with the libraries inside it. @throws Error if its license is not found */
export function nodePart(): Part {
  const folder = dirname(process.execPath);
  const file = process.env.NODE_LICENSE ?? NODE_LICENSES.map((name) => join(folder, name)).find(isOfNode);
  if (file === undefined)
    throw new Error(`${process.execPath} has no LICENSE beside it: NODE_LICENSE can name the file`);
  const text = readFileSync(file, "utf8").trim();
  return { name: "Node.js", version: process.versions.node, license: "MIT and others", text };
}

function isOfNode(file: string): boolean {
  return existsSync(file) && readFileSync(file, "utf8").startsWith("Node.js is licensed");
}

/** The folders of the packages that a bundle contains. */
export function packagesOf({ inputs }: Metafile): string[] {
  const folders = Object.keys(inputs).flatMap(
    (name) => /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(name) ?? [],
  );
  return [...new Set(folders)];
}

/**
 * @param packages folders of packages
 * @param others more parts
 * @returns the list of all parts, then each one's license
 */
export function licensesText(packages: Iterable<string>, others: readonly Part[] = []): string {
  // The standard library of AssemblyScript is inside the Wasm modules.
  const folders = new Set([
    ...packages,
    "node_modules/assemblyscript",
    "node_modules/@assemblyscript/loader",
  ]);
  const parts = [...others, ...[...folders].map(packagePart)].sort((a, b) => (a.name < b.name ? -1 : 1));
  const all = [packagePart("."), ...parts];
  const list = all.map(({ name, version, license }) => `  ${`${name} ${version}`.padEnd(34)} ${license}`);
  const line = "-".repeat(72);
  const texts = all.map(({ name, version, text }) => `${line}\n${name} ${version}\n${line}\n\n${text}\n`);
  return `${["This program contains:", "", ...list, ""].join("\n")}\n${texts.join("\n")}`;
}
