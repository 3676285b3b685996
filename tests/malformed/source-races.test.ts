/**
 * Directories that another process changes while they are read: what is opened is what was listed, and nothing from
 * outside the source comes into an image.
 */
import assert from "node:assert/strict";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import { DocteurError, open } from "../../src/index.js";
import { type MakeProgress, make } from "../../src/make/index.js";
import { temporaryFolder } from "../support/temporary.js";

const SECRET = "from outside\n";
const CONTENT = "from inside.\n";

interface Scene {
  work: string;
  source: string;
  outside: string;
}

/** A source with a folder in a folder, and the like of it outside. */
function createScene(t: TestContext): Scene {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  const outside = join(work, "outside");
  for (const [folder, content] of [
    [join(source, "m"), CONTENT],
    [outside, SECRET],
  ] as const) {
    mkdirSync(join(folder, "sub"), { recursive: true });
    writeFileSync(join(folder, "sub", "file"), content);
    symlinkSync(content, join(folder, "sub", "link"));
    for (const name of ["file", "z"]) writeFileSync(join(folder, name), content);
  }
  writeFileSync(join(source, "z"), "listed after m, before what is in m");
  return { work, source, outside };
}

/** Puts a symbolic link to the outside in the place of a folder. */
function swap({ source, outside }: Scene, path: string): void {
  renameSync(join(source, path), join(source, "..", "moved"));
  symlinkSync(join(outside, path.replace(/^m\/?/, "")), join(source, path));
}

/** Makes an image, doing something once the work is as far as `isTime` says. */
async function makeWhile(
  scene: Scene,
  isTime: (step: MakeProgress) => boolean,
  act: () => void,
): Promise<void> {
  let isDone = false;
  await make(scene.source, join(scene.work, "image"), {
    workers: 1,
    onProgress: (step) => {
      if (isDone || !isTime(step)) return;
      isDone = true;
      act();
    },
  });
}

/** The work fails as it should, and leaves nothing. */
async function refuses(scene: Scene, making: Promise<void>): Promise<void> {
  await assert.rejects(making, { code: "Io", message: /changed while it was read$/ });
  assert.deepEqual(readdirSync(scene.work).sort(), ["moved", "outside", "source"]);
}

const atFile = (count: number) => (step: MakeProgress) => step.phase === "scan" && step.done === count;

test("a folder that becomes a symbolic link before it is opened", async (t) => {
  for (const path of ["m", "m/sub"]) {
    const scene = createScene(t);
    // Files of a folder are told of before its folders are opened: here "z", then "m/file" and "m/z".
    const count = path === "m" ? 1 : 3;
    await refuses(
      scene,
      makeWhile(scene, atFile(count), () => swap(scene, path)),
    );
  }
});

test("a folder on the path that becomes a symbolic link while the folder below is listed", async (t) => {
  const scene = createScene(t);
  // "m/sub/file" is told of, and "m/sub/link" is not read yet: it is found from the open folder.
  await refuses(
    scene,
    makeWhile(scene, atFile(4), () => swap(scene, "m")),
  );
});

test("a folder that becomes a symbolic link after everything was listed", async (t) => {
  for (const path of ["m", "m/sub"]) {
    const scene = createScene(t);
    await refuses(
      scene,
      makeWhile(scene, atFile(5), () => swap(scene, path)),
    );
  }
});

test("a file that is another, or was written to, though its size and path are the same", async (t) => {
  const changes: ((path: string) => void)[] = [
    (path) => {
      renameSync(path, join(path, "..", "..", "..", "moved"));
      writeFileSync(path, SECRET);
    },
    (path) => writeFileSync(path, SECRET),
    (path) => utimesSync(path, 1, 1),
  ];
  for (const change of changes) {
    const scene = createScene(t);
    mkdirSync(join(scene.work, "moved-too"));
    const making = makeWhile(scene, atFile(5), () => change(join(scene.source, "m", "file")));
    await assert.rejects(making, { code: "Io", message: /m\/file changed while it was read$/ });
    assert.ok(!readdirSync(scene.work).includes("image"));
  }
});

test("a file that is gone by the time it is read", async (t) => {
  const scene = createScene(t);
  const making = makeWhile(scene, atFile(5), () => rmSync(join(scene.source, "m", "file")));
  await assert.rejects(making, { code: "Io", message: /m\/file changed while it was read$/ });
});

/** Swaps a folder for a link and back, as fast as it can. */
const RACER = `
  const { renameSync, rmSync, symlinkSync } = require("node:fs");
  const { workerData, parentPort } = require("node:worker_threads");
  const { folder, away, outside, flag } = workerData;
  let swaps = 0;
  while (Atomics.load(flag, 0) === 0) {
    renameSync(folder, away);
    symlinkSync(outside, folder);
    rmSync(folder);
    renameSync(away, folder);
    swaps++;
  }
  parentPort.postMessage(swaps);
`;

test("a thread that swaps a folder all the time: an image has the source's files, or is not made", async (t) => {
  const scene = createScene(t);
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const folder = join(scene.source, "m");
  const worker = new Worker(RACER, {
    eval: true,
    workerData: { folder, away: join(scene.work, "away"), outside: scene.outside, flag },
  });
  const swapped = new Promise<number>((resolve, reject) => {
    worker.once("message", resolve).once("error", reject);
  });
  let made = 0;
  let refused = 0;
  const image = join(scene.work, "image");
  try {
    for (let round = 0; round < 150; round++)
      try {
        await make(scene.source, image, { workers: 1 });
        made++;
        assert.ok(!readFileSync(image).includes(SECRET));
        const volume = await open(image);
        for (const path of ["/m/file", "/m/sub/file"])
          if (await volume.exists(path))
            assert.equal(Buffer.from(await volume.get(path)).toString(), CONTENT);
        await volume.close();
      } catch (error) {
        if (!(error instanceof DocteurError)) throw error;
        refused++;
      }
  } finally {
    Atomics.store(flag, 0, 1);
  }
  assert.ok((await swapped) > 0);
  assert.equal(made + refused, 150);
});
