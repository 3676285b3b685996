/** Images of many GiB, in files that are mostly holes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { buildIdx } from "../../src/git/build-idx.js";
import { encodeBaseDistance } from "../../src/git/entry.js";
import type { Kind } from "../../src/git/objects.js";
import { type BlockDevice, open, RESULT, type ReadResult } from "../../src/index.js";
import { writeImage } from "../../src/make/image.js";
import { PackWriter } from "../../src/make/pack/writer.js";
import type { Sink } from "../../src/sink.js";
import { encodeSize } from "../support/delta-encoder.js";
import { gitOid } from "../support/fixtures.js";
import { treeEntry } from "../support/pack.js";

/** A sink in which one may leave holes, and the device that has its content. */
class Sparse implements Sink, BlockDevice {
  readonly blockSize = 512;
  readonly #parts: { offset: number; bytes: Uint8Array }[] = [];
  position = 0;

  get capacity(): number {
    return this.position;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.patch(bytes, this.position);
    this.position += bytes.length;
  }

  async appendZeros(length: number): Promise<void> {
    this.position += length;
  }

  async patch(bytes: Uint8Array, offset: number): Promise<void> {
    this.#parts.push({ offset, bytes: Uint8Array.from(bytes) });
  }

  read(offset: number, target: Uint8Array): ReadResult {
    target.fill(0);
    for (const { offset: start, bytes } of this.#parts) {
      const from = Math.max(0, offset - start);
      if (start >= offset + target.length || from >= bytes.length) continue;
      const to = Math.max(0, start - offset);
      target.set(bytes.subarray(from, from + target.length - to), to);
    }
    return RESULT.OK;
  }
}

/** An object, ready to be added. */
function objectOf(kind: Kind, content: Buffer): { kind: Kind; oid: Buffer; content: Buffer; stream: Buffer } {
  return { kind, oid: Buffer.from(gitOid(kind, content), "hex"), content, stream: deflateSync(content) };
}

test("entries before and behind 2^31 and 2^32: git reads their offsets, docteur the files", async () => {
  const near = objectOf("blob", Buffer.from("what lies at the begin\n".repeat(20)));
  const middle = objectOf("blob", Buffer.from("what lies behind two GiB\n"));
  const far = objectOf("blob", Buffer.from(`${near.content}and more\n`));
  const last = objectOf("blob", Buffer.from("what lies behind a thousand GiB\n"));
  const tree = objectOf(
    "tree",
    Buffer.concat(
      Object.entries({ far, last, middle, near }).map(([name, { oid }]) =>
        treeEntry("100644", name, oid.toString("hex")),
      ),
    ),
  );
  const who = "A U Thor <author@example.org> 1717740550 +0200";
  const commit = objectOf(
    "commit",
    Buffer.from(`tree ${tree.oid.toString("hex")}\nauthor ${who}\ncommitter ${who}\n\nfar\n`),
  );
  // All of the base, then nine bytes.
  const { length } = near.content;
  const copy = Buffer.of(0xb0, length % 256, length >> 8);
  const sizes = [length, far.content.length].map((size) => Buffer.from(encodeSize(size)));
  const delta = Buffer.concat([...sizes, copy, Buffer.of(9), Buffer.from("and more\n")]);

  const image = new Sparse();
  const offsets = new Map<string, number>();
  let idx = new Uint8Array(0);
  await writeImage(image, 512, commit.oid, async () => {
    const writer = new PackWriter(image, 6, createHash("sha1"));
    const add = async ({ kind, oid, content, stream }: typeof near): Promise<void> => {
      offsets.set(oid.toString("hex"), writer.position);
      await writer.add(kind, oid, content.length, stream);
    };
    const leaveHole = (to: number): void => {
      image.position += to - writer.position;
    };
    await writer.begin();
    for (const object of [commit, tree, near]) await add(object);
    leaveHole(2 ** 31 - 1);
    await add(middle);
    leaveHole(2 ** 32 + 7);
    offsets.set(far.oid.toString("hex"), writer.position);
    await writer.addDelta(far.oid, offsets.get(near.oid.toString("hex"))!, delta.length, deflateSync(delta));
    leaveHole(2 ** 40);
    await add(last);
    const { trailer, entries } = await writer.finish();
    idx = Uint8Array.from(buildIdx(entries, trailer, createHash("sha1")));
    return idx;
  });

  const listed = execFileSync("git", ["show-index"], { input: idx, encoding: "utf8" }).trimEnd().split("\n");
  const shown = new Map(listed.map((line) => [line.split(" ")[1]!, Number(line.split(" ")[0])]));
  assert.deepEqual(shown, offsets);
  assert.equal(idx.length, 8 + 1024 + 6 * 28 + 2 * 8 + 40);

  const volume = await open(image);
  for (const [name, { content }] of Object.entries({ near, middle, far, last }))
    assert.ok(content.equals(await volume.get(`/${name}`)), name);
  await volume.close();
});

test("distances to bases of every length are read back as they were written", () => {
  for (let power = 0; power <= 52; power++)
    for (const distance of [2 ** power - 1, 2 ** power, 2 ** power + 1]) {
      if (distance < 1) continue;
      const bytes = encodeBaseDistance(distance);
      // As git's unpack_entry does it (packfile.c, get_delta_base).
      let read = bytes[0]! & 127;
      for (let at = 1; at < bytes.length; at++) read = (read + 1) * 128 + (bytes[at]! & 127);
      assert.equal(read, distance);
      assert.ok(bytes.every((byte, at) => byte >= 128 === at < bytes.length - 1));
    }
});
