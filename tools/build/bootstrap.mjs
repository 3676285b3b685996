// Compiles the build script, which is TypeScript like the rest, and runs it: Node 20 does not read types.
import { mkdirSync } from "node:fs";
import { buildSync } from "esbuild";

mkdirSync("dist", { recursive: true });
buildSync({
  entryPoints: ["tools/build/build.ts"],
  outfile: "dist/build.mjs",
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
});
await import("../../dist/build.mjs");
