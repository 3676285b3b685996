/** What long work shows on a terminal, and that pipes see nothing of it. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { make } from "../../src/make/index.js";
import { assertSound, type VerifyProgress } from "../../src/verify/index.js";
import { docteur } from "../support/cli.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

/** Makes a program take its standard error for a terminal. */
const ON_TERMINAL = {
  NODE_OPTIONS: "--import=data:text/javascript,process.stderr.isTTY=true",
  NO_COLOR: "1",
};

test("make and verify show progress on a terminal alone, and close with a line unless they are quiet", async (t) => {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  const image = join(work, "image");
  mkdirSync(source);
  const random = seeded(21);
  // Noise takes no time to pack, and verifying it takes some.
  for (let file = 0; file < 48; file++)
    writeFileSync(
      join(source, `${file}`),
      Buffer.from(Uint32Array.from({ length: 1 << 18 }, () => random(2 ** 32)).buffer),
    );
  const commands = {
    make: ["make", source, image],
    verify: ["verify", "--jobs", "1", image],
  };
  const shown = {
    make: /^\r\[(?:1\/5\] listing|2\/5\] reading|5\/5\] packing): .*\r\x1b\[K\S+image: commit [0-9a-f]{40}, 48 files, 50 MB in 50 MB, \d+\.\d s\n$/s,
    verify:
      /^\r\S+image: \[[123]\/3\] (?:reading|hashing|checking): \d+ %\x1b\[K.*\r\x1b\[K\S+image: sound: .* checked\n$/s,
  };
  const closing = {
    make: /^\S+image: commit [0-9a-f]{40}, 48 files, 50 MB in 50 MB, \d+\.\d s\n$/,
    verify:
      /^\S+image: sound: header, PACK checksum, index, 50 objects and every path of the commit checked\n$/,
  };
  for (const name of ["make", "verify"] as const) {
    const onTerminal = await docteur(commands[name], { env: ON_TERMINAL, closing: true });
    assert.equal(onTerminal.status, 0, onTerminal.stderr);
    assert.match(onTerminal.stderr, shown[name]);
    const quiet = await docteur([...commands[name], "-q"], { env: ON_TERMINAL, closing: true });
    assert.deepEqual([quiet.status, quiet.stderr], [0, ""]);
    const piped = await docteur(commands[name], { closing: true });
    assert.equal(piped.status, 0);
    assert.match(piped.stderr, closing[name]);
  }
});

test("what verify tells of its progress ends with all of it", async (t) => {
  const work = temporaryFolder(t);
  writeFileSync(join(work, "file"), "content\n");
  const image = join(work, "image");
  await make(work, image);
  for (const jobs of [1, 2]) {
    const steps: VerifyProgress[] = [];
    await assertSound(image, { jobs, onProgress: (step) => steps.push(step) });
    assert.ok(steps.every(({ done, total }) => done >= 0 && done <= total));
    const last = steps.at(-1)!;
    assert.deepEqual([last.phase, last.done], ["resolve", last.total]);
  }
});
