/** Images with a layout section: a volume tells of them what it tells of the same image without one, from a few pages. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { DocteurError, type Entry, open, type Volume } from "../../src/index.js";
import { FIELD, PAGE } from "../../src/layout/format.js";
import { type MemoryFile, type MemoryFiles, makeImage } from "../../src/make/index.js";

import { shuffled } from "../bench/sample.js";
import { coreVariants } from "../support/core.js";
import { Section } from "../support/layout-section.js";
import { seeded } from "../support/random.js";
import { SlowDevice } from "../support/slow-device.js";

/** Names around those that git and the section put in another order, some with tails that pages share. */
const NAMES = [
  "a",
  "a-b",
  "a.d.ts",
  "a.ts",
  "a b",
  "ab.d.ts",
  "a0.html",
  "b!",
  "index.html",
  "z~",
  "é",
  "日本語.md",
];

function randomFiles(seed: number): MemoryFiles {
  const random = seeded(seed);
  const files: Record<string, MemoryFile> = { "top.html": "top" };
  const fill = (folder: string, depth: number): void => {
    for (const name of NAMES) {
      if (random(3) !== 0) continue;
      const path = folder + name;
      if (depth > 0 && random(2) === 0) fill(`${path}/`, depth - 1);
      else if (random(6) === 0)
        files[path] = { link: ["../a", "a", "/top.html", "nowhere", "."][random(5)]! };
      else
        files[path] = {
          content: `${path}\n`.repeat(random(40)) + random(4),
          executable: random(5) === 0,
        };
    }
  };
  fill("", 4);
  return files;
}

/** Many names in one directory, and a large blob in several versions. */
async function largeFiles(): Promise<MemoryFiles> {
  const files: Record<string, string> = {};
  for (let index = 0; index < 3000; index++) files[`many/page-${index}.html`] = `${index}`;
  for (let index = 0; index < 40; index++)
    files[`v${index}/doc.txt`] = `${"a line of text\n".repeat(300)}${index}`;
  return files;
}

/** Directories whose pages are searched in every way that a leaf's index can and cannot help. */
function searchedFiles(): Record<string, MemoryFiles> {
  const record = (names: readonly string[]): MemoryFiles =>
    Object.fromEntries(names.map((name) => [name, name]));
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const deep = `${"a-long-name-".repeat(15)}/`.repeat(2);
  return {
    "more records in a page than its index has room for": record(
      letters.flatMap((a) => [a, `${a}0`, `${a}1`]),
    ),
    "keys that share more than 255 bytes": record(
      letters.flatMap((a) => [
        `${deep}${a}`,
        `${deep}${a}/${deep}x`.replace(a, `_${a}`),
        `${deep}~${a}.html`,
      ]),
    ),
    "more leaves than a small memory keeps": record(
      Array.from({ length: 1500 }, (_, index) => createHash("sha256").update(`${index}`).digest("hex")),
    ),
    "names that share tails": record(
      letters.flatMap((a, index) => [`${a}.html`, `${a}b.html`, `${a}b${index % 5 ? "" : `.k${a}`}.d.ts`]),
    ),
  };
}

/** A number as a varint. */
function varint(number: number): number[] {
  return number < 0x80 ? [number] : [(number % 0x80) | 0x80, ...varint(Math.floor(number / 0x80))];
}

