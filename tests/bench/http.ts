/** Images on an HTTP server that takes 20 ms to answer, beside zip archives of the same files and a clone by isomorphic-git. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zipSync } from "fflate";
import { HTTPRangeReader, unzip } from "unzipit";
import { open, type Volume } from "../../src/index.js";
import { stripLayout } from "../../src/layout/files/index.js";
import { make } from "../../src/make/index.js";
import { type Random, seeded } from "../support/random.js";
import { SlowServer } from "../support/slow-server.js";
import type { Benchmark, Context } from "./benchmark.js";
import { ClonedSite } from "./http-clone.js";
import { type Cost, costOf, rowsOf } from "./http-cost.js";
import { httpPartial } from "./http-partial.js";
import { httpWhole } from "./http-whole.js";
import { createRow, type Row } from "./measure.js";
import { ISOMORPHIC_GIT } from "./versions.js";

/** Milliseconds that the server takes before it answers. */
const LATENCY = 20;
/** Files of the two trees that are measured. */
const SIZES = [5_000, 50_000] as const;
/** Files that are read at once, and one after another. */
const PARALLEL = 20;
const RANDOM = 100;
/** Round trips to a first file, at the most. */
const FIRST_FILE_MAX = 3;
/** The peer that shows what the layout section is good for. */
const BARE = "without the layout section";

const WORDS = "image block device sector path tree blob commit delta chain index cache page range read".split(
  " ",
);

/** Text that deflates to about a third, as sources do. */
function randomText(random: Random): string {
  const length = 40 + random(160);
  return Array.from(
    { length },
    () => WORDS[random(WORDS.length)]! + (random(8) ? " " : `${random(1e6)}\n`),
  ).join("");
}

/** A tree of small files, fifty in a directory, on servers: as an image, as a zip archive and as a repository. */
interface Site {
  name: string;
  image: SlowServer;
  /** The image without its layout section. */
  bare: SlowServer;
  zip: SlowServer;
  repository: ClonedSite;
  paths: string[];
}

