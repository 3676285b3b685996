/** Exports of nbdkit, qemu-nbd and nbd-server, read as sources of ranges. */
import assert from "node:assert/strict";
import { getEventListeners, setMaxListeners } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { openNbd } from "../../src/devices/nbd/source.js";
import type { RangeSource } from "../../src/devices/range-source.js";
import {
  makeCertificates,
  startNbdkit,
  startNbdServer,
  startQemuNbd,
  whyNoNbd,
} from "../support/nbd-servers.js";
import { seeded } from "../support/random.js";
import { startServer } from "../support/servers.js";
import { temporaryFolder } from "../support/temporary.js";
import { sourceContract } from "./sources.js";

const skip = whyNoNbd() ?? false;
const NEVER = new AbortController().signal;
// Each of many reads at once listens to it.
setMaxListeners(0, NEVER);

/** Bytes that no server compresses away, with a hole of zeros inside; two requests long and more. */
const CONTENT = ((): Buffer => {
  const random = seeded(14);
  const bytes = Buffer.from(Uint8Array.from({ length: 2_500_096 }, () => random(256)));
  return bytes.fill(0, 700_000, 1_900_000);
})();

function writeImage(t: TestContext, content: Uint8Array = CONTENT): { folder: string; file: string } {
  const folder = temporaryFolder(t);
  const file = join(folder, "disk.img");
  writeFileSync(file, content);
  return { folder, file };
}

async function open(t: TestContext, url: string): Promise<RangeSource> {
  const source = await openNbd(new URL(url));
  t.after(() => source.close?.());
  return source;
}

/** Reads the whole, single bytes, and ranges at random, many at once. */
async function readAll(source: RangeSource, content: Buffer = CONTENT): Promise<void> {
  assert.equal(source.size, content.length);
  const whole = await source.read(0, content.length, NEVER);
  assert.ok(content.equals(whole));
  const random = seeded(41);
  const reads = Array.from({ length: 60 }, async () => {
    const offset = random(content.length);
    const length = 1 + random(Math.min(content.length - offset, random(2) === 0 ? 100 : 200_000));
    const bytes = await source.read(offset, length, NEVER);
    assert.ok(content.subarray(offset, offset + length).equals(bytes), `${length} bytes at ${offset}`);
  });
  await Promise.all(reads);
  assert.equal(getEventListeners(NEVER, "abort").length, 0);
  assert.ok(content.subarray(-1).equals(await source.read(content.length - 1, 1, NEVER)));
}

// nbdkit serves each file of a folder as an export of its name.
const folder = temporaryFolder({ after });
const socket = join(folder, "nbdkit.sock");
mkdirSync(join(folder, "exports"));
let exports = 0;
if (!skip)
  await startServer({ after }, socket, "nbdkit", ["-f", "-r", "-U", socket, "file", `dir=${folder}/exports`]);

sourceContract(
  "nbdkit",
  async (bytes) => {
    const name = `image ${++exports}`;
    writeFileSync(join(folder, "exports", name), bytes);
    return openNbd(new URL(`nbd+unix:///${encodeURIComponent(name)}?socket=${encodeURIComponent(socket)}`));
  },
  { skip },
);

const describe = (title: string, check: (t: TestContext) => Promise<void>): void => {
  test(title, { skip }, check);
};

describe("nbdkit: an export over TCP, in structured replies", async (t) => {
  const { file } = writeImage(t);
  const port = await startNbdkit(t, ["-r", "file", file]);
  await readAll(await open(t, `nbd://127.0.0.1:${port}/`));
  const source = await open(t, `nbd://127.0.0.1:${port}`);
  await readAll(source);
  assert.equal(source.identity, undefined);
});

describe("nbdkit: simple replies, where structured ones are not offered", async (t) => {
  const { file } = writeImage(t);
  const port = await startNbdkit(t, ["-r", "--no-sr", "file", file]);
  await readAll(await open(t, `nbd://127.0.0.1:${port}/`));
});

describe("nbdkit: newstyle that is not fixed (EXPORT_NAME alone), and oldstyle", async (t) => {
  const { file } = writeImage(t);
  const newstyle = await startNbdkit(t, ["-r", "--mask-handshake=0", "file", file]);
  await readAll(await open(t, `nbd://127.0.0.1:${newstyle}/`));
  const noZeroes = await startNbdkit(t, ["-r", "--mask-handshake=2", "file", file]);
  await readAll(await open(t, `nbd://127.0.0.1:${noZeroes}/`));
  const oldstyle = await startNbdkit(t, ["-r", "-o", "file", file]);
  await assert.rejects(open(t, `nbd://127.0.0.1:${oldstyle}/`), { code: "Network", message: /oldstyle/ });
});