/** Adds to the offset in a record of a leaf whose records have short keys and no tails. */
function shiftOffset(page: Uint8Array, view: DataView, record: number, by: number): void {
  let at: number = PAGE.records;
  const number = (): number => {
    let value = 0;
    for (let unit = 1; ; unit *= 0x80) {
      const byte = page[at++]!;
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
  };
  const toOffset = (): void => {
    at += 3 + page[at + 2]!;
  };
  for (let index = 0; index < record; index++) {
    toOffset();
    for (let field = 0; field < 4; field++) number();
  }
  toOffset();
  const start = at;
  const old = number();
  const offset = (old % 2 === 0 ? old / 2 : -(old + 1) / 2) + by;
  const bytes = [...varint(offset < 0 ? -offset * 2 - 1 : offset * 2), ...page.slice(at)];
  view.setUint16(PAGE.used, view.getUint16(PAGE.used, true) + bytes.length - (page.length - start), true);
  page.set(bytes.slice(0, page.length - start), start);
}

const flat = (entry: Entry): unknown => ({ ...entry, nameBytes: [...entry.nameBytes] });
/** What a promise gives, or the code of its error, which is typed. */
async function attempt<T>(promise: Promise<T>): Promise<T | string> {
  try {
    return await promise;
  } catch (error) {
    assert.ok(error instanceof DocteurError, String(error));
    return error.code;
  }
}

/** All that a volume tells of the paths that another one walked through, and of paths beside them. */
async function tell(volume: Volume, walked: readonly Entry[]): Promise<unknown[]> {
  const told: unknown[] = [];
  for (const choice of [{}, { sizes: true }, { sizes: true, oids: false }, { oids: false }] as const)
    for await (const entry of volume.walk("/", choice)) told.push(flat(entry));
  for (const { path, kind } of walked) {
    for (const follow of [false, true]) {
      told.push(await attempt(volume.exists(path, { follow })), await attempt(volume.size(path, { follow })));
      const found = await attempt(volume.stat(path, { follow }));
      told.push(typeof found === "string" ? found : flat(found));
      told.push(await attempt(volume.get(path, { follow })), await attempt(volume.get(path, { follow })));
    }
    told.push(await attempt(volume.exists(`${path}x`)), await attempt(volume.exists(`${path}/x`)));
    if (kind === "directory")
      for (const limit of [1, 2, 5])
        for (const after of ["", "a", "a-b", "b", "zz"]) {
          const list = await volume.list(path, { after, limit, oids: false, sizes: true });
          told.push(list.map(flat));
        }
  }
  return told;
}

async function walk(volume: Volume): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const entry of volume.walk("/")) entries.push(entry);
  return entries;
}

/** An image with its section and without it. */
async function both(files: MemoryFiles): Promise<{ plain: Uint8Array; laid: Uint8Array }> {
  const plain = (await makeImage(files, { layout: false })).image;
  const laid = (await makeImage(files)).image;
  assert.deepEqual(laid.subarray(0, plain.length), plain);
  return { plain, laid };
}

