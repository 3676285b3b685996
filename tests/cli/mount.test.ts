/** `docteur mount` and `docteur unmount`: with rclone where the machine has FUSE, and with a program in its place. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { makeImage } from "../../src/make/index.js";
import { mountedAt, parseMountInfo, parseMountOutput } from "../../tools/mount/mount-table.js";
import { isOurs } from "../../tools/mount/mounters.js";
import { docteur } from "../support/cli.js";
import { unlessRequired } from "../support/required.js";
import { noise } from "../support/rich-image.js";
import { whyNoPrograms } from "../support/servers.js";
import { temporaryFolder } from "../support/temporary.js";

const LARGE = noise(3_000_000, 4);

function whyNoFuse(): string | undefined {
  const missing = whyNoPrograms("rclone", "fusermount3");
  if (missing !== undefined) return missing;
  try {
    accessSync("/dev/fuse", constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return "/dev/fuse cannot be used";
  }
}

const skip = unlessRequired("mount", whyNoFuse()) ?? false;

async function setUp(t: TestContext): Promise<{ folder: string; image: string; directory: string }> {
  const folder = temporaryFolder(t);
  const files = {
    "a b.txt": "text",
    ".dot": "dot",
    "d/e/f": "deep",
    link: { link: "d/e/f" },
    large: LARGE,
    "x.js": "x",
    "x.js.gz": "z",
  };
  const { image } = await makeImage(files, { date: "2024-06-07T08:09:10Z" });
  const path = join(folder, "site.img");
  writeFileSync(path, image);
  return { folder, image: path, directory: join(folder, "mnt") };
}

/** The processes whose command lines hold a text. */
function processesWith(text: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text);
      } catch {
        return false;
      }
    });
}

test("an image is mounted in the background, and unmounted without a trace", { skip }, async (t) => {
  const { folder, image, directory } = await setUp(t);
  const mounted = await docteur(["mount", image, directory]);
  assert.equal(mounted.status, 0, mounted.stderr);
  assert.match(mounted.stderr, /mnt: .*site\.img, mounted with rclone; docteur unmount ends it\n$/);
  t.after(() => docteur(["unmount", "--force", directory]).then(() => undefined));
  assert.deepEqual(readdirSync(directory).sort(), [
    ".dot",
    "a b.txt",
    "d",
    "large",
    "link",
    "x.js",
    "x.js.gz",
  ]);
  assert.equal(readFileSync(join(directory, "a b.txt"), "utf8"), "text");
  assert.equal(readFileSync(join(directory, "link"), "utf8"), "deep");
  assert.ok(readFileSync(join(directory, "large")).equals(LARGE));
  assert.throws(() => writeFileSync(join(directory, "new"), ""), /EROFS/);
  const again = await docteur(["mount", image, directory]);
  assert.equal(again.status, 8);
  assert.match(again.stderr, /docteur:site\.img is mounted there\nhint: docteur unmount .*mnt ends it/);
  // Another user of the machine can find the port, and is asked for a password.
  const environments = processesWith(directory).map((pid) => readFileSync(`/proc/${pid}/environ`, "utf8"));
  const [, address] = /RCLONE_WEBDAV_URL=([^\0]*)/.exec(environments.join("\0"))!;
  for (const path of ["", "a%20b.txt"]) assert.equal((await fetch(address! + path)).status, 401);
  const wrong = { authorization: `Bearer ${"0".repeat(48)}` };
  assert.equal((await fetch(address!, { headers: wrong })).status, 401);
  assert.equal((await docteur(["unmount", directory])).status, 0);
  while (processesWith(directory).length > 0 || existsSync(directory)) await pause(20);
  assert.deepEqual(readdirSync(folder), ["site.img"]);
  const none = await docteur(["unmount", directory]);
  assert.equal(none.status, 8);
  assert.match(none.stderr, /nothing is mounted there/);
});

