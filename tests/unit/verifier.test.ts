/** The verifier's four builds: ids and collisions that each finds by itself, and reports that all of them give alike. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { deflateSync } from "node:zlib";
import { type Report, verify } from "../../src/verify/index.js";
import { COLLISIONS } from "../support/collisions.js";
import { CraftedImage, entryHeader, imageWith, type Placed, treeEntry } from "../support/crafted-image.js";
import { expandVector } from "../support/disturbance.js";
import { FIXTURES, fixture, gitOid } from "../support/fixtures.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";
import { verifierVariants } from "../support/verifier.js";
import { probeVariants } from "../support/wasm.js";

const sha1 = (data: Uint8Array): string => createHash("sha1").update(data).digest("hex");

for (const { label, debug, module } of await verifierVariants()) {
  // biome-ignore lint/suspicious/noExplicitAny: the verifier's exports are its own affair.
  const wasm = new WebAssembly.Instance(module).exports as any;
  const data = wasm.memory.grow(32) * 65536 + 128;
  const digest = data - 64;
  const memory = Buffer.from(wasm.memory.buffer);

  const hash = (message: Uint8Array, split = 0): { sha1: string; found: boolean } => {
    memory.set(message, data);
    wasm.packBegin();
    wasm.packUpdate(data, split);
    wasm.packUpdate(data + split, message.length - split);
    const found = wasm.packEnd(digest) !== 0;
    return { sha1: memory.toString("hex", digest, digest + 20), found };
  };

  describe(`the verifier's SHA-1 (${label})`, () => {
    it("finds the published collisions, however they are cut", () => {
      for (const { name, data: message, sha1: expected } of COLLISIONS)
        for (let split = 0; split <= message.length; split += debug ? 97 : 7)
          assert.deepEqual(hash(message, split), { sha1: expected, found: true }, `${name}, ${split}`);
    });

    it("finds them in longer messages, and nowhere behind another beginning", () => {
      const random = seeded(3);
      const { data: message } = COLLISIONS[0]!;
      for (let rest = 0; rest < 600; rest += debug ? 149 : 37) {
        const longer = Buffer.concat([message, Buffer.from(Array.from({ length: rest }, () => random(256)))]);
        assert.deepEqual(hash(longer), { sha1: sha1(longer), found: true });
        assert.deepEqual(hash(longer.subarray(64)), { sha1: sha1(longer.subarray(64)), found: false });
      }
    });

    it("does not find what one changed bit makes of them", () => {
      for (const { name, data: message } of COLLISIONS)
        for (let bit = 3; bit < message.length * 8; bit += debug ? 401 : 29) {
          const changed = Buffer.from(message);
          changed[bit >> 3]! ^= 1 << (bit & 7);
          assert.deepEqual(hash(changed), { sha1: sha1(changed), found: false }, `${name}, bit ${bit}`);
        }
    });

    it("gives git's ids for contents of every length around its blocks", () => {
      const random = seeded(4);
      const noise = Buffer.from(Array.from({ length: 2000 }, () => random(256)));
      for (let size = 0; size < 1200; size += debug ? 23 : 1)
        for (const [kind, name] of [
          [1, "commit"],
          [2, "tree"],
          [3, "blob"],
          [4, "tag"],
        ] as const) {
          const content = noise.subarray(size % 700, (size % 700) + size);
          memory.set(content, data);
          assert.equal(wasm.objectId(kind, data, size, digest), 0);
          const oid = memory.toString("hex", digest, digest + 20);
          assert.equal(oid, gitOid(name, content), `${name} of ${size} bytes`);
          assert.deepEqual(memory.subarray(data, data + size), content);
        }
    });
  });
}

for (const { label, simd, debug, exports: wasm } of probeVariants("sha1dc-look")) {
  it(`tries blocks from a state on that no disturbance has changed (${label})`, () => {
    const vectors = new Uint8Array(wasm.memory.buffer, wasm.vectors.value, 32);
    const middles = new Set<number>();
    for (const vector of vectors) {
      const middle = wasm.middleOf(vector);
      const disturbance = expandVector({
        type: vector & 128 ? 2 : 1,
        k: vector & 63,
        b: vector & 64 ? 2 : 0,
      });
      for (let t = middle - 5; t < middle; t++)
        assert.equal(disturbance(t), 0, `vector ${vector}, step ${t}`);
      middles.add(middle);
    }
    assert.deepEqual([...middles].sort(), [55, 60, 65]);
  });
  if (!simd) continue;
  it(`holds blocks against each of the table's conditions (${label})`, () => {
    const { value: table } = wasm.conditions;
    const masks = wasm.memory.grow(1) * 65536;
    const bytes = new DataView(wasm.memory.buffer);
    const schedules = new Uint32Array(wasm.memory.buffer, wasm.schedules.value, 80 * 4);
    const conditions = Array.from({ length: wasm.CONDITIONS_LEN.value / 8 }, (_, index) => {
      const at = table + index * 8;
      const last = bytes.getUint8(at + 3);
      const [t, u, i] = [bytes.getUint8(at), bytes.getUint8(at + 1), bytes.getUint8(at + 2)];
      return { t, u, i, j: last & 31, differ: last >> 7, vectors: bytes.getUint32(at + 4, true) };
    });
    const random = seeded(5);
    const bit = (word: number, index: number, lane: number): number =>
      (schedules[word * 4 + lane]! >>> index) & 1;
    const isBroken = ({ t, u, i, j, differ }: (typeof conditions)[0], lane: number): boolean =>
      (bit(t, i, lane) ^ bit(u, j, lane) ^ differ) === 1;
    // What one condition alone rules out shows that it is asked for: all of a vector's are made to hold, and then one is broken.
    for (let vector = 0; vector < 32; vector += debug ? 5 : 1) {
      const own = conditions.filter(({ vectors }) => (vectors >>> vector) & 1);
      for (const [index, broken] of own.entries()) {
        const lane = index & 3;
        for (let word = 0; word < schedules.length; word++) schedules[word] = random(2 ** 32);
        for (let again = true; again; ) {
          again = false;
          for (const condition of own) {
            if (isBroken(condition, lane) === (condition === broken)) continue;
            schedules[condition.t * 4 + lane]! ^= 1 << condition.i;
            again = true;
          }
        }
        for (const isMended of [false, true]) {
          if (isMended) schedules[broken.t * 4 + lane]! ^= 1 << broken.i;
          const expected = [0, 1, 2, 3].map(
            (each) =>
              conditions.reduce((left, c) => (isBroken(c, each) ? left & ~c.vectors : left), -1) >>> 0,
          );
          const found = wasm.look(masks) !== 0;
          assert.equal(
            found,
            expected.some((mask) => mask !== 0),
          );
          if (!found) continue;
          const actual = [0, 1, 2, 3].map((each) => bytes.getUint32(masks + each * 4, true));
          assert.deepEqual(actual, expected, `vector ${vector}, condition ${index}`);
        }
      }
    }
  });
}

describe("reports of every build", () => {
  const damaged = (name: string, at: number): Uint8Array => {
    const bytes = fixture(name).slice();
    bytes[at]! ^= 0x10;
    return bytes;
  };
  const images: [string, Uint8Array][] = [
    ...FIXTURES.map((name): [string, Uint8Array] => [name, fixture(`${name}.img`)]),
    ...[5, 30, 41, 300, 20_000, 40_000, 70_000, 77_000].map((at): [string, Uint8Array] => [
      `gitdelta, ${at}`,
      damaged("gitdelta.img", at),
    ]),
  ];

  it("are the same", async () => {
    const variants = await verifierVariants();
    for (const [name, bytes] of images)
      for (const quick of [false, true]) {
        const expected = await verify(bytes, { quick });
        for (const { label, module } of variants)
          assert.deepEqual(await verify(bytes, { quick, module }), expected, `${name}, ${label}`);
      }
  });

  it("name objects and packs that are part of a collision attack", async () => {
    const findings = ({ status, findings: list }: Report): unknown => [
      status,
      list.map(({ code, oid, offset, message }) => ({ code, oid, offset, message })),
    ];
    const marked = Buffer.from("marked object\n");
    const large = Buffer.concat([marked, Buffer.alloc(5000, "text")]);
    for (const { label, module } of await verifierVariants("verifier-marked")) {
      for (const content of [marked, large]) {
        const { bytes, offset } = imageWith((image) => image.object("blob", content));
        const report = await verify(bytes, { module });
        const message = `an object is part of a SHA-1 collision attack (at offset ${offset})`;
        const oid = gitOid("blob", content);
        assert.deepEqual(findings(report), ["damaged", [{ code: "Collision", oid, offset, message }]], label);
        assert.equal((await verify(bytes)).status, "sound");
      }
      const stored = Buffer.from("a marked pack\n");
      const crafted = imageWith(
        (image): Placed =>
          image.raw(gitOid("blob", stored), entryHeader(3, stored.length), deflateSync(stored, { level: 0 })),
      );
      for (const quick of [false, true]) {
        const report = await verify(crafted.bytes, { module, quick });
        const offset = crafted.packEnd - 20;
        const message = "the PACK is part of a SHA-1 collision attack";
        const finding = { code: "Collision", oid: undefined, offset, message };
        assert.deepEqual(findings(report), ["damaged", [finding]], `${label}, quick ${quick}`);
        assert.equal((await verify(crafted.bytes, { quick })).status, "sound");
      }
    }
  });
});

it("threads give the report that one gives", async (t) => {
  const image = new CraftedImage();
  const random = seeded(6);
  const entries: Uint8Array[] = [];
  const placed: Placed[] = [];
  // Enough bytes that nothing makes smaller for three threads.
  for (let index = 0; index < 60; index++) {
    const noise = new Uint32Array(25_000);
    for (let word = 0; word < noise.length; word++) noise[word] = random(2 ** 32);
    placed.push(
      image.object("blob", Buffer.concat([Buffer.from(noise.buffer), Buffer.from("marked object")])),
    );
    entries.push(treeEntry("100644", `${index}`.padStart(2, "0"), placed.at(-1)!.oid));
  }
  const marked = image.object("blob", "marked object");
  image.commit(image.tree(...entries, treeEntry("100644", "marked", marked.oid)).oid);
  const { bytes: sound, packEnd, idxEnd } = image.finish();
  const path = join(temporaryFolder(t), "image");
  const [probe] = await verifierVariants("verifier-marked");
  const statuses: string[] = [];
  const check = async (
    bytes: Uint8Array,
    code: string | undefined,
    module?: WebAssembly.Module,
  ): Promise<void> => {
    writeFileSync(path, bytes);
    const options = module === undefined ? {} : { module };
    const one = await verify(path, { jobs: 1, ...options });
    for (const jobs of [2, 3]) assert.deepEqual(await verify(path, { jobs, ...options }), one);
    assert.deepEqual(
      one.findings.map((finding) => finding.code).slice(0, 1),
      code === undefined ? [] : [code],
    );
    statuses.push(one.status);
  };
  await check(sound, undefined);
  await check(sound, "Collision", probe!.module);
  const inBlob = sound.slice();
  inBlob[28 + placed[40]!.offset + 5000]! ^= 1;
  await check(inBlob, "BadAdler");
  // Both copies of the PACK's checksum agree, and are wrong.
  const inTrailer = sound.slice();
  inTrailer[packEnd - 1]! ^= 1;
  inTrailer[idxEnd - 21]! ^= 1;
  const idx = idxEnd - 1032 - 63 * 28 - 40;
  inTrailer.set(
    createHash("sha1")
      .update(inTrailer.subarray(idx, idxEnd - 20))
      .digest(),
    idxEnd - 20,
  );
  await check(inTrailer, "BadTrailer");
  assert.deepEqual(statuses, ["sound", "damaged", "damaged", "damaged"]);
});
