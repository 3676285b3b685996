/** The inflater against node:zlib and fflate, on what a pack holds and on one long text. */
import { readFile } from "node:fs/promises";
import { deflateSync, inflateSync } from "node:zlib";
import { unzlibSync } from "fflate";
import { DocteurError } from "../../src/errors.js";
import { seeded } from "../support/random.js";
import type { Benchmark, Context } from "./benchmark.js";
import { CAT_FILE, runGit } from "./git.js";
import { alternate, type Contestant, createRow, type Row, timed } from "./measure.js";
import { releaseProbe } from "./probe.js";
import { sample } from "./sample.js";
import { type PackEntry, packEntries, TYPE } from "./streams.js";
import { FFLATE, NODE_ZLIB } from "./versions.js";

/** A zlib stream, and how many bytes it inflates to. */
interface Stream {
  stream: Buffer;
  size: number;
}

/** Bytes of output in one run, at most; of the text; and of a small delta. */
const BLOB_BYTES = 64_000_000;
const TEXT_BYTES = 20_000_000;
const DELTA_BYTES = 1024;
const DELTA_COUNT = 100_000;
/** A run is repeated until it takes about so many milliseconds. */
const RUN_TIME = 25;

/** The least that node:zlib takes. */
const CHUNK_MIN = 64;

type Decode = (stream: Buffer, size: number) => Uint8Array;

const PEERS: { peerName: string; decode: Decode }[] = [
  { peerName: NODE_ZLIB, decode: (stream) => inflateSync(stream) },
  {
    peerName: `${NODE_ZLIB}, chunkSize of the output's`,
    decode: (stream, size) => inflateSync(stream, { chunkSize: Math.max(CHUNK_MIN, size) }),
  },
  { peerName: FFLATE, decode: (stream, size) => unzlibSync(stream, { out: new Uint8Array(size) }) },
];

const NODE_PEERS = PEERS.filter(({ peerName }) => peerName !== FFLATE);

/** Our inflater with room for the largest of some streams. */
class Ours {
  readonly #wasm = releaseProbe("inflate");
  readonly #input: number;
  readonly #output: number;
  #memory: Buffer;

  /** @param inputLen room for input, in bytes */
  constructor(streams: readonly Stream[], inputLen: number) {
    const outputLen = streams.reduce((most, { size }) => Math.max(most, size), 0);
    const pages = Math.ceil((inputLen + outputLen + 128) / 65536);
    this.#input = this.#wasm.memory.grow(pages) * 65536;
    this.#output = this.#input + ((inputLen + 63) & ~63);
    this.#memory = Buffer.from(this.#wasm.memory.buffer);
  }

  /** Copies a stream in and inflates it; the result stays in Wasm memory. */
  inflate({ stream, size }: Stream): void {
    this.#memory.set(stream, this.#input);
    const status = this.#wasm.inflateStream(this.#input, stream.length, this.#output, size);
    if (status !== 0) throw new Error(`status ${status}`);
  }

  /** What was inflated last. */
  result(size: number): Buffer {
    return this.#memory.subarray(this.#output, this.#output + size);
  }

  /**
   * Lays streams into Wasm memory once.
   * @returns what inflates them all by one call
   */
  prepare(streams: readonly Stream[]): () => void {
    const rows = this.#input;
    let at = rows + streams.length * 12;
    for (const [index, { stream, size }] of streams.entries()) {
      this.#memory.writeUInt32LE(at, rows + index * 12);
      this.#memory.writeUInt32LE(stream.length, rows + index * 12 + 4);
      this.#memory.writeUInt32LE(size, rows + index * 12 + 8);
      this.#memory.set(stream, at);
      at += stream.length;
    }
    return () => {
      const failed = this.#wasm.inflateStreams(rows, streams.length, this.#output);
      if (failed !== -1) throw new Error(`stream ${failed} fails`);
    };
  }
}

/** Every contestant gives the same bytes, to begin with. */
function verify(streams: readonly Stream[]): void {
  const ours = new Ours(streams, Math.max(...streams.map(({ stream }) => stream.length)));
  for (const stream of streams) {
    ours.inflate(stream);
    for (const { peerName, decode } of PEERS)
      if (!ours.result(stream.size).equals(decode(stream.stream, stream.size)))
        throw new DocteurError("Io", `${peerName} and docteur inflate to different bytes`);
  }
}

