/** Damaged layout sections: `verify` finds every bit that is turned, and the functions of docteur/layout repair them. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { DocteurError } from "../../src/errors.js";
import { addLayout, checkLayout, stripLayout } from "../../src/layout/files/index.js";
import { makeImage } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { decodeLayout } from "../support/layout-decoder.js";
import { temporaryFolder } from "../support/temporary.js";

const FOOTER = 512;

/** An image with a section of a few pages. */
async function sample(count = 12, text = "content"): Promise<Buffer> {
  const files: Record<string, string> = { "a/b/c.txt": "deep" };
  for (let index = 0; index < count; index++) files[`page-${index}.html`] = `${text} ${index % 3}`;
  return Buffer.from((await makeImage(files)).image);
}

/** Computes the checksum of a changed footer. */
function reseal(image: Buffer): void {
  const start = image.length - FOOTER;
  image.writeUInt32LE(crc32(image.subarray(start, image.length - 4)), image.length - 4);
}

const codesOf = ({ findings }: Awaited<ReturnType<typeof verify>>): string[] =>
  findings.map(({ code }) => code);

test("every bit of a section, turned, is found: in full, and by checksums alone", async () => {
  const image = await sample(3);
  const { bareSize } = decodeLayout(image);
  for (let at = bareSize; at < image.length; at++) {
    // Most of a page is zeros: of these, one bit in a byte.
    const bits = image[at] === 0 && image[at - 1] === 0 ? [at % 8] : [0, 1, 2, 3, 4, 5, 6, 7];
    for (const bit of bits) {
      image[at]! ^= 1 << bit;
      for (const quick of at % 16 === 0 || image[at] !== 1 << bit ? [true, false] : [true]) {
        const { status, findings } = await verify(image, { quick });
        assert.equal(status, "damaged", `bit ${bit} of byte ${at}`);
        assert.deepEqual(
          findings.map(({ code }) => code),
          ["BadLayout"],
        );
        const offset = findings[0]!.offset!;
        const isFooter = at >= image.length - FOOTER;
        if (isFooter) assert.equal(offset, image.length - FOOTER);
        else if (quick) assert.ok(offset <= at && at < offset + 4096);
        else assert.equal(offset, at);
      }
      image[at]! ^= 1 << bit;
    }
  }
});

test("the rest of a section that was cut off is trailing data", async () => {
  const image = await sample();
  const { bareSize } = decodeLayout(image);
  for (let length = bareSize; length < image.length; length += 512) {
    const { status, findings } = await verify(image.subarray(0, length));
    const [first] = findings;
    // Nothing says any more that this was a section.
    if (length === bareSize) assert.deepEqual([status, first], ["sound", undefined]);
    else assert.deepEqual([status, first?.code], ["sound", "TrailingData"]);
  }
});

test("pages that changed places, and sections of other images", async () => {
  const image = await sample(1500);
  const { firstPage, pageSize, leaves, bareSize } = decodeLayout(image);
  assert.ok(leaves > 1);
  const swapped = Buffer.from(image);
  image.copy(swapped, firstPage, firstPage + pageSize, firstPage + 2 * pageSize);
  image.copy(swapped, firstPage + pageSize, firstPage, firstPage + pageSize);
  for (const quick of [true, false]) {
    const { findings } = await verify(swapped, { quick });
    assert.deepEqual(
      findings.map(({ code }) => code),
      ["BadLayout"],
    );
    assert.match(findings[0]!.message, /page 0/);
  }
  const other = await sample(1500, "changed");
  const { bareSize: otherSize } = decodeLayout(other);
  const foreign = Buffer.concat([image.subarray(0, bareSize), other.subarray(otherSize)]);
  const { findings } = await verify(foreign);
  assert.deepEqual(
    findings.map(({ code }) => code),
    ["BadLayout"],
  );
});

test("a section whose checksums are right and whose records are not", async () => {
  const image = await sample();
  const { firstPage, pageSize } = decodeLayout(image);
  const text = image.indexOf("page-", firstPage);
  image[text] = 0x71;
  const trailer = image.subarray(image.length - FOOTER + 60, image.length - FOOTER + 80);
  const binding = Buffer.concat([trailer, Buffer.alloc(4)]);
  image.writeUInt32LE(
    crc32(Buffer.concat([binding, image.subarray(firstPage + 4, firstPage + pageSize)])),
    firstPage,
  );
  const quick = await verify(image, { quick: true });
  assert.equal(quick.status, "sound");
  const { status, findings } = await verify(image);
  assert.deepEqual([status, codesOf({ findings } as never)], ["damaged", ["BadLayout"]]);
  assert.equal(findings[0]!.offset, firstPage);
});

