/** One large file over HTTP: the device alone, and the file by way of an image, beside plain downloads of the image. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { readWhenReady } from "../../src/devices/device.js";
import { openHttp } from "../../src/devices/http.js";
import { RemoteDevice } from "../../src/devices/remote.js";
import { open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { SlowServer } from "../support/slow-server.js";
import type { Benchmark } from "./benchmark.js";
import { alternate, createRow, type Row, timed } from "./measure.js";
import { packEntries, TYPE } from "./streams.js";
import { NODE_ZLIB } from "./versions.js";

/** Milliseconds that the server takes before it answers. */
const LATENCY = 20;
/** Bytes of the file. */
const LARGE = 64 << 20;
type Six = [number, number, number, number, number, number];
/** Bytes of one read of the device. */
const READ = 0x10000;

async function streamFile(source: string): Promise<void> {
  const volume = await open(source);
  const reader = volume.stream("/large").getReader();
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) length += part.value.length;
  await volume.close();
  if (length !== LARGE) throw new Error(`${length} bytes were read`);
}

async function readDevice(url: string): Promise<void> {
  const device = new RemoteDevice(await openHttp(new URL(url)));
  const target = new Uint8Array(READ);
  for (let at = 0; at < device.capacity; at += READ)
    await readWhenReady(device, at, target.subarray(0, Math.min(READ, device.capacity - at)));
  await device.close();
}

async function download(url: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(url)).arrayBuffer());
}

/** Downloads, and drops each part. */
async function drain(url: string): Promise<void> {
  const reader = (await fetch(url)).body!.getReader();
  while (!(await reader.read()).done);
}

export const httpWhole: Benchmark = async ({ signal }) => {
  const work = mkdtempSync(join(tmpdir(), "docteur-bench-http-"));
  const path = join(work, "image");
  try {
    const from = ["if=/dev/urandom", `of=${join(work, "tree", "large")}`, "bs=1M", `count=${LARGE >> 20}`];
    mkdirSync(join(work, "tree"));
    execFileSync("dd", from, { stdio: "ignore" });
    await make(join(work, "tree"), path);
    const image = readFileSync(path);
    const { stream } = packEntries(image).find(({ type, size }) => type === TYPE.BLOB && size === LARGE)!;
    const start = stream.byteOffset - image.byteOffset;
    const server = await SlowServer.start(path, LATENCY);
    try {
      const { url } = server;
      const contestants = [
        () => readDevice(url),
        () => streamFile(url),
        () => streamFile(path),
        () => download(url),
        () => drain(url),
        async () => inflateSync((await download(url)).subarray(start, start + stream.length)),
      ];
      const times = await alternate(
        contestants.map((run) => () => timed(run)),
        signal,
      );
      const [device, file, local, whole, parts, inflated] = times.map((time) => LARGE / 1e3 / time) as Six;
      const row = (corpus: string, ours: number, peer: number, peerName: string): Row =>
        createRow({ name: "http-whole", corpus, unit: "MB/s", ours, peer, peerName }, "more");
      return [
        row("64 MiB, the device", device, whole, "fetch of the image, into memory"),
        row("64 MiB, the device", device, parts, "fetch of the image, dropped"),
        row("64 MiB, the file", file, inflated, `fetch of the image, and ${NODE_ZLIB}`),
        row("64 MiB, the file", file, whole, "fetch of the image, into memory"),
        row("64 MiB, the file", file, local, "the image on this machine"),
      ];
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
};
