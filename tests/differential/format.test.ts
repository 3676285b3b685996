/** docs/FORMAT.md: its commands work on images of every origin, and git takes the PACK and IDX that it describes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { fixturePath } from "../support/fixtures.js";
import { git } from "../support/git.js";
import { temporaryFolder } from "../support/temporary.js";

const HEADER_LEN = 28;

/** The commands of the page's first `sh` block. */
function commands(): string {
  const page = readFileSync(new URL("../../../docs/FORMAT.md", import.meta.url), "utf8");
  return /```sh\n(.*?)```/s.exec(page)![1]!;
}

/** Absolute offset of the IDX, as the page says that the header holds it. */
function idxOffset(image: Uint8Array): number {
  return Number(new DataView(image.buffer, image.byteOffset).getBigUint64(20, true));
}

for (const name of ["tiny", "gitmodes", "gitdelta", "refdelta", "made"])
  test(`git reads ${name}.img by the commands of the page`, async (t) => {
    const folder = temporaryFolder(t);
    const file = join(folder, "disk.img");
    if (name === "made") {
      const content = "a line that stands there often\n".repeat(1000);
      writeFileSync(
        file,
        (await makeImage({ "a/b.txt": content, "c.txt": `${content}!`, l: { link: "c.txt" } })).image,
      );
    } else copyFileSync(fixturePath(`${name}.img`), file);
    const image = readFileSync(file);

    const shown = execFileSync("sh", ["-ec", commands()], { cwd: folder, encoding: "utf8" });
    const commit = image.subarray(0, 20).toString("hex");
    assert.equal(git(join(folder, "objects"), "cat-file", "-p", commit), shown.replace(/\n$/, ""));
    assert.match(shown, /^tree [0-9a-f]{40}\n/);
    git(join(folder, "objects"), "fsck", "--full", "--strict", commit);

    // What lies at the header's offset is the IDX that git writes for the PACK.
    const trailer = image.subarray(idxOffset(image));
    writeFileSync(join(folder, "at.pack"), image.subarray(HEADER_LEN, packEnd(image)));
    git(folder, "index-pack", "at.pack");
    const idx = readFileSync(join(folder, "at.idx"));
    assert.deepEqual(trailer.subarray(0, idx.length), idx);
    const rest = image.subarray(idxOffset(image) + idx.length, bareSize(image));
    assert.ok(rest.every((byte) => byte === 0));
  });

/** Bytes of an image without its layout section, whose footer has them. */
function bareSize(image: Buffer): number {
  const footer = image.subarray(-512);
  return footer.toString("latin1", 0, 8) === "docteurL" ? Number(footer.readBigUInt64LE(120)) : image.length;
}

/** Absolute end of the PACK: the last place before the IDX where the IDX's copy of the PACK's trailer stands. */
function packEnd(image: Buffer): number {
  const idx = idxOffset(image);
  const count = image.readUInt32BE(idx + 8 + 255 * 4);
  const copy = idx + 1032 + 28 * count;
  return image.subarray(0, idx).lastIndexOf(image.subarray(copy, copy + 20)) + 20;
}