test("footers that lead elsewhere, with their checksums right", async () => {
  const image = await sample();
  const start = image.length - FOOTER;
  for (const [at, width] of [
    [12, 4],
    [16, 8],
    [24, 4],
    [28, 4],
    [32, 8],
    [40, 20],
    [60, 20],
    [80, 4],
    [84, 4],
    [88, 8],
    [96, 8],
    [104, 8],
    [112, 8],
    [120, 8],
    [128, 380],
  ] as const)
    for (const value of [0, 1, 0x7f, 0xff])
      for (const byte of [0, width - 1]) {
        const changed = Buffer.from(image);
        changed[start + at + byte]! ^= value;
        reseal(changed);
        const report = await verify(changed);
        assert.deepEqual(codesOf(report), value === 0 ? [] : ["BadLayout"], `field ${at}, ${value}`);
      }
});

test("a section of another version is a note, and is neither checked nor changed", async (t) => {
  const image = await sample();
  image.writeUInt32LE(3, image.length - FOOTER + 8);
  reseal(image);
  for (const quick of [true, false]) {
    const { status, findings, layoutBytes } = await verify(image, { quick });
    assert.deepEqual(
      [status, findings.map(({ severity, code }) => [severity, code]), layoutBytes],
      ["sound", [["note", "UnknownLayout"]], undefined],
    );
  }
  const file = join(temporaryFolder(t), "image");
  writeFileSync(file, image);
  for (const change of [addLayout, stripLayout, checkLayout])
    await assert.rejects(change(file), { code: "BadLayout", message: /version 3/ });
  assert.deepEqual(readFileSync(file), image);
});

test("damaged sections are refused by checkLayout, made again by addLayout, and taken away by stripLayout", async (t) => {
  const file = join(temporaryFolder(t), "image");
  for (const blockSize of [512, 4096]) {
    const image = Buffer.from((await makeImage({ "a.txt": "a", "b/c.txt": "c" }, { blockSize })).image);
    const { bareSize, firstPage } = decodeLayout(image);
    for (const at of [firstPage + 30, image.length - FOOTER, image.length - FOOTER + 20, image.length - 1]) {
      const damaged = Buffer.from(image);
      damaged[at]! ^= 0x40;
      writeFileSync(file, damaged);
      await assert.rejects(checkLayout(file), { code: "BadLayout" });
      await addLayout(file);
      assert.deepEqual(readFileSync(file), image, `byte ${at}`);
      writeFileSync(file, damaged);
      await stripLayout(file);
      assert.deepEqual(readFileSync(file), image.subarray(0, bareSize), `byte ${at}`);
    }
  }
});

test("a damaged image gets no section: the error says so, and leads to verify", async (t) => {
  const file = join(temporaryFolder(t), "image");
  const lacking = new CraftedImage();
  lacking.commit(lacking.tree(treeEntry("100644", "f", "1".repeat(40))).oid);
  const wrongKind = new CraftedImage();
  const tree = wrongKind.tree();
  wrongKind.commit(wrongKind.tree(treeEntry("100644", "f", tree.oid)).oid);
  const twice = new CraftedImage();
  const { oid } = twice.object("blob", "text");
  twice.commit(twice.tree(treeEntry("100644", "f", oid), treeEntry("100644", "f", oid)).oid);
  for (const [image, code] of [
    [lacking, "MissingObject"],
    [wrongKind, "WrongKind"],
    [twice, "BadTree"],
  ] as const) {
    const { bytes } = image.finish();
    writeFileSync(file, bytes);
    await assert.rejects(addLayout(file), (error) => {
      assert.ok(error instanceof DocteurError);
      assert.deepEqual([error.code, error.path], [code, file]);
      assert.match(error.hint!, /docteur verify/);
      return true;
    });
    assert.deepEqual(readFileSync(file), Buffer.from(bytes));
  }
});

test("trees that hold each other many times: no section is made, and one that claims to be one is soon refused", async (t) => {
  const bomb = new CraftedImage();
  let { oid } = bomb.object("blob", "text");
  let mode = "100644";
  for (let level = 0; level < 40; level++) {
    ({ oid } = bomb.tree(treeEntry(mode, "a", oid), treeEntry(mode, "b", oid)));
    mode = "40000";
  }
  bomb.commit(oid);
  const { bytes } = bomb.finish();
  const file = join(temporaryFolder(t), "image");
  writeFileSync(file, bytes);
  await assert.rejects(addLayout(file), { code: "TooManyObjects" });
  const section = (await sample()).subarray(decodeLayout(await sample()).bareSize);
  const image = Buffer.concat([bytes, section]);
  const start = image.length - FOOTER;
  const idx = Number(image.readBigUInt64LE(20));
  const idxEnd = idx + 1032 + 28 * image.readUInt32BE(idx + 8 + 255 * 4) + 40;
  image.copy(image, start + 40, 0, 20);
  image.copy(image, start + 60, idxEnd - 40, idxEnd - 20);
  image.writeBigUInt64LE(BigInt(image.length), start + 104);
  image.writeBigUInt64LE(BigInt(bytes.length), start + 120);
  image.writeBigUInt64LE(BigInt(bytes.length), start + 16);
  reseal(image);
  assert.deepEqual(codesOf(await verify(image)), ["BadLayout"]);
});
