/**
 * Builds the program in one file, `dist/bin/docteur`: a copy of Node that carries docteur's scripts and files, as of
 * https://nodejs.org/api/single-executable-applications.html. The program runs where there is no Node.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
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
import { scriptsOf, UNBUNDLED } from "./programs.js";

const FOLDER = "dist/bin";
const WORK = "dist/binary";

/** Modules that others replace inside the program, by their paths in the package. */
const REPLACED: Record<string, string> = {
  "dist/src/node/own-files.js": "dist/tools/binary/own-files.js",
  "dist/tools/docteur.js": `dist/tools/docteur${UNBUNDLED}.js`,
  "dist/tools/solo5-wasm.js": `dist/tools/solo5-wasm${UNBUNDLED}.js`,
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

/** Bundles a script of the package into one that has no modules. @returns its path */
async function bundle(script: string, scripts: Set<string>): Promise<string> {
  const outfile = join(WORK, script.replace(/\.js$/, ".cjs"));
  await build({
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
  });
  return outfile;
}

/** Writes the program. @throws Error of a program that takes part */
export async function buildBinary(): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  rmSync(WORK, { recursive: true, force: true });
  const scripts = new Set<string>();
  const main = await bundle("dist/tools/binary/main.js", scripts);
  const assets = Object.fromEntries(ownFiles().map((name) => [name, name]));
  // Grows: a thread may start others.
  for (const script of scripts) assets[script] = await bundle(script, scripts);
  const config = join(WORK, "sea.json");
  const blob = join(WORK, "sea.blob");
  const sea = { main, output: blob, disableExperimentalSEAWarning: true, useCodeCache: true, assets };
  writeFileSync(config, JSON.stringify(sea));
  execFileSync(process.execPath, ["--experimental-sea-config", config], { stdio: "pipe" });
  inject(blob, join(FOLDER, "docteur"));
  const link = join(FOLDER, "solo5-wasm");
  rmSync(link, { force: true });
  symlinkSync("docteur", link);
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
