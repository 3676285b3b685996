/** Images that `docteur serve` replaces: what was checked is what is served. */
import assert from "node:assert/strict";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { LiveImage } from "../../tools/serve/live-image.js";
import { temporaryFolder } from "../support/temporary.js";

async function imageOf(text: string): Promise<Buffer> {
  return Buffer.from((await makeImage({ text }, { date: "2024-06-07T08:09:10Z" })).image);
}

/** An image under its path, and what puts another one in its place, as a program does that writes whole files. */
async function setUp(
  t: TestContext,
  withFile: boolean,
): Promise<{
  put: (bytes: Uint8Array) => void;
  image: LiveImage;
  /** Is called once, between the check of a new image and its opening. */
  between: (act: () => void) => void;
}> {
  const folder = temporaryFolder(t);
  const path = join(folder, "image");
  const put = (bytes: Uint8Array): void => {
    writeFileSync(join(folder, "new"), bytes);
    renameSync(join(folder, "new"), path);
  };
  put(await imageOf("one"));
  let act: (() => void) | undefined;
  let accesses = 0;
  const options = {
    ...{ name: "image", source: path, withFile },
    handle: () => async () => new Response(),
    // The check looks at the options before it begins, and the opening after the check.
    get open() {
      if (act !== undefined && ++accesses === 2) act();
      return {};
    },
  };
  const image = new LiveImage(options);
  await image.begin();
  t.after(() => image.end());
  return {
    put,
    image,
    between: (then) => {
      act = then;
    },
  };
}

for (const withFile of [false, true]) {
  const how = withFile ? "with its bytes" : "its files alone";
  test(`a damaged image that comes after the check is refused, ${how}`, async (t) => {
    const { put, image, between } = await setUp(t, withFile);
    const damaged = await imageOf("three");
    // In the IDX's own checksum, which the check alone looks at.
    damaged[damaged.findLastIndex((byte) => byte !== 0)]! ^= 1;
    put(await imageOf("two"));
    between(() => put(damaged));
    await assert.rejects(image.renew(true), { name: "DocteurError" });
    assert.equal(await image.volume.text("/text"), "one");
    assert.equal(image.versionCount, 1);
  });

  test(`a sound image that comes after the check is served, ${how}`, async (t) => {
    const { put, image, between } = await setUp(t, withFile);
    put(await imageOf("two"));
    const last = await imageOf("three");
    between(() => put(last));
    assert.equal(await image.renew(true), true);
    assert.equal(await image.volume.text("/text"), "three");
    assert.equal(image.versionCount, 1);
  });
}
