/**
 * Builds everything into `dist/`: Wasm by asc, JavaScript by esbuild, declarations are left to `tsc`.
 * `--tests` adds the test programs and their Wasm probes. Files that were built from unchanged sources are kept.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { inflateRawSync } from "node:zlib";
import { build } from "esbuild";
import { STATUS } from "../../src/errors.js";
import { createEngine } from "../../src/make/pack/engine.js";
import { parseManifest } from "../../src/tender/manifest.js";
import { concat, customSection } from "../../src/wasm-binary/write.js";
import { buildBinary } from "./binary.js";
import { copyKit } from "./kit.js";
import { licensesText, packagesOf } from "./licenses.js";
import { buildManPages } from "./man.js";
import { BASES, makeObjectFile } from "./object-file.js";
import { buildPage } from "./page.js";
import { buildPrograms, UNBUNDLED } from "./programs.js";

/** One run of asc. */
interface WasmJob {
  entry: string;
  output: string;
  debug: boolean;
  simd: boolean;
  /** Whether size counts for more than asconfig.json has it. */
  isSmall: boolean;
  /** Modules with another source than the file of that name: the binding that a guest is linked with. */
  sources: Record<string, string>;
  /** Solo5's manifest, for a guest of the tender's. */
  manifest?: string;
  /** Whether an object file is made, instead of a module. */
  isObject?: boolean;
}

/** Guests that are built as WASI commands too. The others try the hypercalls themselves. */
const WASI_GUESTS = ["hello", "simple"];

/** The guest that `docteur bundle --wasi` takes. */
const BUNDLED_GUEST = "simple";

/** Entries that are linked with the modules built for speed. */
const FAST = ["asm/verifier.ts", join("tests", "asm", "verifier-marked.ts")];

/** Statuses that `simple` has a sentence for, or that no operation of a synchronous guest, which proves nothing, ends with. */
const UNNAMED = new Set<string>([
  ...["Ok", "Again", "NotFound", "ValueExpected", "DictionaryExpected", "SymlinkLoop", "Submodule"],
  ...["OutOfMemory", "PathTooLong", "OtherCommit", "Collision"],
]);

/** A static array of bytes, in AssemblyScript: its address. */
function byteArray(name: string, bytes: Iterable<number>): string {
  return `export const ${name}: usize = memory.data<u8>([${[...bytes, 0].join(", ")}]);\n`;
}

function statusNames(unnamed: ReadonlySet<string> = new Set()): string {
  const named = Object.entries(STATUS).filter(([name]) => !unnamed.has(name));
  return named.map(([name, number]) => `${number}${name}`).join("");
}

/** Sources of guests' own: names, fewer features, and a SHA-1 that is small where the core's is fast. */
const GUEST_SOURCES: Record<string, string> = {
  "guest/lib/status-names.ts": byteArray("names", Buffer.from(statusNames(UNNAMED))),
  "asm/base/features.ts": 'export * from "../../guest/small/features";\n',
  "asm/checksum/sha1.ts": 'export * from "../../guest/small/sha1";\n',
};

/** Sources of the guest kit: `GUEST_SOURCES` with more features. */
const KIT_SOURCES: Record<string, string> = {
  ...GUEST_SOURCES,
  "guest/lib/status-names.ts": byteArray("names", Buffer.from(statusNames())),
  "asm/base/features.ts": 'export * from "../../guest/kit/features";\n',
};

/** Probes of the tests that are built with the kit's sources. */
const KIT_PROBES = [join("tests", "asm", "shared-heap.ts")];

/** Modules built for speed with SIMD: they are larger and have equal exports. */
const FAST_SOURCES: Record<string, string> = {
  "asm/checksum/sha1dc-blocks.ts": 'export * from "./sha1dc-four";\n',
};

/** The sources that make a guest a WASI command for `docteur bundle`: it has no devices of WASI's. */
function bundledSources(name: string): Record<string, string> {
  return {
    ...wasiSources(name, JSON.stringify({ type: "solo5.manifest", version: 1, devices: [] })),
    "guest/bindings/solo5.ts": 'export * from "./wasi-bundled";\n',
    "asm/device/hypercall.ts": readFileSync("asm/device/hypercall.ts", "utf8"),
  };
}

/** The sources that make a guest a WASI command instead of a Solo5 unikernel: links to others, and its manifest. */
function wasiSources(name: string, manifest: string): Record<string, string> {
  const names = parseManifest([new TextEncoder().encode(manifest).buffer]).devices.map((device) => {
    if (device.type !== "BLOCK_BASIC") throw new Error(`${name}: the WASI binding has block devices only`);
    return [...Buffer.from(`${device.name}\0`)];
  });
  return {
    ...GUEST_SOURCES,
    "guest/bindings/solo5.ts": 'export * from "./wasi";\n',
    "asm/device/hypercall.ts": 'export * from "../../guest/bindings/wasi-hypercall";\n',
    "guest/bindings/guest.ts": `export * from "../${name}/main";\n`,
    "guest/bindings/manifest.ts": `export const count: u32 = ${names.length};\n${byteArray("names", names.flat())}`,
  };
}

