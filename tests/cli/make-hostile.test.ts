/** Servers of git repositories that lie, stall, or never stop: an error of its own, its exit status, and nothing left. */
import type { ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { deflateSync } from "node:zlib";
import { type Expected, failToMake } from "../support/fail-to-make.js";
import { band, endless, FLUSH, type Lies, lying, pkt, sendAll } from "../support/lying-server.js";
import { seeded } from "../support/random.js";

const HEAD = "1234567890".repeat(4);

const fail = (t: TestContext, lies: Lies, ...expected: Expected): Promise<void> =>
  failToMake(t, lying(HEAD, lies), ...expected);

const PACK_FOLLOWS = pkt("packfile\n");
const ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\rReceiving objects: 100% (1/1)\rwords\n";

/** What never ends: `--timeout` ends it. */
const ENDLESS: Record<string, Lies> = {
  "no answer": { hello: () => undefined },
  "half an answer": { fetch: (response) => void response.write(PACK_FOLLOWS) },
  "progress with escapes of terminals": {
    fetch: (response) => {
      response.write(PACK_FOLLOWS);
      void sendAll(response, endless(band(2, ESCAPES)));
    },
  },
};

for (const [name, lies] of Object.entries(ENDLESS))
  test(`a server that never ends: ${name}`, async (t) => {
    const hint = /^hint: --timeout sets how long it may take$/;
    await fail(t, lies, ["--timeout", "2"], 10, /^docteur: HOST did not send the commit within 2 s$/, hint);
  });

/** The beginning of a pack that announces a large blob, and parts of that blob, which does not compress. */
function* hugePack(): Generator<Buffer> {
  const random = seeded(5);
  const noise = Buffer.from(Uint32Array.from({ length: 12_000 }, () => random(2 ** 32)).buffer);
  const object = deflateSync(noise, { level: 0 });
  const header = Buffer.alloc(12);
  header.write("PACK");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(100_000, 8);
  yield Buffer.concat([PACK_FOLLOWS, band(1, header)]);
  const size = noise.length;
  const start = Buffer.of(0x80 | 0x30 | (size & 15), 0x80 | ((size >> 4) & 127), size >> 11);
  yield* endless(band(1, Buffer.concat([start, object])));
}

test("a server that sends more than --max-fetch", async (t) => {
  const fetch: Lies["fetch"] = (response) => void sendAll(response, hugePack());
  const hint = /^hint: --max-fetch sets how many may be stored$/;
  await fail(
    t,
    { fetch },
    ["--max-fetch", "3000000"],
    8,
    /^docteur: HOST sends more than 3000000 bytes$/,
    hint,
  );
});

const sends =
  (...parts: (string | Buffer)[]) =>
  (response: ServerResponse): void =>
    void response.end(Buffer.concat(parts.map((part) => Buffer.from(part as string, "latin1"))));

const CANNOT = /^docteur: git cannot fetch from http:\/\/HOST\/site\.git$/;
const SAYS = /^hint: git says: .{1,1100}$/;

/** Lies that git finds out about. */
const LIES: Record<string, [lies: Lies, status: number, message: RegExp, hint: RegExp]> = {
  "a pack of noise": [{ fetch: sends(PACK_FOLLOWS, band(1, "no pack".repeat(100)), FLUSH) }, 8, CANNOT, SAYS],
  "no end of a line's length": [{ hello: sends("ffff") }, 8, CANNOT, SAYS],
  "ids that are none": [{ refs: sends(pkt("zzzz HEAD\n"), FLUSH) }, 8, CANNOT, SAYS],
  "an error of 60,000 characters": [{ fetch: sends(pkt(`ERR ${"A".repeat(60_000)}`)) }, 8, CANNOT, SAYS],
  "an error with escapes": [{ fetch: sends(pkt(`ERR ${ESCAPES}`)) }, 8, CANNOT, SAYS],
  "words that pretend to be git's": [
    {
      hello: (response) => {
        response.writeHead(500, { "content-type": "text/plain" });
        response.end("fatal: repository 'x' not found\n");
      },
    },
    8,
    CANNOT,
    SAYS,
  ],
};

for (const [name, [lies, status, message, hint]] of Object.entries(LIES))
  test(`a server that lies: ${name}`, (t) => fail(t, lies, [], status, message, hint));

test("a server that lies: names of refs with line feeds and escapes", async (t) => {
  const refs = sends(pkt(`${HEAD} refs/heads/a\n${HEAD}\trefs/heads/\x1b[31m\n`), FLUSH);
  const message = /^docteur: no branch or tag absent at http:\/\/HOST\/site\.git$/;
  await fail(t, { refs }, ["-b", "absent"], 13, message, /^hint: it has a/);
});