for (const { label, module } of await coreVariants())
  describe(label, () => {
    test("random directories read the same with a section and without", async () => {
      for (let seed = 1; seed <= 4; seed++) {
        const { plain, laid } = await both(randomFiles(seed));
        const expected = await open(plain, { module });
        const volume = await open(laid, { module });
        assert.equal(expected.layout, "none");
        assert.equal(volume.layout, "used");
        const entries = await walk(expected);
        assert.deepEqual(await tell(volume, entries), await tell(expected, entries));
        const slow = await open(new SlowDevice(laid, seed), { module, memoryLimit: 2 << 20 });
        assert.deepEqual(await tell(slow, entries), await tell(volume, entries));
        for (const choice of [
          { mode: "fast" },
          { mode: "analyze" },
          { proof: "crc" },
          { proof: "oid" },
        ] as const)
          assert.equal((await open(laid, { module, ...choice })).layout, "none");
      }
    });

    test("a page that is searched over and over", async () => {
      for (const [label, files] of Object.entries({
        ...searchedFiles(),
        "random names": randomFiles(7),
      })) {
        const { plain, laid } = await both(files);
        const expected = await open(plain, { module });
        const volume = await open(laid, { module, memoryLimit: 2 << 20 });
        const paths = (await walk(expected)).map(({ path }) => path);
        const random = seeded(paths.length);
        for (let round = 0; round < 3; round++)
          for (const path of shuffled(paths, random)) {
            const stray = path.slice(0, -1 - random(3)) + ["", "x", "\u0001", "~"][random(4)];
            for (const asked of [path, stray]) {
              const content = await attempt(volume.get(asked));
              assert.deepEqual(content, await attempt(expected.get(asked)), `${label}: ${asked}`);
            }
          }
        assert.equal(volume.layout, "used", label);
      }
    });

    test("an offset beyond 4 GiB does not lead the records behind it astray", async () => {
      const { laid } = await both({ "b-file": "bee", "q-file": "queue", "w-file": "double" });
      const section = new Section(laid);
      section.patchPage(0, (page, view) => {
        shiftOffset(page, view, 0, 2 ** 32);
        shiftOffset(page, view, 1, -(2 ** 32));
      });
      const volume = await open(section.bytes, { module });
      for (let round = 0; round < 4; round++) {
        assert.equal(await volume.size("/q-file"), 5);
        assert.equal(await volume.text("/w-file"), "double");
      }
      assert.equal(volume.layout, "used");
      assert.equal(await volume.text("/b-file"), "bee");
      assert.equal(volume.layout, "damaged");
    });

    test("pages that do not hold what they should: trees are read", async () => {
      const { plain, laid } = await both(await largeFiles());
      const expected = await walk(await open(plain, { module }));
      const random = seeded(5);
      const section = new Section(laid);
      assert.ok(section.leaves > 3);
      for (let number = 0; number < section.pages; number++) {
        const damaged = new Section(laid);
        damaged.page(number)[random(section.pageSize)]! ^= 1 << random(8);
        const volume = await open(damaged.bytes, { module });
        assert.deepEqual(
          (await names(volume)).sort(),
          expected.map(({ path }) => path).sort(),
          `page ${number}`,
        );
        assert.equal(volume.layout, "damaged", `page ${number}`);
        assert.deepEqual((await walk(volume)).map(flat), expected.map(flat));
      }
      const swapped = new Section(laid);
      const first = swapped.page(0).slice();
      swapped.page(0).set(swapped.page(1));
      swapped.page(1).set(first);
      const volume = await open(swapped.bytes, { module });
      assert.deepEqual((await walk(volume)).map(flat), expected.map(flat));
    });

    test("crafted pages end: no search goes round", async () => {
      const { plain, laid } = await both(await largeFiles());
      const expected = await walk(await open(plain, { module }));
      const root = new Section(laid).pages - 1;
      const changes: ((page: Uint8Array, view: DataView) => void)[] = [
        (_, view) => view.setUint32(PAGE.child, root, true),
        (_, view) => view.setUint32(PAGE.child, 0xffffffff, true),
        (page) => page.fill(0xff, PAGE.records),
        (page) => page.fill(0, PAGE.records),
        (page) => (page[PAGE.level] = 0),
        (page) => (page[PAGE.level] = 255),
        // A tail whose length leads back to its own beginning.
        (page) => page.set([8, 0xfa, 0xff, 0xff, 0xff, 0x0f], PAGE.records),
        (page) => page.set([8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], PAGE.records),
        (_, view) => view.setUint16(PAGE.used, PAGE.records, true),
        (_, view) => view.setUint16(PAGE.used, 4096, true),
      ];
      for (const number of [0, 1, root])
        for (const [index, change] of changes.entries()) {
          const crafted = new Section(laid);
          crafted.patchPage(number, change);
          const volume = await open(crafted.bytes, { module });
          for (const { path } of expected.slice(0, 200)) await attempt(volume.get(path));
          await attempt(names(volume));
          await attempt(walk(volume));
          assert.ok(["used", "damaged"].includes(volume.layout), `page ${number}, change ${index}`);
        }
    });

    test("random bytes in pages with right checksums: typed errors, and an end", async () => {
      const { laid } = await both(randomFiles(9));
      const expected = await walk(await open(laid, { module }));
      const random = seeded(6);
      for (let round = 0; round < 150; round++) {
        const crafted = new Section(laid);
        crafted.patchPage(random(crafted.pages), (page, view) => {
          for (let count = 1 + random(8); count > 0; count--)
            page[PAGE.used + random(view.getUint16(PAGE.used, true))] = random(256);
        });
        const volume = await open(crafted.bytes, { module });
        for (const { path } of expected.slice(0, 20)) {
          await attempt(volume.get(path));
        }
        await attempt(names(volume));
      }
    });
  });

async function names(volume: Volume): Promise<string[]> {
  const paths: string[] = [];
  for await (const { path } of volume.walk("/", { oids: false })) paths.push(path);
  return paths;
}