/** Sources whose scripts are replaced by bundles. */
const PROGRAMS = ["tools/docteur.ts", "tools/solo5-wasm.ts"];

const STAMPS = "dist/.stamps.json";

function files(folder: string, suffix: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(suffix) && !name.includes("node_modules"))
    .sort();
}

function wasmJobs(tests: boolean): WasmJob[] {
  const jobs: WasmJob[] = [];
  const add = (entry: string, stem: string, debug: boolean, extra: Partial<WasmJob> = {}): void => {
    for (const simd of [false, true]) {
      const output = `${stem}${debug ? ".debug" : ""}${simd ? ".simd" : ""}.wasm`;
      const sources = simd && FAST.includes(entry) ? FAST_SOURCES : {};
      jobs.push({ entry, output, debug, simd, isSmall: false, sources, ...extra });
    }
  };
  // Others ship the core and the guests along with each image.
  const shipped = { isSmall: true };
  for (const name of ["core", "packer", "verifier"]) {
    add(`asm/${name}.ts`, `dist/${name}`, false, name === "core" ? shipped : {});
    if (tests) add(`asm/${name}.ts`, `dist/${name}`, true);
  }
  const kit = { ...shipped, sources: KIT_SOURCES };
  jobs.push({
    entry: "guest/kit/reader.ts",
    output: "dist/kit/docteur.o",
    debug: false,
    simd: false,
    isObject: true,
    ...kit,
  });
  for (const main of files("guest", "main.ts")) {
    const name = relative("guest", dirname(main));
    const manifest = JSON.stringify(JSON.parse(readFileSync(join(dirname(main), "manifest.json"), "utf8")));
    add(main, `dist/guest/${name}`, false, { ...shipped, manifest, sources: GUEST_SOURCES });
    if (WASI_GUESTS.includes(name))
      add("guest/bindings/wasi-start.ts", `dist/guest/${name}.wasi`, false, {
        ...shipped,
        sources: wasiSources(name, manifest),
      });
    if (name === BUNDLED_GUEST) {
      const sources = bundledSources(name);
      add("guest/bindings/wasi-start.ts", `dist/guest/${name}.bundled`, false, { ...shipped, sources });
    }
  }
  if (tests) {
    for (const probe of files("tests/asm", ".ts")) {
      const stem = join("dist", probe).replace(/\.ts$/, "");
      const extra = KIT_PROBES.includes(probe) ? { sources: KIT_SOURCES } : {};
      add(probe, stem, false, extra);
      add(probe, stem, true, extra);
    }
  }
  return jobs;
}

/**
 * Compiles a module.
 * @param options more options of asc
 * @throws Error with the messages of asc
 */
async function runAsc(job: WasmJob, options: readonly string[] = []): Promise<Uint8Array> {
  const { default: asc } = await import("assemblyscript/asc");
  const outputs = new Map<string, Uint8Array | string>();
  const args = [job.entry, "--config", "asconfig.json", "--target", job.debug ? "debug" : "release"];
  args.push("--outFile", job.output, ...options);
  if (job.simd) args.push("--enable", "simd");
  if (job.isSmall) args.push("--shrinkLevel", "2");
  const result = await asc.main(args, {
    readFile: (name: string, base: string) => {
      const path = join(base, name);
      try {
        // Its entry is the core: only the core is to have its exports.
        if (path === "asconfig.json")
          return JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), entries: [] });
        return job.sources[path] ?? readFileSync(path, "utf8");
      } catch {
        return null;
      }
    },
    writeFile: (name: string, contents: Uint8Array | string) => {
      outputs.set(name, contents);
    },
    listFiles: () => null,
  });
  if (result.error !== null) throw new Error(result.stderr.toString());
  return outputs.get(job.output) as Uint8Array;
}

/** Compiles the guest kit's reader for several addresses, and makes an object file of it. */
async function compileObject(job: WasmJob): Promise<Uint8Array> {
  const builds = [];
  for (const base of BASES) builds.push({ base, bytes: await runAsc(job, ["--memoryBase", String(base)]) });
  return makeObjectFile(builds, "docteur_mount", "staticEnd");
}

async function compile(job: WasmJob): Promise<void> {
  let bytes = job.isObject === true ? await compileObject(job) : await runAsc(job);
  if (job.manifest !== undefined) {
    const abi = JSON.stringify({ target: "wasm", version: 1 });
    bytes = concat(bytes, customSection("solo5.abi", abi), customSection("solo5.manifest", job.manifest));
  }
  mkdirSync(dirname(job.output), { recursive: true });
  writeFileSync(job.output, bytes);
}

