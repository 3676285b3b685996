/** `docteur/fs` against `node:fs` on the directory that the image was made of. */
import assert from "node:assert/strict";
import * as nodeFs from "node:fs";
import { mkdirSync } from "node:fs";
import { join, normalize } from "node:path";
import { test } from "node:test";
import { createFs } from "../../src/fs/index.js";
import { open } from "../../src/index.js";
import { make } from "../../src/make/index.js";
import { openSync } from "../../src/sync/index.js";
import { type AnyFs, type Form, outcome, randomCall } from "../support/fs-calls.js";
import { createFsTree, leavesRoot, pathsBelow, randomPath } from "../support/fs-tree.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

const SEEDS = [1, 2, 3];
const CALLS = Number(process.env.DOCTEUR_FS_CALLS ?? 3000);
// Linux's order of checks, and its words.
const skip = process.platform === "linux" ? false : "the calls of Linux are the measure";

for (const seed of SEEDS) {
  test(`random calls give what Node gives, seed ${seed}`, { skip }, async (t) => {
    const work = temporaryFolder(t);
    const random = seeded(seed);
    const root = join(work, "root");
    mkdirSync(root);
    createFsTree(root, seed, random);
    const image = join(work, "disk.img");
    await make(root, image, { date: "1717740550" });
    const sync = openSync(image);
    const volume = await open(image);
    t.after(async () => {
      sync.close();
      await volume.close();
    });
    const systems: [AnyFs, readonly Form[]][] = [
      [createFs(sync) as unknown as AnyFs, ["sync", "promise", "callback"]],
      [createFs(volume) as unknown as AnyFs, ["promise", "callback"]],
    ];
    const paths = pathsBelow(root);
    let equal = 0;
    for (let count = 0; count < CALLS; count++) {
      const path = randomPath(paths, random);
      const [fs, forms] = systems[random(2)]!;
      const call = randomCall(path, random, forms);
      const given = call.as === "buffer" ? path : Buffer.from(path.toString());
      // `realpath` removes `..` by names, whatever is there.
      if (leavesRoot(root, given) || !normalize(join(root, given.toString())).startsWith(root)) continue;
      // `existsSync` and `realpathSync.native` need the synchronous volume.
      const on = ["exists", "realpath.native", "stat"].includes(call.name) ? systems[0]![0] : fs;
      const found = await outcome(on, "", call);
      const expected = await outcome(nodeFs, root, call);
      // What Node does in JavaScript does not find names that are not UTF-8.
      if (["realpath", "readdir"].includes(call.name) && JSON.stringify(expected).includes("\ufffd"))
        continue;
      assert.deepEqual(
        found,
        expected,
        `seed ${seed}, call ${count}: ${JSON.stringify({ ...call, path: call.path.toString("latin1") })}`,
      );
      equal++;
    }
    assert.ok(equal > CALLS / 2, `${equal}`);
  });
}
