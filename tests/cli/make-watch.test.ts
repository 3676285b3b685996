/** `docteur make --watch`: a new image after every change, of the last one and of what changed, until a signal ends it. */
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { open } from "../../src/index.js";
import type { MakeSummary } from "../../src/make/index.js";
import { verify } from "../../src/verify/index.js";
import { docteur } from "../support/cli.js";
import { temporaryFolder } from "../support/temporary.js";

interface Watched {
  work: string;
  source: string;
  image: string;
  /** Waits for the summary of a make after which the image holds a file with this content; undefined for none. */
  until(path: string, content: string | undefined): Promise<MakeSummary>;
  /** Whether a text is among the messages. */
  hasTold(message: RegExp): boolean;
  /** Waits for a text among the messages. */
  told(message: RegExp): Promise<void>;
  end(signal: NodeJS.Signals): Promise<{ status: number | null; stderr: string }>;
}

/** Starts a watch of a directory with two files. @param byLink whether it is given by a link to it, and the image is not */
async function start(t: TestContext, imageIn = "work", byLink = false): Promise<Watched> {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(join(source, "sub"), { recursive: true });
  writeFileSync(join(source, "a"), "first");
  writeFileSync(join(source, "sub", "b"), "b");
  const image = join(imageIn === "work" ? work : source, "image");
  const given = byLink ? join(work, "link") : source;
  if (byLink) symlinkSync("source", given);
  let child: ChildProcess | undefined;
  let stdout = "";
  let stderr = "";
  const ended = docteur(["make", "--watch", "--json", given, image], {
    closing: true,
    onStart: (started) => {
      child = started;
      started.stdout!.on("data", (text: string) => {
        stdout += text;
      });
      started.stderr!.on("data", (text: string) => {
        stderr += text;
      });
    },
  });
  t.after(() => void child?.kill("SIGKILL"));
  const contentOf = async (path: string): Promise<string | undefined> => {
    const volume = await open(image).catch(() => undefined);
    if (volume === undefined) return "";
    try {
      return (await volume.exists(path)) === null ? undefined : await volume.text(path);
    } finally {
      await volume.close();
    }
  };
  const repeat = async (isDone: () => Promise<boolean>, what: string): Promise<void> => {
    for (let left = 600; !(await isDone()); left--) {
      assert.ok(left > 0 && (child?.exitCode ?? null) === null, `${what} did not come: ${stderr}`);
      await wait(50);
    }
  };
  return {
    work,
    source,
    image,
    until: async (path, content) => {
      const before = stdout.length;
      await repeat(async () => (await contentOf(path)) === content, `${path} with ${content}`);
      await repeat(async () => stdout.endsWith("}\n") || stdout.length > before, "a summary");
      return JSON.parse(stdout.trim().split("\n").at(-1)!) as MakeSummary;
    },
    hasTold: (message) => message.test(stderr),
    told: (message) => repeat(async () => message.test(stderr), String(message)),
    end: async (signal) => {
      child!.kill(signal);
      const { status } = await ended;
      return { status, stderr };
    },
  };
}

for (const place of ["work", "source"])
  test(`changes become images; the image in ${place}`, async (t) => {
    const watched = await start(t, place);
    const { source, image, work } = watched;
    await watched.until("a", "first");
    writeFileSync(join(source, "a"), "second");
    await watched.until("a", "second");
    mkdirSync(join(source, "new", "deep"), { recursive: true });
    writeFileSync(join(source, "new", "deep", "c"), "c");
    await watched.until("new/deep/c", "c");
    // A directory that another one replaces is watched, too.
    renameSync(join(source, "sub"), join(source, "moved"));
    mkdirSync(join(source, "sub"));
    writeFileSync(join(source, "sub", "b"), "other");
    await watched.until("sub/b", "other");
    writeFileSync(join(source, "sub", "b"), "another");
    await watched.until("sub/b", "another");
    rmSync(join(source, "a"));
    const last = await watched.until("a", undefined);
    assert.ok(last.reusedCount! > 0);
    assert.equal((await verify(image)).status, "sound");
    const { status, stderr } = await watched.end("SIGTERM");
    assert.equal(status, 0, stderr);
    assert.match(stderr, /^(?:.*\/image: commit [0-9a-f]{40}, \d+ files?, .* s\n)+$/);
    for (const folder of [work, source])
      assert.deepEqual(
        readdirSync(folder).filter((name) => name.startsWith(".docteur")),
        [],
      );
  });