describe("nbdkit: requests keep to the block sizes that the server names, and to none of one byte", async (t) => {
  const content = CONTENT.subarray(0, 2 ** 21);
  const { file } = writeImage(t, content);
  const policy = "--filter=blocksize-policy";
  const sizes = [
    "blocksize-error-policy=error",
    "blocksize-minimum=4096",
    "blocksize-preferred=4096",
    "blocksize-maximum=65536",
  ];
  const port = await startNbdkit(t, ["-r", policy, "file", file, ...sizes]);
  await readAll(await open(t, `nbd://127.0.0.1:${port}/`), content);
});

describe("nbdkit: an error of the storage is passed on, and later reads go on", async (t) => {
  const { folder, file } = writeImage(t);
  const trigger = join(folder, "fail");
  const port = await startNbdkit(t, [
    "-r",
    ...["--filter=error", "file", file],
    ...["error-pread=EIO", "error-pread-rate=100%", `error-file=${trigger}`],
  ]);
  const source = await open(t, `nbd://127.0.0.1:${port}/`);
  await source.read(0, 512, NEVER);
  writeFileSync(trigger, "");
  await assert.rejects(source.read(0, 512, NEVER), { name: "TransientError", message: /EIO/ });
  rmSync(trigger);
  await readAll(source);
});

describe("nbdkit: TLS, with the server's certificate and the client's checked", async (t) => {
  const { folder, file } = writeImage(t);
  const pki = makeCertificates(folder).folder;
  const tls = ["--tls=require", `--tls-certificates=${pki}`, "--tls-verify-peer"];
  const port = await startNbdkit(t, ["-r", ...tls, "file", file]);
  const certificates = `tls-certificates=${encodeURIComponent(pki)}`;
  await readAll(await open(t, `nbds://localhost:${port}/?${certificates}`));
  await readAll(await open(t, `nbds://127.0.0.1:${port}/?${certificates}&tls-hostname=localhost`));

  const untrusted = { code: "Network", message: /cannot trust/, hint: /tls-certificates/ };
  await assert.rejects(open(t, `nbds://localhost:${port}/`), untrusted);
  await assert.rejects(open(t, `nbds://127.0.0.1:${port}/?${certificates}`), untrusted);
  await assert.rejects(open(t, `nbds://localhost:${port}/?${certificates}&tls-hostname=other`), untrusted);
  const inTheClear = { code: "AccessDenied", hint: "use the scheme nbds: or nbds+unix:" };
  await assert.rejects(open(t, `nbd://localhost:${port}/`), inTheClear);

  // TLS 1.3: the client's certificate is missed when the handshake is over.
  await assert.rejects(open(t, `nbds://localhost:${port}/?tls-verify-peer=0`), { code: "Network" });
});

describe("nbdkit: TLS that the server does not have is not gone without", async (t) => {
  const { file } = writeImage(t);
  const port = await startNbdkit(t, ["-r", "--tls=off", "file", file]);
  await assert.rejects(open(t, `nbds://localhost:${port}/`), {
    code: "Network",
    message: /does not offer TLS/,
  });
  const newstyle = await startNbdkit(t, ["-r", "--mask-handshake=0", "file", file]);
  await assert.rejects(open(t, `nbds://localhost:${newstyle}/`), {
    code: "Network",
    message: /does not offer TLS/,
  });
});

describe("qemu-nbd: a named export over a Unix domain socket", async (t) => {
  const { folder, file } = writeImage(t);
  const socket = encodeURIComponent(await startQemuNbd(t, folder, file, "a site/ä"));
  await readAll(await open(t, `nbd+unix:///a%20site/%C3%A4?socket=${socket}`));
  const other = open(t, `nbd+unix:///other?socket=${socket}`);
  await assert.rejects(other, { code: "Io", message: /other/ });
});

describe("nbd-server: a named export; another server hangs up or says that it has no such export", async (t) => {
  const { folder, file } = writeImage(t);
  const port = await startNbdServer(t, folder, file, "site");
  await readAll(await open(t, `nbd://127.0.0.1:${port}/site`));
  await assert.rejects(open(t, `nbd://127.0.0.1:${port}/other`), { code: "Io" });
});
