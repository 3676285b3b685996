/** NBD servers whose handshakes lie, and URLs that name no export: typed errors before anything is read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { OLDSTYLE_MAGIC, OPTION, REPLY } from "../../src/devices/nbd/protocol.js";
import { openNbd } from "../../src/devices/nbd/source.js";
import {
  blockSizeInfo,
  exportInfo,
  type FakeNbdOptions,
  goWith,
  greeting,
  optionReply,
  startFakeNbdServer,
} from "../support/fake-nbd-server.js";
import { deadPort } from "../support/git-servers.js";

const CONTENT = Buffer.alloc(65_536, "content");
/** Short, for tests in which it runs out. */
const TIMEOUT = 150;

const broken = { name: "DocteurError", code: "Network", message: /breaks the NBD protocol/ };

const HANDSHAKES: [what: string, options: Partial<FakeNbdOptions>, error: object][] = [
  [
    "another protocol",
    { greeting: Buffer.from("HTTP/1.1 400 Bad Request\r\n") },
    { code: "Network", message: /not an NBD/ },
  ],
  ["an unknown style", { greeting: greeting(undefined, 1n) }, broken],
  ["oldstyle", { greeting: greeting(undefined, OLDSTYLE_MAGIC) }, { code: "Network", message: /oldstyle/ }],
  ["a reply with a wrong magic number", { onOption: () => Buffer.alloc(20) }, broken],
  ["a reply to another option", { onOption: () => optionReply(77, REPLY.ACK) }, broken],
  [
    "a reply of 4 GB",
    {
      onOption: (option) => {
        const reply = optionReply(option, REPLY.INFO);
        reply.writeUInt32BE(0xffffffff, 16);
        return reply;
      },
    },
    broken,
  ],
  [
    "replies without end",
    {
      onOption: (option, _, socket) => {
        const reply = optionReply(option, REPLY.INFO, exportInfo(512n));
        for (let count = 0; count < 100; count++) socket.write(reply);
        return reply;
      },
    },
    broken,
  ],
  ["no size", { onOption: goWith() }, broken],
  ["a size of 2^63", { onOption: goWith(exportInfo(2n ** 63n)) }, broken],
  ["a size that is cut", { onOption: goWith(exportInfo(512n).subarray(0, 11)) }, broken],
  ["an empty info", { onOption: goWith(Buffer.alloc(0)) }, broken],
  ["blocks of 0 bytes", { onOption: goWith(exportInfo(512n), blockSizeInfo(0, 512, 512)) }, broken],
  ["blocks of 3 bytes", { onOption: goWith(exportInfo(512n), blockSizeInfo(3, 512, 512)) }, broken],
  [
    "blocks of 128 KiB at least",
    { onOption: goWith(exportInfo(512n), blockSizeInfo(1 << 17, 1 << 17, 1 << 20)) },
    broken,
  ],
  [
    "blocks whose maximum is below their minimum",
    { onOption: goWith(exportInfo(512n), blockSizeInfo(512, 512, 511)) },
    broken,
  ],
  [
    "no such export",
    { onOption: (option) => optionReply(option, REPLY.ERR_UNKNOWN) },
    { code: "Io", message: /no such export/ },
  ],
  [
    "a policy, in the server's words",
    {
      onOption: (option) =>
        option === OPTION.GO ? optionReply(option, REPLY.ERR_POLICY, Buffer.from("not you")) : undefined,
    },
    { code: "AccessDenied", message: /not you/ },
  ],
  ["its shutdown", { onOption: (option) => optionReply(option, REPLY.ERR_SHUTDOWN) }, { code: "Network" }],
  [
    "silence",
    { greeting: Buffer.alloc(0) },
    { code: "Network", message: /no (?:connection|complete answer) within/ },
  ],
  [
    "half a greeting",
    { greeting: greeting().subarray(0, 9) },
    { code: "Network", message: /no (?:connection|complete answer) within/ },
  ],
];

for (const [what, options, error] of HANDSHAKES)
  test(`a handshake with ${what} is a typed error`, async (t) => {
    const server = await startFakeNbdServer(t, { content: CONTENT, ...options });
    await assert.rejects(openNbd(new URL(server.url), { timeout: TIMEOUT, retries: 0 }), error);
  });

test("a server that is not there, and one without a name, are network errors", async () => {
  await assert.rejects(openNbd(new URL(`nbd://127.0.0.1:${await deadPort()}/`)), {
    code: "Network",
    message: /connection refused/,
  });
  await assert.rejects(openNbd(new URL(`nbd://localhost:${await deadPort()}/`)), {
    code: "Network",
    message: /connection refused/,
  });
  await assert.rejects(openNbd(new URL("nbd+unix:///?socket=/nonexistent/socket")), {
    code: "Network",
    message: /no such file/,
  });
});

test("bytes in the clear behind the start of TLS are refused", async (t) => {
  const server = await startFakeNbdServer(t, {
    content: CONTENT,
    onOption: (option) =>
      option === OPTION.STARTTLS
        ? Buffer.concat([optionReply(option, REPLY.ACK), optionReply(OPTION.GO, REPLY.ACK)])
        : undefined,
  });
  await assert.rejects(openNbd(new URL(server.url.replace("nbd:", "nbds:"))), broken);
});

test("URLs that do not name an export are refused", async () => {
  const refused = [
    "nbd:///export",
    "nbd://host/export?socket=/tmp/socket",
    "nbd+unix:///export",
    "nbd+unix:///export?socket=",
    "nbd+unix://host/export?socket=/tmp/socket",
    "nbd://user:secret@host/export",
    "nbd://host/%ff",
    "nbd://host/%00",
    `nbd://host/${"x".repeat(4097)}`,
    "nbd://host/export?soket=/tmp/socket",
    "nbd+unix:///export?socket=/tmp/a&socket=/tmp/b",
    "nbds://host/export?tls-type=anon",
    "nbds://host/export?tls-verify-peer=no",
  ];
  for (const url of refused)
    await assert.rejects(openNbd(new URL(url)), (error: Error & { code: string }) => {
      assert.equal(error.code, "InvalidArgument", url);
      assert.ok(!`${error.message}`.includes("secret"), error.message);
      return true;
    });
  const folder = openNbd(new URL("nbds://host/export?tls-certificates=/nonexistent"));
  await assert.rejects(folder, { code: "Io", message: /ca-cert\.pem/ });
});