test("sections of another version, of another image, and with a damaged footer", async () => {
  const { plain, laid } = await both(randomFiles(2));
  const other = (await both({ ...randomFiles(2), "one-more": "x" })).laid;
  const expected = (await walk(await open(plain))).map(flat);
  const later = new Section(laid);
  later.patchFooter((footer) => footer.setUint32(FIELD.version, 3, true));
  const flipped = laid.slice();
  flipped[flipped.length - 300]! ^= 4;
  const foreign = new Section(other);
  const size = plain.length + foreign.pages * foreign.pageSize + 512;
  foreign.patchFooter((footer) => {
    footer.setBigUint64(FIELD.firstPage, BigInt(plain.length), true);
    footer.setBigUint64(FIELD.imageSize, BigInt(size), true);
    for (let at = 0; at < 20; at++) footer.setUint8(FIELD.commit + at, plain[at]!);
  });
  const mixed = new Uint8Array(size);
  mixed.set(plain);
  mixed.set(foreign.bytes.subarray(foreign.bytes.length - (size - plain.length)), plain.length);
  for (const [image, atOpen, after] of [
    [later.bytes, "unknown", "unknown"],
    [flipped, "damaged", "damaged"],
    [mixed, "used", "damaged"],
  ] as const) {
    const volume = await open(image);
    assert.equal(volume.layout, atOpen);
    const paths = await names(volume);
    assert.equal(volume.layout, after);
    assert.deepEqual(
      paths,
      (await walk(volume)).map(({ path }) => path),
    );
    assert.deepEqual((await walk(volume)).map(flat), expected);
  }
});

test("a look-up reads a page a level, and a mount no more than header, footer and root", async () => {
  const { laid } = await both(await largeFiles());
  const volume = await open(laid);
  const section = new Section(laid);
  assert.ok(section.leaves > 3);
  const opened = volume.stats();
  assert.ok(opened.deviceBytes <= 4 * 4096 + section.pageSize, `${opened.deviceBytes}`);
  assert.ok(opened.inflatedBytes < 1000);
  assert.equal(await volume.size("/many/page-1234.html"), 4);
  const found = volume.stats();
  assert.equal(found.inflatedBytes, opened.inflatedBytes);
  assert.ok(found.deviceBytes - opened.deviceBytes <= section.pageSize + 2 * 4096);
  await volume.list("/many", { oids: false, sizes: true });
  assert.equal(volume.stats().inflatedBytes, opened.inflatedBytes);
});

test("over a network, a file with a long chain of bases takes two round trips", async () => {
  const random = seeded(8);
  const files: Record<string, string> = {};
  for (let page = 0; page < 12; page++) {
    let lines = Array.from({ length: 150 }, () => `line ${random(1e9)} of page ${page}, ${random(1e9)}`);
    for (let version = 0; version < 40; version++) {
      lines = lines.map((line) => (random(25) === 0 ? `edited ${random(1e9)} ${random(1e9)}` : line));
      files[`v${version}/page-${page}.html`] = lines.join("\n");
    }
  }
  const { image, packBytes } = await makeImage(files);
  assert.ok(packBytes > 20 * 4096);
  const source = {
    size: image.length,
    read: async (offset: number, length: number) => image.slice(offset, offset + length),
  };
  const trips = new Map<number, number>();
  for (const path of Object.keys(files)) {
    const volume = await open(source, { pageSize: 4096 });
    const before = volume.stats().remote!.roundTrips;
    assert.equal(Buffer.from(await volume.get(path)).toString(), files[path]);
    const count = volume.stats().remote!.roundTrips - before;
    trips.set(count, (trips.get(count) ?? 0) + 1);
    await volume.close();
  }
  // The page of the section, and then all that the file is made of. Few streams are far shorter than their content.
  const few = (trips.get(1) ?? 0) + (trips.get(2) ?? 0);
  assert.ok(few >= 0.98 * Object.keys(files).length, JSON.stringify([...trips]));
});

test("an image that fits the cache is read in runs", async () => {
  const random = seeded(9);
  const noise = (): string => Array.from({ length: 100 }, () => random(2 ** 31).toString(36)).join("");
  const files = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`f${index}`, noise()]));
  const { laid } = await both(files);
  const volume = await open(laid);
  // Each file is far from the one before.
  for (let index = 0; index < 1500; index++) await volume.get(`/f${(index * 611) % 1500}`);
  const { deviceReads, deviceBytes } = volume.stats();
  assert.ok(deviceBytes < laid.length + (1 << 16), `${deviceBytes} of ${laid.length}`);
  // A run has up to 16 KiB, and ends where something is cached; the first misses read what they need.
  assert.ok(deviceReads < 32 + laid.length / 4096, `${deviceReads} reads`);
});
