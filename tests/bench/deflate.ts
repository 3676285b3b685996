/** The encoder against node:zlib and fflate, in speed and size, on what a pack holds whole and on its small deltas. */
import { readFile } from "node:fs/promises";
import { deflateSync, inflateSync } from "node:zlib";
import { zlibSync } from "fflate";
import { seeded } from "../support/random.js";
import type { Benchmark, Context } from "./benchmark.js";
import { alternate, type Contestant, createRow, type Rounds, type Row, timed } from "./measure.js";
import { releaseProbe } from "./probe.js";
import { sample } from "./sample.js";
import { type PackEntry, packEntries, TYPE } from "./streams.js";
import { FFLATE, NODE_ZLIB } from "./versions.js";

/** Bytes of content in one run, at most; and of a small delta. */
const BLOB_BYTES = 12_000_000;
const DELTA_BYTES = 1024;
const DELTA_TOTAL = 2_000_000;
/** Passes take seconds. */
const ROUNDS: Rounds = { warmUp: 1, least: 3, most: 5, enough: 2000 };

/** Gives the length of the stream. */
type Encode = (content: Buffer) => number;

const PEERS: { peerName: string; encode: Encode }[] = [
  { peerName: `${NODE_ZLIB} level 6`, encode: (content) => deflateSync(content, { level: 6 }).length },
  { peerName: `${NODE_ZLIB} level 9`, encode: (content) => deflateSync(content, { level: 9 }).length },
  { peerName: `${FFLATE} level 9`, encode: (content) => zlibSync(content, { level: 9 }).length },
];

/** Our encoder with room for the largest of some contents; each is copied in first. */
function createOurs(contents: readonly Buffer[]): Encode {
  const wasm = releaseProbe("deflate");
  const most = Math.max(...contents.map(({ length }) => length));
  const room: number = wasm.deflateBound(most);
  wasm.heapInit(2 * most + (32 << 20));
  const input: number = wasm.heapAlloc(most);
  const output: number = wasm.heapAlloc(room);
  if (!wasm.deflatePrepare()) throw new Error("no memory");
  const memory = Buffer.from(wasm.memory.buffer);
  return (content) => {
    memory.set(content, input);
    const length: number = wasm.zlibDeflate(input, content.length, output, room);
    if (length === 0) throw new Error("no room");
    return length;
  };
}

async function compare(
  row: Pick<Row, "name" | "corpus">,
  contents: readonly Buffer[],
  signal: AbortSignal,
): Promise<Row[]> {
  const bytes = contents.reduce((sum, { length }) => sum + length, 0);
  const all = [createOurs(contents), ...PEERS.map(({ encode }) => encode)];
  const sizes = all.map((encode) => contents.reduce((sum, content) => sum + encode(content), 0));
  const contestants = all.map((encode): Contestant => {
    return async () => {
      const time = await timed(() => {
        for (const content of contents) encode(content);
      });
      return bytes / 1e6 / (time / 1000);
    };
  });
  const rates = await alternate(contestants, signal, ROUNDS);
  return PEERS.flatMap(({ peerName }, peer) => [
    createRow({ ...row, unit: "MB/s", ours: rates[0]!, peer: rates[peer + 1]!, peerName }, "more"),
    createRow({ ...row, unit: "bytes", ours: sizes[0]!, peer: sizes[peer + 1]!, peerName }, "less"),
  ]);
}

/** What some of the image's pack entries hold, chosen at random within a sum of sizes. */
async function packContents(
  { corpus }: Context,
  isWanted: (entry: PackEntry) => boolean,
  bytes: number,
): Promise<Buffer[]> {
  const { image } = await corpus();
  const entries = packEntries(await readFile(image)).filter(isWanted);
  return sample(entries, seeded(1), Number.POSITIVE_INFINITY, bytes).map(({ stream }) => inflateSync(stream));
}

const deflateBlobs: Benchmark = async (context) => {
  const isBlob = ({ type, size }: PackEntry): boolean => type === TYPE.BLOB && size > 0;
  const contents = await packContents(context, isBlob, BLOB_BYTES);
  if (contents.length === 0) {
    context.note("deflate-blobs: no blob of the corpus is stored whole");
    return [];
  }
  return compare({ name: "deflate-blobs", corpus: (await context.corpus()).name }, contents, context.signal);
};

const deflateDeltas: Benchmark = async (context) => {
  const isDelta = ({ type, size }: PackEntry): boolean =>
    (type === TYPE.OFS_DELTA || type === TYPE.REF_DELTA) && size < DELTA_BYTES;
  const contents = await packContents(context, isDelta, DELTA_TOTAL);
  if (contents.length === 0) {
    context.note("deflate-deltas: nothing in the corpus is stored as a delta under 1 KB");
    return [];
  }
  return compare({ name: "deflate-deltas", corpus: (await context.corpus()).name }, contents, context.signal);
};

export const DEFLATE: Record<string, Benchmark> = {
  "deflate-blobs": deflateBlobs,
  "deflate-deltas": deflateDeltas,
};
