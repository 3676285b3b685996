/** Makes the folder of a new guest, from the templates of the package. */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { DocteurError } from "../../src/errors.js";
import { ioError } from "../../src/node/io-error.js";
import { ownFolder, readOwn } from "../../src/node/own-files.js";

/** The languages that there are templates for. */
export const LANGUAGES = ["assemblyscript", "c"] as const;
export type Language = (typeof LANGUAGES)[number];

const ROOT = new URL("../../../", import.meta.url);

/** Files of the package by the place that they get in the folder. */
const FILES: Record<Language, Record<string, string>> = {
  assemblyscript: {
    "README.md": "guest/template/README.md",
    "asconfig.json": "guest/template/asconfig.json",
    "manifest.json": "guest/template/manifest.json",
    "assembly/guest.ts": "guest/template/guest.ts",
  },
  c: {
    "README.md": "guest/c/README.md",
    "guest.c": "guest/c/guest.c",
    "solo5_wasm.h": "guest/c/solo5_wasm.h",
    "docteur.h": "guest/c/docteur.h",
    "docteur.o": "dist/kit/docteur.o",
  },
};

interface OwnManifest {
  version: string;
  devDependencies: Record<string, string>;
}

/** A name that npm accepts. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return name === "" ? "guest" : name;
}

/**
 * The `package.json` of a guest in AssemblyScript.
 * @param dependency where npm finds docteur; this copy of it by default, or this version where the copy is one file
 */
function packageJson(folder: string, dependency: string | undefined): string {
  const own = JSON.parse(readOwn(new URL("package.json", ROOT)).toString()) as OwnManifest;
  const copy = ownFolder(ROOT);
  const manifest = {
    name: packageName(folder),
    version: "0.1.0",
    private: true,
    type: "module",
    scripts: {
      build:
        "asc --target release && docteur guest manifest build/module.wasm manifest.json -o build/guest.wasm",
    },
    devDependencies: {
      assemblyscript: own.devDependencies.assemblyscript,
      docteur: dependency ?? (copy === undefined ? own.version : `file:${relative(folder, copy)}`),
    },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

/**
 * Makes the folder. A file that is there already is an error, and nothing is written.
 * @returns the files that were written
 * @throws DocteurError `InvalidArgument`, `Io`
 */
export async function initGuest(
  target: string,
  language: Language,
  dependency: string | undefined,
): Promise<string[]> {
  const folder = resolve(target);
  const own: Record<string, string> =
    language === "assemblyscript" ? { "package.json": packageJson(folder, dependency) } : {};
  const names = [...Object.keys(own), ...Object.keys(FILES[language])];
  for (const name of names)
    if (existsSync(join(folder, name)))
      throw new DocteurError("InvalidArgument", `${join(target, name)} is there already`, {
        hint: "give another folder, or move the file",
      });
  try {
    for (const name of names) {
      const path = join(folder, name);
      await mkdir(dirname(path), { recursive: true });
      const source = FILES[language][name];
      const content = source === undefined ? own[name]! : readOwn(new URL(source, ROOT));
      await writeFile(path, content, { flag: "wx" });
    }
  } catch (cause) {
    throw ioError("write into", target, cause);
  }
  return names;
}