test("in the foreground, a signal unmounts", { skip }, async (t) => {
  const { image, directory } = await setUp(t);
  mkdirSync(directory);
  const run = docteur(["mount", "--foreground", "--quiet", image, directory], {
    onStart: async (child) => {
      while (mountedAt(directory) === undefined && child.exitCode === null) await pause(20);
      child.kill("SIGTERM");
    },
  });
  const { status, stderr } = await run;
  assert.equal(status, 0, stderr);
  assert.equal(mountedAt(directory), undefined);
  // It was there before.
  assert.ok(existsSync(directory));
});

/** A program in rclone's place, which writes down how it was called, and fails. @param first what it does before */
function standIn(
  folder: string,
  first = "",
): {
  env: Record<string, string>;
  called: () => { args: string[]; env: string };
} {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const log = join(folder, "called");
  const script = `#!/bin/sh\n${first}\nfor a in "$@"; do printf '%s\\n' "$a"; done > ${log}\nenv | grep RCLONE > ${log}.env\necho "no luck" >&2\nexit 3\n`;
  for (const name of ["rclone", "fusermount3"]) {
    writeFileSync(join(bin, name), script);
    chmodSync(join(bin, name), 0o755);
  }
  const called = (): { args: string[]; env: string } => ({
    args: readFileSync(log, "utf8").trimEnd().split("\n"),
    env: readFileSync(`${log}.env`, "utf8"),
  });
  return { env: { PATH: `${bin}:${process.env.PATH}` }, called };
}

const skipStandIn =
  process.platform === "linux" && existsSync("/dev/fuse") ? false : "Linux with /dev/fuse only";

test("the program gets the password in its environment; its failure is told, and nothing stays", {
  skip: skipStandIn,
}, async (t) => {
  const { folder, image, directory } = await setUp(t);
  const { env, called } = standIn(folder);
  const { status, stderr } = await docteur(["mount", "--with", "rclone", image, directory], { env });
  assert.equal(status, 8);
  assert.equal(stderr, "docteur: rclone cannot mount: no luck\n");
  assert.ok(!existsSync(directory));
  const { args, env: variables } = called();
  assert.deepEqual(args.slice(0, 4), ["mount", ":webdav:", directory, "--read-only"]);
  const [, secret] = /RCLONE_WEBDAV_BEARER_TOKEN=([0-9a-f]{48})/.exec(variables)!;
  const [, address] = /RCLONE_WEBDAV_URL=(http:\/\/127\.0\.0\.1:\d+\/)/.exec(variables)!;
  assert.ok(!args.join(" ").includes(secret!));
  await assert.rejects(fetch(address!));
});

/** Why this process cannot mount by itself. */
function whyNoMount(folder: string): string | undefined {
  const status = spawnSync("mount", ["-t", "tmpfs", "stranger", folder]).status;
  if (status === 0) spawnSync("umount", [folder]);
  return status === 0 ? undefined : "only root can mount";
}

test("what another program mounts there is not taken for the image, and stays", {
  skip: skipStandIn,
}, async (t) => {
  const { folder, image, directory } = await setUp(t);
  const why = whyNoMount(folder);
  if (why !== undefined) return t.skip(why);
  const { env } = standIn(folder, `mount -t tmpfs stranger ${directory}; sleep 1`);
  const { status, stderr } = await docteur(["mount", "--with", "rclone", image, directory], { env });
  const mounted = mountedAt(directory);
  spawnSync("umount", [directory]);
  assert.equal(status, 8);
  assert.equal(stderr, "docteur: rclone cannot mount: no luck\n");
  assert.deepEqual(mounted, { source: "stranger", kind: "tmpfs" });
});

