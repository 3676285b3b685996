/** The fuzz targets by name. */
import { chaos } from "./chaos.js";
import { cmdline } from "./cmdline.js";
import { commit } from "./commit.js";
import { deflate } from "./deflate.js";
import { delta } from "./delta.js";
import { deltaEncode } from "./delta-encode.js";
import { idx } from "./idx.js";
import { image } from "./image.js";
import { indexPack } from "./index-pack.js";
import { inflate } from "./inflate.js";
import { layout } from "./layout.js";
import { manifest } from "./manifest.js";
import { seek } from "./seek.js";
import { tar } from "./tar.js";
import { tarExtract } from "./tar-extract.js";
import type { Target } from "./target.js";
import { tree } from "./tree.js";
import { wasiHost } from "./wasi-host.js";
import { zip } from "./zip.js";

export const TARGETS = {
  inflate,
  deflate,
  delta,
  "delta-encode": deltaEncode,
  idx,
  tree,
  commit,
  image,
  "index-pack": indexPack,
  tar,
  "tar-extract": tarExtract,
  zip,
  layout,
  manifest,
  cmdline,
  "wasi-host": wasiHost,
  seek,
  chaos,
} satisfies Record<string, Target>;

export type TargetName = keyof typeof TARGETS;
