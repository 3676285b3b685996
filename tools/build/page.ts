/** Builds the page: `dist/page` is a folder that any static server serves. */
import { copyFileSync, mkdirSync } from "node:fs";
import { build, type Metafile } from "esbuild";

/** Files that are copied. */
const COPIED = ["index.html", "style.css"];

/** Bundles the page and its worker of the scripts in `dist/src`, which carry their Wasm. @returns of what it is made */
export async function buildPage(): Promise<Metafile> {
  mkdirSync("dist/page", { recursive: true });
  for (const name of COPIED) copyFileSync(`src/page/${name}`, `dist/page/${name}`);
  const { metafile } = await build({
    entryPoints: { page: "dist/src/page/main.js", worker: "dist/src/page/worker.js" },
    outdir: "dist/page",
    bundle: true,
    minify: true,
    platform: "browser",
    conditions: ["browser"],
    format: "esm",
    target: "es2022",
    legalComments: "eof",
    logLevel: "warning",
    metafile: true,
  });
  return metafile;
}
