/** Parts of one file of 80 MiB, stored whole and as a delta: at random places, and by two readers in turns. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type FileHandle, open as openFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInflate, deflateSync } from "node:zlib";
import { open, type Volume } from "../../src/index.js";
import { copy, delta, imageWith, insert } from "../support/crafted-image.js";
import { gitOid } from "../support/fixtures.js";
import { content, imageOf } from "../support/large-files.js";
import { seeded } from "../support/random.js";
import type { Benchmark } from "./benchmark.js";
import { countOutput, runGit } from "./git.js";
import { alternate, createRow, type Row, timed } from "./measure.js";
import { gitName, NODE_ZLIB } from "./versions.js";

const MIB = 1 << 20;
const SIZE = 80 * MIB;
const PART = 64 << 10;
/** Parts read at random in one run by us, and by a peer that begins at the start each time. */
const COUNT = 100;
const SLOW_COUNT = 4;

/** Text of which deflate leaves about a third. */
function makeFile(): Buffer {
  const random = seeded(80);
  const piece = content(8 * MIB, random);
  const data = Buffer.concat(Array.from({ length: SIZE / piece.length }, () => piece));
  for (let at = 0; at < SIZE; at += 300) data[at] = random(256);
  return data;
}

/** An edited copy of the file's base: every mebibyte begins with a line of its own. */
function makeDelta(base: Buffer): { image: Uint8Array; data: Buffer } {
  const instructions: Buffer[] = [];
  const pieces: Buffer[] = [];
  for (let at = 0; at < base.length; at += MIB) {
    const line = `edited at ${at}\n`;
    instructions.push(insert(line), copy(at, MIB - 100));
    pieces.push(Buffer.from(line), base.subarray(at, at + MIB - 100));
  }
  const data = Buffer.concat(pieces);
  const { bytes } = imageWith((image) => {
    const { offset } = image.object("blob", base);
    return image.ofsDelta(gitOid("blob", data), offset, delta(base.length, data.length, ...instructions));
  });
  return { image: bytes, data };
}

async function readPart(volume: Volume, data: Buffer, at: number): Promise<void> {
  const part = await volume.getPartial("/f", at, PART);
  if (part.length !== PART || part[0] !== data[at]) throw new Error(`the part at ${at} is read wrongly`);
}

/** Milliseconds a part, from a volume that has read the file once. */
async function ourParts(volume: Volume, data: Buffer, places: readonly number[]): Promise<number> {
  const time = await timed(async () => {
    for (const at of places) await readPart(volume, data, at);
  });
  return time / places.length;
}

/** Milliseconds a part that is taken out of the zlib stream, inflated from its start. */
async function zlibParts(stream: Buffer, places: readonly number[]): Promise<number> {
  const inflateTo = (end: number): Promise<void> =>
    new Promise((resolve, reject) => {
      let made = 0;
      const inflate = createInflate({ chunkSize: PART });
      inflate.on("error", reject).on("data", (chunk: Buffer) => {
        made += chunk.length;
        if (made < end) return;
        inflate.destroy();
        resolve();
      });
      inflate.end(stream);
    });
  const time = await timed(async () => {
    for (const at of places) await inflateTo(at + PART);
  });
  return time / places.length;
}

/** Milliseconds a part of a plain file. @param length bytes of a part */
export async function fileParts(file: FileHandle, places: readonly number[], length = PART): Promise<number> {
  const part = Buffer.alloc(length);
  const time = await timed(async () => {
    for (const at of places) await file.read(part, 0, length, at);
  });
  return time / places.length;
}

/** Milliseconds in which two readers of a volume just opened read 100 parts each, by turns. */
async function twoReaders(image: Uint8Array, data: Buffer): Promise<number> {
  const volume = await open(image);
  return timed(async () => {
    for (let part = 0; part < COUNT; part++) {
      await readPart(volume, data, part * PART);
      await readPart(volume, data, SIZE / 2 + part * PART);
    }
  });
}

const measureSeek: Benchmark = async ({ signal }) => {
  const data = makeFile();
  const stream = deflateSync(data);
  const whole = imageOf(data, stream).bytes;
  const edited = makeDelta(data);
  const random = seeded(7);
  const places = Array.from({ length: COUNT }, () => random(edited.data.length - PART));
  const few = places.slice(0, SLOW_COUNT);
  const folder = mkdtempSync(join(tmpdir(), "docteur-bench-"));
  try {
    const path = join(folder, "f");
    writeFileSync(path, data);
    await runGit(["init", "--quiet", "--bare", folder]);
    const oid = (await runGit(["hash-object", "-w", path], { cwd: folder })).toString().trim();
    await using file = await openFile(path);
    const [ofWhole, ofDelta] = await Promise.all([open(whole), open(edited.image)]);
    await ofWhole.get("/f");
    await ofDelta.get("/f");
    const [ours, oursOfDelta, inTurns, git, zlib, plain] = await alternate(
      [
        () => ourParts(ofWhole, data, places),
        () => ourParts(ofDelta, edited.data, places),
        () => twoReaders(whole, data),
        () => timed(() => countOutput(["cat-file", "blob", oid], folder)),
        () => zlibParts(stream, few),
        () => fileParts(file, places),
      ],
      signal,
    );
    const unit = "ms/64 KiB at random";
    const row = (kind: string, our: number, peerName: string, peer: number, what = unit): Row =>
      createRow(
        { name: "seek", corpus: "80 MiB", unit: `${what}, ${kind}`, ours: our, peer, peerName },
        "less",
      );
    const rows = [
      ["stored whole", ours!],
      ["a delta", oursOfDelta!],
    ] as const;
    const gitWhole = `${await gitName()} cat-file of the whole`;
    return [
      ...rows.flatMap(([kind, our]) => [
        row(kind, our, gitWhole, git!),
        row(kind, our, `${NODE_ZLIB} from the start`, zlib!),
        row(kind, our, "a plain file", plain!),
      ]),
      row("stored whole", inTurns!, "target", 700, "ms, two readers of 100 × 64 KiB"),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export const SEEK: Record<string, Benchmark> = { seek: measureSeek };
