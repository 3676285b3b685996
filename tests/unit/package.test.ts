/** The package as users install it: its declarations need no others than those that its users have, and it has the schemas. */
import assert from "node:assert/strict";
import { readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { installPacked, packedPackage } from "../support/packed.js";
import { temporaryFolder } from "../support/temporary.js";

const MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));
const TYPES = join(MODULES, "@types");

/** Subpaths that run in browsers, and every other. */
const UNIVERSAL = [
  "",
  "/abi",
  "/diff",
  "/emscripten",
  "/fs",
  "/http",
  "/make",
  "/sync",
  "/tender",
  "/url",
  "/verify",
  "/worker",
  "/webdav",
];
const ALL = [...UNIVERSAL, "/oci", "/tender/supervise"];

const bundler = { module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler };
const node = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
const page = { lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [] };
const server = { lib: ["lib.es2022.d.ts"], types: ["node"], typeRoots: [TYPES] };

/** The declarations of @zenfs/core need newer ones of Node than these: only what imports them is checked. */
const lax = { skipLibCheck: true };

const PROGRAMS: Record<string, { options: ts.CompilerOptions; subpaths: readonly string[] }> = {
  "a page": { options: { ...bundler, ...page }, subpaths: UNIVERSAL },
  "a page, by the condition for browsers": {
    options: { ...bundler, ...page, customConditions: ["browser"] },
    subpaths: UNIVERSAL,
  },
  "a page, without a bundler": { options: { ...node, ...page }, subpaths: UNIVERSAL },
  "a server": { options: { ...node, ...server }, subpaths: ALL },
  "a server's bundle": { options: { ...bundler, ...server }, subpaths: ALL },
  "a page with ZenFS": { options: { ...bundler, ...page, ...lax }, subpaths: ["", "/sync", "/zenfs"] },
  "a server with ZenFS": { options: { ...node, ...server, ...lax }, subpaths: ["", "/sync", "/zenfs"] },
};

test("schemas of the commands are in the package", () => {
  const schemas = (root: string): string[] => readdirSync(join(root, "docs/schemas")).sort();
  assert.deepEqual(schemas(packedPackage().folder), schemas(process.cwd()));
});

test("declarations are enough for strict programs", async (t) => {
  const folder = temporaryFolder(t);
  installPacked(folder);
  symlinkSync(join(MODULES, "@zenfs"), join(folder, "node_modules/@zenfs"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const host = ts.createCompilerHost({});
  const known = new Map<string, ts.SourceFile | undefined>();
  const { getSourceFile } = host;
  host.getSourceFile = (name, options) => {
    if (!name.endsWith(".d.ts")) return getSourceFile(name, options);
    if (!known.has(name)) known.set(name, getSourceFile(name, options));
    return known.get(name);
  };
  for (const [name, { options, subpaths }] of Object.entries(PROGRAMS))
    await t.test(name, () => {
      const imports = subpaths.map((subpath, at) => `import * as m${at} from "docteur${subpath}";`);
      const text = `${imports.join("\n")}
import core from "docteur/core.simd.wasm";
import { open, type Entry } from "docteur";
export const modules = [${subpaths.map((_, at) => `m${at}`).join(", ")}];
export async function read(source: Uint8Array): Promise<Entry[]> {
  const volume = await open(source, { module: core, memoryLimit: 8 << 20 });
  const content: Uint8Array = await volume.get("/a");
  return content.length > 0 ? volume.list("/", { sizes: true }) : [];
}
`;
      const file = join(folder, `${name.replaceAll(/\W+/g, "-")}.ts`);
      writeFileSync(file, text);
      const all = { skipLibCheck: false, strict: true, noEmit: true, target: ts.ScriptTarget.ES2022 };
      const program = ts.createProgram([file], { ...all, ...options }, host);
      const found = ts.getPreEmitDiagnostics(program);
      assert.equal(ts.formatDiagnostics(found, host), "");
    });
});