test("what cannot be mounted", async (t) => {
  const { folder, image, directory } = await setUp(t);
  const full = join(folder, "full");
  mkdirSync(full);
  writeFileSync(join(full, "x"), "");
  const { env } = standIn(folder);
  const cases: [args: string[], status: number, message: RegExp][] = [
    [["mount", image], 16, /DIR is missing/],
    [["mount", "--with", "nfs", image, directory], 16, /this system does not mount with nfs\nhint: there is/],
    [["unmount", folder], 8, /nothing is mounted there/],
  ];
  if (skipStandIn === false)
    cases.push(
      [["mount", image, full], 8, /full is not empty/],
      [["mount", image, image], 8, /site\.img is not a directory/],
      [["mount", join(folder, "no.img"), directory], 8, /no\.img: no such file/],
      [["mount", "package.json", directory], 4, /package\.json/],
      [["unmount", "/proc"], 8, /proc is mounted there, not an image/],
    );
  for (const [args, status, message] of cases) {
    const result = await docteur(args, { env });
    assert.match(result.stderr, message, args.join(" "));
    assert.equal(result.status, status, args.join(" "));
  }
  assert.ok(!existsSync(directory));
});

test("without a program that mounts, the message says how to get one", { skip: skipStandIn }, async (t) => {
  const { image, directory } = await setUp(t);
  const { status, stderr } = await docteur(["mount", "--with", "rclone", image, directory], {
    env: { PATH: "/nowhere" },
  });
  assert.equal(status, 8);
  assert.equal(
    stderr,
    "docteur: nothing here can mount: rclone is not installed\nhint: apt install rclone fuse3, dnf install rclone fuse3, …\n",
  );
});

test("tables of mounts", () => {
  const linux = [
    "22 1 8:1 / / rw shared:1 - ext4 /dev/sda1 rw",
    "40 22 0:39 / /a\\040b\\134c ro,nosuid - fuse.rclone docteur:x\\040y.img ro,user_id=0",
    "41 22 0:40 / /caf\\303\\251 ro - tmpfs none rw",
    "42 22 0:41 / /twice ro master:1 - tmpfs below rw",
    "43 42 0:42 / /twice ro - fuse.rclone docteur:above ro",
  ].join("\n");
  assert.deepEqual(parseMountInfo(linux, "/a b\\c"), { kind: "fuse.rclone", source: "docteur:x y.img" });
  assert.deepEqual(parseMountInfo(linux, "/café"), { kind: "tmpfs", source: "none" });
  assert.deepEqual(parseMountInfo(linux, "/twice"), { kind: "fuse.rclone", source: "docteur:above" });
  assert.equal(parseMountInfo(linux, "/a"), undefined);
  const macos =
    "/dev/disk1s1 on / (apfs, local)\nhttp://127.0.0.1:50000/ on /Users/me/a b (webdav, nodev, read-only)\n";
  assert.deepEqual(parseMountOutput(macos, "/Users/me/a b"), {
    kind: "webdav",
    source: "http://127.0.0.1:50000/",
  });
  assert.equal(parseMountOutput(macos, "/Users/me/a"), undefined);
});

test("only mounts of docteur's own servers are its own", () => {
  const cases: [source: string, kind: string, isOwn: boolean][] = [
    ["docteur:site.img", "fuse.rclone", true],
    ["http://127.0.0.1:41234/docteur-mount/", "fuse", true],
    ["http://127.0.0.1:41234/docteur-mount", "davfs", true],
    ["\\\\127.0.0.1@41234\\docteur-mount\\0123", "webdav", true],
    ["\\\\127.0.0.1@41234\\DavWWWRoot\\docteur-mount\\0123", "webdav", true],
    ["http://127.0.0.1:41234/", "fuse", false],
    ["http://127.0.0.1:41234/files/docteur-mount/", "davfs", false],
    ["http://127.0.0.1:41234/docteur-mounts/", "davfs", false],
    ["http://127.0.0.10:41234/docteur-mount/", "davfs", false],
    ["https://example.org/docteur-mount/", "davfs", false],
    ["\\\\127.0.0.1@41234\\other", "webdav", false],
    ["http://127.0.0.1:41234/docteur-mount/", "ext4", false],
  ];
  for (const [source, kind, isOwn] of cases) assert.equal(isOurs({ source, kind }), isOwn, source);
});