/** Runs ours and the peers. @param amount units of work in one pass */
async function compare(
  row: Pick<Row, "name" | "corpus" | "unit">,
  streams: readonly Stream[],
  pass: () => void,
  peers: typeof PEERS,
  amount: number,
  signal: AbortSignal,
): Promise<Row[]> {
  verify(streams);
  pass();
  const passes = Math.max(1, Math.round(RUN_TIME / (await timed(pass))));
  const rate = (work: () => void): Contestant => {
    return async () => {
      const time = await timed(() => {
        for (let i = 0; i < passes; i++) work();
      });
      return (amount * passes) / (time / 1000);
    };
  };
  const contestants = peers.map(({ decode }) =>
    rate(() => {
      for (const { stream, size } of streams) decode(stream, size);
    }),
  );
  const [ours, ...theirs] = await alternate([rate(pass), ...contestants], signal);
  return peers.map(({ peerName }, index) =>
    createRow({ ...row, ours: ours!, peer: theirs[index]!, peerName }, "more"),
  );
}

/** MB/s of output; a stream is copied into Wasm memory first. */
async function compareOutput(
  name: string,
  corpus: string,
  streams: readonly Stream[],
  signal: AbortSignal,
): Promise<Row[]> {
  const ours = new Ours(streams, Math.max(...streams.map(({ stream }) => stream.length)));
  const pass = (): void => {
    for (const stream of streams) ours.inflate(stream);
  };
  const bytes = streams.reduce((sum, { size }) => sum + size, 0);
  return compare({ name, corpus, unit: "MB/s" }, streams, pass, PEERS, bytes / 1e6, signal);
}

/** Streams of the image's pack, chosen at random within a count and a sum of sizes. */
async function packStreams(
  { corpus }: Context,
  isWanted: (entry: PackEntry) => boolean,
  count: number,
  bytes: number,
): Promise<Stream[]> {
  const { image } = await corpus();
  const entries = packEntries(await readFile(image));
  return sample(entries.filter(isWanted), seeded(1), count, bytes);
}

const inflateBlobs: Benchmark = async (context) => {
  const isBlob = ({ type, size }: PackEntry): boolean => type === TYPE.BLOB && size > 0;
  const streams = await packStreams(context, isBlob, Number.POSITIVE_INFINITY, BLOB_BYTES);
  if (streams.length === 0) {
    context.note("inflate-blobs: no blob of the corpus is stored whole");
    return [];
  }
  return compareOutput("inflate-blobs", (await context.corpus()).name, streams, context.signal);
};

const inflateDeltas: Benchmark = async (context) => {
  const isDelta = ({ type, size }: PackEntry): boolean =>
    (type === TYPE.OFS_DELTA || type === TYPE.REF_DELTA) && size < DELTA_BYTES;
  const streams = await packStreams(context, isDelta, DELTA_COUNT, Number.POSITIVE_INFINITY);
  if (streams.length === 0) {
    context.note("inflate-deltas: nothing in the corpus is stored as a delta under 1 KB");
    return [];
  }
  const inputLen = streams.reduce((sum, { stream }) => sum + stream.length + 12, 0);
  const pass = new Ours(streams, inputLen).prepare(streams);
  const row = { name: "inflate-deltas", corpus: (await context.corpus()).name, unit: "thousand streams/s" };
  return compare(row, streams, pass, NODE_PEERS, streams.length / 1000, context.signal);
};

/** Text of the corpus's files in path order: those without a NUL at their beginning. */
async function corpusText({ corpus }: Context): Promise<Buffer> {
  const { repository, files } = await corpus();
  const parts: Buffer[] = [];
  let length = 0;
  for (let first = 0; first < files.length && length < TEXT_BYTES; ) {
    // As many files as make up what is missing, or less where some are not text.
    let end = first;
    for (let sum = length; end < files.length && sum < TEXT_BYTES; end++) sum += files[end]!.size;
    const input = files.slice(first, end).map(({ oid }) => `${oid}\n`);
    const output = await runGit(CAT_FILE, { cwd: repository, input: input.join("") });
    for (let at = 0; first < end; first++) {
      at = output.indexOf(0x0a, at) + 1;
      const content = output.subarray(at, at + files[first]!.size);
      at += content.length + 1;
      if (content.subarray(0, 8000).includes(0)) continue;
      parts.push(content);
      length += content.length;
    }
  }
  return Buffer.concat(parts).subarray(0, TEXT_BYTES);
}

const inflateText: Benchmark = async (context) => {
  const text = await corpusText(context);
  if (text.length === 0) {
    context.note("inflate-text: no file of the corpus is text");
    return [];
  }
  const stream = { stream: deflateSync(text, { level: 6 }), size: text.length };
  return compareOutput("inflate-text", (await context.corpus()).name, [stream], context.signal);
};

export const INFLATE: Record<string, Benchmark> = {
  "inflate-blobs": inflateBlobs,
  "inflate-deltas": inflateDeltas,
  "inflate-text": inflateText,
};
