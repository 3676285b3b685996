/**
 * Bundles the programs: `dist/tools/docteur.js`, `dist/tools/solo5-wasm.js`, and beside them their commands, the scripts
 * of threads, and what these share. Node takes about half a millisecond for each module that it loads, and the smallest
 * command imports a hundred.
 */
import { readFileSync } from "node:fs";
import { basename, posix, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";

const FOLDER = "dist/tools";

/** The suffix of the programs' own modules, which stand beside the bundles. */
export const UNBUNDLED = ".module";

/** The programs: of the first, each command is a bundle of its own. */
const DOCTEUR = `${FOLDER}/docteur${UNBUNDLED}.js`;
const TENDER = `${FOLDER}/solo5-wasm${UNBUNDLED}.js`;

/** Commands that only read. What they import is the base: one chunk, which all commands load. */
const READERS = ["ls", "cat"].map((name) => `${FOLDER}/commands/${name}.js`);

/** A script that imports this part of the base loads all of it. The others carry what they import. */
const BASE_SHARE = 0.3;

/** The dependency that every command needs. The others are loaded from their packages. */
const LOADER = "@assemblyscript/loader";

/** The module that imports the whole base. */
const BASE = "docteur:base";

/** A module's URL, or the URL of a script, whose path it captures. */
const OWN_URL = /new URL\("(\.{1,2}\/[^"]+\.js)", import\.meta\.url\)|\bimport\.meta\.url\b/g;

/** Modules with a function that loads all commands, by its name: the build calls it, and bundles have what it returns. */
const COMPUTED: Record<string, string> = {
  [`${FOLDER}/commands/general-help.js`]: "generalHelp",
  [`${FOLDER}/completion/commands.js`]: "completedCommands",
  [`${FOLDER}/completion/tender.js`]: "completedTender",
};

const OPTIONS = {
  outdir: FOLDER,
  bundle: true,
  platform: "node",
  conditions: ["node"],
  format: "esm",
  target: "node20",
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: "eof",
  logLevel: "warning",
  // The imports of the base, which only make the chunk.
  logOverride: { "ignored-bare-import": "silent" },
} satisfies BuildOptions;

/** The scripts that a module names by their URLs: they run in threads, or as programs. */
export function scriptsOf(name: string, source: string): string[] {
  return [...source.matchAll(OWN_URL)].flatMap(([, path]) =>
    path === undefined ? [] : posix.join(posix.dirname(name), path),
  );
}

/** The name of a script's bundle. */
function bundleOf(script: string): string {
  const name = script.replace(/\.js$/, "");
  return name.startsWith(FOLDER)
    ? basename(name, UNBUNDLED)
    : relative("dist/src", name).replaceAll("/", "-");
}

