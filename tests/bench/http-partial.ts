/** 4 KB of a large file on an HTTP server: by an image with its layout section and without, beside plain ranges and a zip archive. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { HTTPRangeReader, unzip } from "unzipit";
import { open } from "../../src/index.js";
import { stripLayout } from "../../src/layout/files/index.js";
import { make } from "../../src/make/index.js";
import { seeded } from "../support/random.js";
import { SlowServer } from "../support/slow-server.js";
import type { Benchmark } from "./benchmark.js";
import { costOf, rowsOf } from "./http-cost.js";
import { LOG_SIZE, wholeOf, writeLog } from "./large-log.js";
import { createRow, type Row } from "./measure.js";

/** Milliseconds that the server takes before it answers. */
const LATENCY = 20;
/** Bytes of a part. */
const PART = 4096;
/** The places after the look-up of which the most round trips count, and the most that there should be. */
const PLACES = 20;
const TRIPS_MAX = 1;
const BARE = "without the layout section";

/** The two versions of a log, on servers: as an image, one of them as a delta, and as other things. */
interface Logs {
  image: SlowServer;
  bare: SlowServer;
  zip: SlowServer;
  plain: SlowServer;
  /** The path of the version that is stored whole, and of the other one. */
  whole: string;
  delta: string;
}

async function createLogs(work: string, signal: AbortSignal): Promise<Logs> {
  const tree = join(work, "tree");
  mkdirSync(tree);
  writeLog(join(tree, "log"));
  writeLog(join(tree, "log.new"), true);
  const image = join(work, "image");
  await make(tree, image, { signal });
  copyFileSync(image, join(work, "bare"));
  await stripLayout(join(work, "bare"));
  const files = { log: readFileSync(join(tree, "log")), "log.new": readFileSync(join(tree, "log.new")) };
  writeFileSync(join(work, "zip"), zipSync(files));
  const whole = wholeOf(readFileSync(image), tree);
  return {
    image: await SlowServer.start(image, LATENCY),
    bare: await SlowServer.start(join(work, "bare"), LATENCY),
    zip: await SlowServer.start(join(work, "zip"), LATENCY),
    plain: await SlowServer.start(join(tree, "log"), LATENCY),
    whole,
    delta: whole === "log" ? "log.new" : "log",
  };
}

/** The most round trips of a part after the look-up of its path, in volumes just opened. */
async function tripsOf(url: string, path: string): Promise<number> {
  const random = seeded(9);
  let most = 0;
  for (let place = 0; place < PLACES; place++) {
    await using volume = await open(url);
    await volume.stat(path);
    const before = volume.stats().remote!.roundTrips;
    await volume.getPartial(path, random(LOG_SIZE - PART), PART);
    most = Math.max(most, volume.stats().remote!.roundTrips - before);
  }
  return most;
}

/** Measures reads of parts of one of the files. */
async function measurePath(logs: Logs, path: string, corpus: string): Promise<Row[]> {
  const name = "http-partial";
  let random = seeded(8);
  const partOf = async (url: string): Promise<void> => {
    await using volume = await open(url);
    await volume.getPartial(path, random(LOG_SIZE - PART), PART);
  };
  const ours = await costOf(logs.image, () => partOf(logs.image.url));
  random = seeded(8);
  const bare = await costOf(logs.bare, () => partOf(logs.bare.url));
  random = seeded(8);
  const plain = await costOf(logs.plain, async () => {
    const at = random(LOG_SIZE - PART);
    const headers = { range: `bytes=${at}-${at + PART - 1}` };
    await (await fetch(logs.plain.url, { headers })).arrayBuffer();
  });
  const zip = await costOf(logs.zip, async () => {
    const { entries } = await unzip(new HTTPRangeReader(logs.zip.url));
    await entries[path]!.arrayBuffer();
  });
  const trips = await tripsOf(logs.image.url, path);
  const trip = (peer: number, peerName: string): Row =>
    createRow({ name, corpus, unit: "round trips after the look-up", ours: trips, peer, peerName }, "less");
  return [
    ...rowsOf(name, corpus, ours, bare, BARE),
    ...rowsOf(name, corpus, ours, plain, "fetch of the range of a plain file"),
    ...rowsOf(name, corpus, ours, zip),
    trip(TRIPS_MAX, "target"),
    trip(await tripsOf(logs.bare.url, path), BARE),
  ];
}

export const httpPartial: Benchmark = async ({ signal }) => {
  const work = mkdtempSync(join(tmpdir(), "docteur-bench-http-"));
  try {
    const logs = await createLogs(work, signal);
    try {
      return [
        ...(await measurePath(logs, logs.whole, "64 MiB, whole")),
        ...(await measurePath(logs, logs.delta, "64 MiB, a delta")),
      ];
    } finally {
      for (const server of [logs.image, logs.bare, logs.zip, logs.plain]) await server.stop();
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};
