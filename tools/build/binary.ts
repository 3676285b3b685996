/**
 * Builds the program in one file, `dist/bin/docteur`: a copy of Node that carries docteur's scripts and files, as of
 * https://nodejs.org/api/single-executable-applications.html. The program needs no Node. An archive beside it, to pass
 * on, has the program with its man pages, completions and licenses.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { build, type Plugin } from "esbuild";
import { writeArchive } from "./archive.js";
import { licensesText, nodePart, packagesOf } from "./licenses.js";
import { scriptsOf, UNBUNDLED } from "./programs.js";

const FOLDER = "dist/bin";
const WORK = "dist/binary";
/** The licenses of the program, which carries them instead of those of the package. */
const LICENSES = `${WORK}/licenses.txt`;

/** Modules that others replace inside the program, by their paths in the package. */
const REPLACED: Record<string, string> = {
  "dist/src/node/own-files.js": "dist/tools/binary/own-files.js",
  "dist/tools/docteur.js": `dist/tools/docteur${UNBUNDLED}.js`,
  "dist/tools/solo5-wasm.js": `dist/tools/solo5-wasm${UNBUNDLED}.js`,
};

/** Where shells look for completions, below `/usr/local`. */
const COMPLETIONS = {
  bash: "share/bash-completion/completions/docteur",
  zsh: "share/zsh/site-functions/_docteur",
  fish: "share/fish/vendor_completions.d/docteur.fish",
};

/** The mark in Node's own binary that says whether it carries a program. */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/** The files that the program carries beside its scripts. */
function ownFiles(): string[] {
  const wasm = ["core", "packer", "verifier"].map((name) => `dist/${name}.wasm`);
  const guests = ["dist/guest/simple.wasm", "dist/guest/simple.bundled.wasm", "dist/kit/docteur.o"];
  const folders = ["dist/page", "guest/template", "guest/c"].flatMap((folder) =>
    readdirSync(folder).map((name) => `${folder}/${name}`),
  );
  return ["package.json", ...wasm, ...guests, ...folders];
}

/**
 * Gives each module its URL inside the program.
 * @param scripts gets the scripts that modules name by their URLs
 */
function inProgram(scripts: Set<string>): Plugin {
  const root = process.cwd();
  return {
    name: "in-program",
    setup(hooks) {
      hooks.onResolve({ filter: /^node:worker_threads$/ }, ({ importer }) =>
        importer.endsWith("binary/worker-threads.js")
          ? undefined
          : { path: join(root, "dist/tools/binary/worker-threads.js") },
      );
      hooks.onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const replaced = REPLACED[relative(root, join(resolveDir, path))];
        return replaced === undefined ? undefined : { path: join(root, replaced) };
      });
      hooks.onLoad({ filter: /[\\/]dist[\\/](src|tools)[\\/].*\.js$/ }, ({ path }) => {
        const name = relative(root, path);
        const source = readFileSync(path, "utf8");
        for (const script of scriptsOf(name, source)) scripts.add(script);
        return { contents: source.replaceAll("import.meta.url", JSON.stringify(`docteur:/${name}`)) };
      });
    },
  };
}

/**
 * Bundles a script of the package into one that has no modules.
 * @param packages gets the folders of the packages that the script contains
 * @returns its path
 */
async function bundle(script: string, scripts: Set<string>, packages: Set<string>): Promise<string> {
  const outfile = join(WORK, script.replace(/\.js$/, ".cjs"));
  const { metafile } = await build({
    entryPoints: [script],
    outfile,
    bundle: true,
    platform: "node",
    conditions: ["node"],
    format: "cjs",
    // Threads run as evaluated text, whose own names would else be the thread's global ones: `crypto` cannot be.
    banner: { js: "(() => {" },
    footer: { js: "})();" },
    target: "node20",
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: "eof",
    logLevel: "warning",
    plugins: [inProgram(scripts)],
    metafile: true,
  });
  for (const folder of packagesOf(metafile)) packages.add(folder);
  return outfile;
}

/**
 * Writes the program and the archive.
 * @param ofPage folders of packages that the page contains
 * @throws Error of a program that takes part
 */
export async function buildBinary(ofPage: readonly string[]): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  rmSync(WORK, { recursive: true, force: true });
  const scripts = new Set<string>();
  const packages = new Set(ofPage);
  const main = await bundle("dist/tools/binary/main.js", scripts, packages);
  const assets = Object.fromEntries(ownFiles().map((name) => [name, name]));
  // Grows: a thread may start others.
  for (const script of scripts) assets[script] = await bundle(script, scripts, packages);
  writeFileSync(LICENSES, licensesText(packages, [nodePart()]));
  assets["dist/licenses.txt"] = LICENSES;
  const config = join(WORK, "sea.json");
  const blob = join(WORK, "sea.blob");
  const sea = { main, output: blob, disableExperimentalSEAWarning: true, useCodeCache: true, assets };
  writeFileSync(config, JSON.stringify(sea));
  execFileSync(process.execPath, ["--experimental-sea-config", config], { stdio: "pipe" });
  const program = join(FOLDER, "docteur");
  inject(blob, program);
  const link = join(FOLDER, "solo5-wasm");
  rmSync(link, { force: true });
  symlinkSync("docteur", link);
  await archive(program);
}

/** Writes the archive, whose folders are those of `/usr/local`: the system finds pages and completions there. */
async function archive(program: string): Promise<void> {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const name = `docteur-${version}-${process.platform}-${process.arch}`;
  const work = join(WORK, "archive");
  const place = (path: string): string => {
    const target = join(work, name, path);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  };
  linkSync(program, place("bin/docteur"));
  symlinkSync("docteur", place("bin/solo5-wasm"));
  cpSync("dist/man", place("share/man/man1"), { recursive: true });
  copyFileSync(LICENSES, place("share/doc/docteur/licenses.txt"));
  for (const [shell, path] of Object.entries(COMPLETIONS))
    writeFileSync(place(path), execFileSync(program, ["completion", shell]));
  symlinkSync("docteur", place("share/bash-completion/completions/solo5-wasm"));
  const seconds = Number(process.env.SOURCE_DATE_EPOCH ?? Math.floor(Date.now() / 1000));
  await writeArchive(work, join(FOLDER, `${name}.tar.gz`), seconds);
}

/** Writes a copy of this Node that carries the program. */
function inject(blob: string, program: string): void {
  const temporary = `${program}.new`;
  copyFileSync(process.execPath, temporary);
  chmodSync(temporary, 0o755);
  const postject = join(dirname(createRequire(import.meta.url).resolve("postject")), "cli.js");
  // It warns of notes of ELF that it does not know, which are none of ours.
  execFileSync(process.execPath, [postject, temporary, "NODE_SEA_BLOB", blob, "--sentinel-fuse", FUSE], {
    stdio: "pipe",
  });
  renameSync(temporary, program);
}