/** Makes modules find their files: others of the package where these are, and scripts where their bundles are. */
function findFiles(): Plugin {
  return {
    name: "find-files",
    setup(hooks) {
      hooks.onResolve({ filter: /^[^.#/]/ }, ({ path, kind }) =>
        kind === "entry-point" || path === LOADER || path === BASE ? undefined : { path, external: true },
      );
      // Inflating what scripts carry takes longer than reading files.
      hooks.onResolve({ filter: /^#wasm\// }, ({ path }) => ({ path: path.slice(6), namespace: "wasm" }));
      hooks.onLoad({ filter: /./, namespace: "wasm" }, ({ path }) => ({
        contents: `import { readOwn } from "./dist/src/node/own-files.js";
          const file = (name) => new Uint8Array(readOwn(new URL("../" + name, import.meta.url)));
          export const build = { name: "${path}", simd: () => file("${path}.simd.wasm"), file };`,
        resolveDir: process.cwd(),
      }));
    },
  };
}

/** What a module imports at once, itself and through others. */
function importsOf(entry: string, { inputs }: Metafile): Set<string> {
  const found = new Set([entry]);
  for (const name of found)
    for (const { kind, path, external } of inputs[name]!.imports)
      if (kind === "import-statement" && external !== true) found.add(path);
  return found;
}

/** The modules that are imported when they are needed, such as commands. */
function importedLater({ inputs }: Metafile): string[] {
  return Object.values(inputs).flatMap(({ imports }) =>
    imports
      .filter(({ kind, external }) => kind === "dynamic-import" && external !== true)
      .map(({ path }) => path),
  );
}

/** The modules of the programs, and their scripts: those of the programs themselves, and those that modules name. */
async function survey(): Promise<{ metafile: Metafile; scripts: string[] }> {
  const scripts = [DOCTEUR, TENDER];
  for (;;) {
    const count = scripts.length;
    const { metafile } = await build({
      ...OPTIONS,
      entryPoints: scripts,
      packages: "external",
      write: false,
      metafile: true,
    });
    for (const name of Object.keys(metafile.inputs))
      for (const script of scriptsOf(name, readFileSync(name, "utf8")))
        if (!scripts.includes(script)) scripts.push(script);
    if (scripts.length === count) return { metafile, scripts };
  }
}

/** The sources that bundles have in place of `COMPUTED`. */
async function computed(): Promise<Map<string, string>> {
  const sources = new Map<string, string>();
  for (const [name, key] of Object.entries(COMPUTED)) {
    const module = (await import(pathToFileURL(name).href)) as Record<string, () => Promise<unknown>>;
    const value = JSON.stringify(await module[key]!());
    sources.set(name, `export const ${key} = async () => (${value});`);
  }
  return sources;
}

/**
 * Loads modules with the URLs that their bundles need, and has entries import the whole base. esbuild makes a chunk of
 * the modules that the same entries reach: so the base is one.
 */
function loadModules(
  base: ReadonlySet<string>,
  entries: ReadonlySet<string>,
  sources: ReadonlyMap<string, string>,
): Plugin {
  return {
    name: "load-modules",
    setup(hooks) {
      hooks.onResolve({ filter: /^docteur:base$/ }, ({ path }) => ({
        path,
        namespace: "base",
        sideEffects: true,
      }));
      hooks.onLoad({ filter: /./, namespace: "base" }, () => ({
        contents: [...base].map((name) => `import "./${name}";`).join("\n"),
        resolveDir: process.cwd(),
      }));
      hooks.onLoad({ filter: /[\\/]dist[\\/](src|tools)[\\/].*\.js$/ }, ({ path }) => {
        const name = relative(process.cwd(), path);
        const own = JSON.stringify(`./${relative(FOLDER, name)}`);
        const source = sources.get(name) ?? readFileSync(path, "utf8");
        const contents = source.replaceAll(OWN_URL, (_, script?: string) =>
          script === undefined
            ? `new URL(${own}, import.meta.url)`
            : `new URL("./${bundleOf(posix.join(posix.dirname(name), script))}.js", import.meta.url)`,
        );
        return { contents: entries.has(name) ? `${contents}\nimport "${BASE}";\n` : contents };
      });
    },
  };
}

/** Writes the bundles. Those of earlier builds are gone: see `buildJavaScript`. */
export async function buildPrograms(): Promise<void> {
  const { metafile, scripts } = await survey();
  const base = new Set([DOCTEUR, ...READERS].flatMap((name) => [...importsOf(name, metafile)]));
  for (const name of [DOCTEUR, ...READERS]) base.delete(name);
  const sharesBase = (script: string): boolean =>
    [...importsOf(script, metafile)].filter((name) => base.has(name)).length >= BASE_SHARE * base.size;
  const sharing = new Set([DOCTEUR, ...scripts.filter(sharesBase)]);
  const entries = new Set([...sharing, ...importedLater(metafile)]);
  const entryPoints = (names: Iterable<string>): Record<string, string> =>
    Object.fromEntries([...names].map((name) => [bundleOf(name), name]));
  await build({
    ...OPTIONS,
    entryPoints: entryPoints(sharing),
    splitting: true,
    chunkNames: "[name]-[hash]",
    plugins: [findFiles(), loadModules(base, entries, await computed())],
  });
  await build({
    ...OPTIONS,
    entryPoints: entryPoints(scripts.filter((name) => !sharing.has(name))),
    plugins: [findFiles(), loadModules(new Set(), new Set(), new Map())],
  });
}