/** Compiles the modules whose stamps are stale, with a worker thread per processor. */
async function buildWasm(tests: boolean): Promise<void> {
  const hash = createHash("sha256").update(process.version);
  const inputs = [...files("asm", ".ts"), ...files("guest", ".ts"), ...files("guest", ".json")];
  for (const name of [
    ...inputs,
    "tools/build/build.ts",
    ...files("src/wasm-binary", ".ts"),
    "tools/build/object-file.ts",
    "src/errors.ts",
    "src/tender/manifest.ts",
    "asconfig.json",
    "package-lock.json",
  ])
    hash.update(`${name}\0`).update(readFileSync(name));
  const common = hash.digest("hex");
  const stampOf = (job: WasmJob): string =>
    createHash("sha256")
      .update(common)
      .update(JSON.stringify(job))
      .update(readFileSync(job.entry))
      .digest("hex");
  const stamps: Record<string, string> = existsSync(STAMPS) ? JSON.parse(readFileSync(STAMPS, "utf8")) : {};
  const stale = wasmJobs(tests).filter(
    (job) => stamps[job.output] !== stampOf(job) || !existsSync(job.output),
  );
  const failures = new Set<string>();
  const queue = [...stale];
  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url));
      const next = (): void => {
        const job = queue.shift();
        if (job === undefined) {
          void worker.terminate().then(() => resolve());
          return;
        }
        worker.once("message", (error: string) => {
          if (error !== "") failures.add(error);
          else stamps[job.output] = stampOf(job);
          next();
        });
        worker.postMessage(job);
      };
      worker.once("error", reject);
      next();
    });
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), stale.length) }, run));
  writeFileSync(STAMPS, JSON.stringify(stamps, null, 1));
  if (failures.size > 0) throw new Error([...failures].join("\n"));
}

/** Deflates by the packer that was just built: its streams are smaller than zlib's. @returns a raw deflate stream */
function deflate(bytes: Uint8Array): Uint8Array {
  const packer = createEngine(new WebAssembly.Module(readFileSync("dist/packer.wasm")));
  const from = packer.alloc(bytes.length);
  const room = packer.deflateBound(bytes.length);
  const to = packer.alloc(room);
  new Uint8Array(packer.memory.buffer).set(bytes, from);
  const length = packer.zlibDeflate(from, bytes.length, to, room);
  // Without the header of the zlib stream, and its checksum.
  return new Uint8Array(packer.memory.buffer).slice(to + 2, to + length - 4);
}

/** The Wasm that scripts carry, in the form that `src/wasm/inlined/text.ts` reads, by the names that stand for it. */
function inlinedWasm(): Record<string, string> {
  const texts = ["core", "packer", "verifier"].map((name) => {
    const bytes = readFileSync(`dist/${name}.simd.wasm`);
    const stream = Buffer.from(deflate(bytes));
    if (!inflateRawSync(stream).equals(bytes))
      throw new Error(`${name}.simd.wasm is not what its stream holds`);
    const text = `${bytes.length}:${stream.toString("base64")}`;
    return [`DOCTEUR_${name.toUpperCase()}`, JSON.stringify(text)];
  });
  return Object.fromEntries(texts);
}

/** The path of a module's script in `dist/`, without its suffix. */
function outputOf(name: string): string {
  const stem = name.replace(/\.ts$/, "");
  return PROGRAMS.includes(name) ? `${stem}${UNBUNDLED}` : stem;
}

/** Compiles the TypeScript file by file: `dist/` mirrors the tree, so that `import.meta.url` finds the Wasm. */
async function buildJavaScript(tests: boolean): Promise<void> {
  const folders = tests ? ["src", "tools", "tests"] : ["src", "tools"];
  const entryPoints = folders
    .flatMap((folder) => files(folder, ".ts"))
    .filter((name) => !name.startsWith(join("tests", "asm")) && name !== "tools/build/build.ts")
    .filter((name) => !name.endsWith(".d.ts"));
  const outputs = new Set(entryPoints.map((name) => `${outputOf(name)}.js`));
  for (const folder of folders)
    for (const old of files(join("dist", folder), ".js"))
      if (!outputs.has(relative("dist", old))) rmSync(old);
  await build({
    entryPoints: entryPoints.map((name) => ({ in: name, out: outputOf(name) })),
    outdir: "dist",
    bundle: false,
    platform: "node",
    format: "esm",
    target: "node20",
    define: inlinedWasm(),
    sourcemap: true,
    logLevel: "warning",
  });
}

if (isMainThread) {
  const tests = process.argv.includes("--tests");
  try {
    copyKit("guest/kit/index.ts", "dist/kit", KIT_SOURCES);
    await buildWasm(tests);
    await buildJavaScript(tests);
    await buildPrograms();
    const ofPage = packagesOf(await buildPage());
    writeFileSync("dist/licenses.txt", licensesText(ofPage));
    await buildManPages();
    if (process.argv.includes("--binary")) await buildBinary(ofPage);
  } catch (error) {
    console.error(`build: ${(error as Error).message}`);
    process.exitCode = 1;
  }
} else {
  parentPort!.on("message", (job: WasmJob) => {
    compile(job).then(
      () => parentPort!.postMessage(""),
      (error) => parentPort!.postMessage(`${job.output}: ${(error as Error).message}`),
    );
  });
}
