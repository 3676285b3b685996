/**
 * Fuzzes the layout section: pages and footers with changed bytes, their checksums made right again or not, in small memories,
 * over devices of every speed. If a checksum is wrong, a volume tells what it tells without a section. If all are right, the
 * section can lead anywhere, as an IDX can, and only a proof tells: there is some content, or a typed error.
 */
import assert from "node:assert/strict";
import { DocteurError, type OpenOptions, open, type Volume } from "../../src/index.js";
import { PAGE, SEGMENT } from "../../src/layout/format.js";
import { makeImage } from "../../src/make/index.js";
import { coreVariants } from "../support/core.js";
import { content } from "../support/large-files.js";
import { Section } from "../support/layout-section.js";
import { type Random, seeded } from "../support/random.js";
import { SlowDevice } from "../support/slow-device.js";
import type { Target } from "./target.js";

/** Bytes of a file with seek points. */
const LARGE = 3 * SEGMENT.min + 1000;
const NAMES = ["a", "a-b", "a.d.ts", "a.ts", "b.html", "b", "index.html", "ü"];
const MIB = 1 << 20;

/** An image, and what is in it. */
interface Sample {
  image: Uint8Array;
  contents: Map<string, string>;
}

async function sample(seed: number): Promise<Sample> {
  const random = seeded(seed);
  const contents = new Map<string, string>();
  const folders = 1 + random(60);
  for (let folder = 0; folder < folders; folder++)
    for (const name of NAMES)
      if (random(3)) contents.set(`/d${folder}/${name}`, `${name} `.repeat(random(200)) + random(folders));
  // Some samples have a file that is entered in its middle.
  if (seed % 3 === 0)
    contents.set(
      "/large",
      content(LARGE, random)
        .toString("latin1")
        .replaceAll(/[^ -~]/g, "."),
    );
  const { image } = await makeImage(
    Object.fromEntries([...contents].map(([path, text]) => [path.slice(1), text])),
  );
  return { image, contents };
}

/** Changes some bytes of the section. @returns whether its checksums are right */
function change(section: Section, random: Random): boolean {
  const isSealed = random(4) > 0;
  for (let count = 1 + random(2); count > 0; count--) {
    const number = random(3) ? section.pages - 1 - random(Math.min(3, section.pages)) : random(section.pages);
    const alter = (page: Uint8Array): void => {
      const used = new DataView(page.buffer, page.byteOffset).getUint16(PAGE.used, true);
      const at = PAGE.used + random(random(3) ? Math.min(used, page.length - 4) : page.length - 4);
      page[at] = random(2) ? page[at]! ^ (1 << random(8)) : random(256);
    };
    if (isSealed) section.patchPage(number, alter);
    else alter(section.page(number));
  }
  return isSealed;
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

/** @returns the error's code, if it is typed */
async function attempt<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    assert.ok(error instanceof DocteurError, String(error));
    return undefined;
  }
}

async function look(volume: Volume, { contents }: Sample, isSealed: boolean, random: Random): Promise<void> {
  const paths = [...contents.keys()];
  for (let round = 0; round < 12; round++) {
    const path = paths[random(paths.length)]!;
    const bytes = await attempt(volume.get(path));
    if (!isSealed) assert.equal(bytes && textOf(bytes), contents.get(path), path);
    await attempt(volume.stat(path));
    assert.ok(isSealed || !(await volume.exists(`${path}x`)));
  }
  const large = contents.get("/large");
  for (let round = 0; large !== undefined && round < 3; round++) {
    const at = random(large.length);
    const part = await attempt(volume.getPartial("/large", at, 4096));
    if (!isSealed) assert.equal(part && textOf(part), large.slice(at, at + 4096), `/large at ${at}`);
  }
  let count = 0;
  const walk = async (): Promise<void> => {
    for await (const entry of volume.walk("/", { oids: false, sizes: random(2) === 0 }))
      if (entry.kind === "file") count++;
  };
  await attempt(walk());
  if (!isSealed) assert.equal(count, contents.size);
}

/** A case is one image, read in some thirty ways. */
export const layout: Target = async () => {
  const variants = await coreVariants();
  const samples = await Promise.all(Array.from({ length: 6 }, (_, seed) => sample(seed)));
  return async ({ random, index, keep, count }) => {
    const chosen = samples[random(samples.length)]!;
    const section = new Section(chosen.image);
    const isSealed = change(section, random);
    keep(section.bytes);
    const { module } = variants[random(8) ? index % 2 : index % 4]!;
    const options: OpenOptions = { module, memoryLimit: 2 * MIB + random(6 * MIB) };
    const { bytes } = section;
    const volume = await open(random(3) ? bytes : new SlowDevice(bytes, random(1000)), options);
    await look(volume, chosen, isSealed, random);
    count(`${volume.layout}${isSealed ? ", checksums right" : ""}`);
    await volume.close();
  };
};