async function createSite(count: number): Promise<Site> {
  const work = mkdtempSync(join(tmpdir(), "docteur-bench-http-"));
  try {
    const random = seeded(count);
    const files: Record<string, Uint8Array> = {};
    for (let index = 0; index < count; index++) {
      const path = `d${Math.floor(index / 2500)}/e${Math.floor(index / 50)}/file${index}.txt`;
      files[path] = Buffer.from(randomText(random));
      mkdirSync(dirname(join(work, "tree", path)), { recursive: true });
      writeFileSync(join(work, "tree", path), files[path]);
    }
    await make(join(work, "tree"), join(work, "image"));
    copyFileSync(join(work, "image"), join(work, "bare"));
    await stripLayout(join(work, "bare"));
    writeFileSync(join(work, "zip"), zipSync(files));
    return {
      name: `${count / 1000}k files`,
      image: await SlowServer.start(join(work, "image"), LATENCY),
      bare: await SlowServer.start(join(work, "bare"), LATENCY),
      zip: await SlowServer.start(join(work, "zip"), LATENCY),
      repository: await ClonedSite.start(join(work, "tree"), LATENCY),
      paths: Object.keys(files),
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const sites = new Map<number, Promise<Site>>();

/** Made once for all benchmarks. */
function siteOf(count: number): Promise<Site> {
  let site = sites.get(count);
  if (site === undefined) {
    site = createSite(count);
    sites.set(count, site);
  }
  return site;
}

/** Opens an image, does something with it, and closes it. */
async function withVolume<T>(url: string, use: (volume: Volume) => Promise<T>, cache?: string): Promise<T> {
  const volume = await open(url, { cache });
  try {
    return await use(volume);
  } finally {
    await volume.close();
  }
}

/** Measures both trees, and stops their servers after the last benchmark. */
function onBoth(measure: (site: Site, context: Context) => Promise<Row[]>): Benchmark {
  return async (context) => {
    const rows: Row[] = [];
    for (const count of SIZES) {
      context.signal.throwIfAborted();
      rows.push(...(await measure(await siteOf(count), context)));
    }
    return rows;
  };
}

/** Opens with a cache that an earlier opening has filled. */
async function warmCost(site: Site, use: (volume: Volume) => Promise<unknown>): Promise<Cost> {
  const cache = mkdtempSync(join(tmpdir(), "docteur-bench-cache-"));
  try {
    await withVolume(site.image.url, use, cache);
    return await costOf(site.image, () => withVolume(site.image.url, use, cache));
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}

/** Some paths, others for each seed. */
function pathsOf(site: Site, count: number, seed: number): string[] {
  const random = seeded(seed);
  return Array.from({ length: count }, () => site.paths[random(site.paths.length)]!);
}

const readAll = async (volume: Volume, paths: readonly string[]): Promise<void> => {
  await Promise.all(paths.map((path) => volume.get(path)));
};

const httpOpen = onBoth(async (site) => {
  const ours = await costOf(site.image, () => withVolume(site.image.url, async () => undefined));
  const theirs = await costOf(site.zip, () => unzip(new HTTPRangeReader(site.zip.url)));
  const warm = await warmCost(site, async () => undefined);
  return [
    ...rowsOf("http-open", site.name, ours, theirs),
    ...rowsOf("http-open warm", site.name, warm, theirs),
  ];
});

const httpFirstFile = onBoth(async (site) => {
  let seed = 1;
  let roundTrips = 0;
  const first = async (volume: Volume, path: string): Promise<void> => {
    await volume.get(path);
    roundTrips = Math.max(roundTrips, volume.stats().remote!.roundTrips);
  };
  const firstOf = (server: SlowServer): Promise<Cost> => {
    seed = 1;
    return costOf(server, () =>
      withVolume(server.url, (volume) => first(volume, pathsOf(site, 1, seed++)[0]!)),
    );
  };
  const bare = await firstOf(site.bare);
  const tripsOfBare = roundTrips;
  roundTrips = 0;
  const ours = await firstOf(site.image);
  seed = 1;
  const theirs = await costOf(site.zip, async () => {
    const { entries } = await unzip(new HTTPRangeReader(site.zip.url));
    await entries[pathsOf(site, 1, seed++)[0]!]!.arrayBuffer();
  });
  const warm = await warmCost(site, (volume) => volume.get(pathsOf(site, 1, 1)[0]!));
  const cloned = await site.repository.readCost(pathsOf(site, 1, 1));
  const trips = (peer: number, peerName: string): Row =>
    createRow(
      {
        name: "http-first-file",
        corpus: site.name,
        unit: "round trips, the most",
        ours: roundTrips,
        peer,
        peerName,
      },
      "less",
    );
  return [
    ...rowsOf("http-first-file", site.name, ours, theirs),
    ...rowsOf("http-first-file", site.name, ours, cloned, ISOMORPHIC_GIT),
    ...rowsOf("http-first-file", site.name, ours, bare, BARE),
    trips(FIRST_FILE_MAX, "target"),
    trips(tripsOfBare, BARE),
    ...rowsOf("http-first-file warm", site.name, warm, theirs),
  ];
});

const httpList = onBoth(async (site) => {
  const list = async (volume: Volume): Promise<void> => {
    let count = 0;
    for await (const { kind } of volume.walk("/", { oids: false })) if (kind === "file") count++;
    if (count !== site.paths.length) throw new Error(`${count} files are listed, not ${site.paths.length}`);
  };
  const ours = await costOf(site.image, () => withVolume(site.image.url, list));
  const bare = await costOf(site.bare, () => withVolume(site.bare.url, list));
  const theirs = await costOf(site.zip, () => unzip(new HTTPRangeReader(site.zip.url)));
  const warm = await warmCost(site, list);
  const cloned = await site.repository.listCost(site.paths.length);
  return [
    ...rowsOf("http-list", site.name, ours, theirs),
    ...rowsOf("http-list", site.name, ours, cloned, ISOMORPHIC_GIT),
    ...rowsOf("http-list", site.name, ours, bare, BARE),
    ...rowsOf("http-list warm", site.name, warm, theirs),
  ];
});

const httpRandom = onBoth(async (site) => {
  let seed = 1;
  const randomOf = (server: SlowServer): Promise<Cost> => {
    seed = 1;
    return costOf(server, () =>
      withVolume(server.url, async (volume) => {
        for (const path of pathsOf(site, RANDOM, seed++)) await volume.get(path);
      }),
    );
  };
  const ours = await randomOf(site.image);
  const bare = await randomOf(site.bare);
  seed = 1;
  const theirs = await costOf(site.zip, async () => {
    const { entries } = await unzip(new HTTPRangeReader(site.zip.url));
    for (const path of pathsOf(site, RANDOM, seed++)) await entries[path]!.arrayBuffer();
  });
  const cloned = await site.repository.readCost(pathsOf(site, RANDOM, 1));
  return [
    ...rowsOf("http-random", site.name, ours, theirs),
    ...rowsOf("http-random", site.name, ours, cloned, ISOMORPHIC_GIT),
    ...rowsOf("http-random", site.name, ours, bare, BARE),
  ];
});

const httpParallel = onBoth(async (site) => {
  let seed = 1;
  const parallelOf = (server: SlowServer): Promise<Cost> => {
    seed = 1;
    return costOf(server, () =>
      withVolume(server.url, (volume) => readAll(volume, pathsOf(site, PARALLEL, seed++))),
    );
  };
  const ours = await parallelOf(site.image);
  const bare = await parallelOf(site.bare);
  seed = 1;
  const theirs = await costOf(site.zip, async () => {
    const { entries } = await unzip(new HTTPRangeReader(site.zip.url));
    await Promise.all(pathsOf(site, PARALLEL, seed++).map((path) => entries[path]!.arrayBuffer()));
  });
  const cloned = await site.repository.readCost(pathsOf(site, PARALLEL, 1));
  return [
    ...rowsOf("http-parallel", site.name, ours, theirs),
    ...rowsOf("http-parallel", site.name, ours, cloned, ISOMORPHIC_GIT),
    ...rowsOf("http-parallel", site.name, ours, bare, BARE),
  ];
});

/** Stops the servers: they would keep the process alive. */
export async function stopSites(): Promise<void> {
  for (const site of sites.values()) {
    const { image, bare, zip, repository } = await site;
    await image.stop();
    await bare.stop();
    await zip.stop();
    repository.stop();
  }
  sites.clear();
}

export const HTTP: Record<string, Benchmark> = {
  "http-open": httpOpen,
  "http-first-file": httpFirstFile,
  "http-list": httpList,
  "http-random": httpRandom,
  "http-parallel": httpParallel,
  "http-partial": httpPartial,
  "http-whole": httpWhole,
};