for (const byLink of [false, true])
  test(`a watch does not make images of its own images${byLink ? ", reached by another path" : ""}`, async (t) => {
    const watched = await start(t, "source", byLink);
    await watched.until("a", "first");
    await wait(1500);
    const { stderr } = await watched.end("SIGINT");
    // A change that the system told late may be one more.
    assert.ok(stderr.trim().split("\n").length <= 2, stderr);
  });

test("the directory itself may go and come again", async (t) => {
  const watched = await start(t);
  const { source } = watched;
  await watched.until("a", "first");
  rmSync(source, { recursive: true });
  await watched.told(/^docteur: .*source does not exist$/m);
  mkdirSync(source);
  writeFileSync(join(source, "a"), "again");
  await watched.until("a", "again");
  writeFileSync(join(source, "a"), "changed");
  await watched.until("a", "changed");
  assert.equal((await watched.end("SIGTERM")).status, 0);
});

test("a directory given by a link: its changes, and another place of the link", async (t) => {
  const watched = await start(t, "work", true);
  const { source, work } = watched;
  await watched.until("a", "first");
  writeFileSync(join(source, "a"), "second");
  await watched.until("a", "second");
  mkdirSync(join(work, "next"));
  writeFileSync(join(work, "next", "a"), "next");
  symlinkSync("next", join(work, "new link"));
  renameSync(join(work, "new link"), join(work, "link"));
  await watched.until("a", "next");
  assert.equal((await watched.end("SIGTERM")).status, 0);
});

test("errors are told, and the watch goes on", async (t) => {
  const watched = await start(t);
  const { source, image } = watched;
  await watched.until("a", "first");
  mkdirSync(join(source, "x"));
  writeFileSync(join(source, "x", "git~1"), "no image holds this name");
  await watched.told(/^docteur: .*git~1.*$/m);
  renameSync(join(source, "x", "git~1"), join(source, "x", "fine"));
  await watched.until("x/fine", "no image holds this name");
  // Another program damages the image: it is made without the last one. A make that was under way may replace it first.
  for (let round = 2; !watched.hasTold(/--from takes a sound image/) && round < 20; round++) {
    writeFileSync(image, "damaged");
    writeFileSync(join(source, "a"), `${round}`);
    await watched.until("a", `${round}`);
  }
  await watched.told(/--from takes a sound image/);
  const { status } = await watched.end("SIGINT");
  assert.equal(status, 0);
});

test("files that come and go all the time do not end it", async (t) => {
  const watched = await start(t);
  const { source } = watched;
  await watched.until("a", "first");
  for (let round = 0; round < 150; round++) {
    writeFileSync(join(source, `t${round % 7}`), `${round}`);
    rmSync(join(source, `t${(round + 3) % 7}`), { force: true });
    await wait(5);
  }
  writeFileSync(join(source, "end"), "end");
  await watched.until("end", "end");
  assert.equal((await watched.end("SIGTERM")).status, 0);
});

test("sources that cannot be watched", async (t) => {
  const work = temporaryFolder(t);
  writeFileSync(join(work, "file"), "x");
  for (const [args, message] of [
    [
      [join(work, "file"), join(work, "image")],
      /^docteur: only a directory can be watched, and .*file is none\n/,
    ],
    [[work, "-"], /^docteur: --watch makes an image of SOURCE in a file\n/],
    [
      ["--add", `a=${work}`, work, join(work, "image")],
      /^docteur: only a directory can be watched, without --add\n/,
    ],
  ] as [string[], RegExp][]) {
    const { status, stderr } = await docteur(["make", "--watch", ...args]);
    assert.match(stderr, message);
    assert.equal(status, 16);
  }
});
