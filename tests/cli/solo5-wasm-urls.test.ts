/** Guests whose block device lies at a URL: to them it is synchronous. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { type TestContext, test } from "node:test";
import { supervise } from "../../src/tender/supervise.js";
import { fixture, fixtureBlobs, gitOid } from "../support/fixtures.js";
import { distPath, guestPath, type Transcript } from "../support/programs.js";
import { type Behaviour, RangeServer } from "../support/range-server.js";

/** Runs `solo5-wasm`; the server, in this process, answers meanwhile. */
function tender(...args: string[]): Promise<Transcript> {
  return new Promise((resolve) => {
    const program = [distPath("tools/solo5-wasm.js"), ...args];
    const child = execFile(process.execPath, program, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

async function serve(t: TestContext, behaviour?: Behaviour): Promise<RangeServer> {
  const server = await new RangeServer(fixture("delta.img")).start();
  server.behaviour = behaviour;
  t.after(() => server.stop());
  return server;
}

const [[FILE, OID]] = [...fixtureBlobs("delta")] as [[string, string]];

test("a guest reads an image at a URL, whatever its blocks are", async (t) => {
  const server = await serve(t);
  for (const options of [[], ["--block-sector-size:docteur=1024"]]) {
    const run = await tender(
      `--block:docteur=${server.url}`,
      ...options,
      guestPath("simple"),
      "--filename",
      FILE,
    );
    assert.deepEqual([run.status, run.stderr], [0, ""]);
    assert.equal(gitOid("blob", Buffer.from(run.stdout)), OID);
  }
});

test("a URL that cannot be opened: the guest is not started", async (t) => {
  const server = await serve(t);
  const missing = await tender(`--block:docteur=${server.origin}/none`, guestPath("simple"));
  assert.deepEqual([missing.status, missing.stdout], [1, ""]);
  assert.match(missing.stderr, /^solo5-wasm: http:\/\/127\.0\.0\.1:\d+\/none: .*404/);
  const secret = server.url.replace("//", "//me:secret@").replace("http:", "gopher:");
  const unknown = await tender(`--block:docteur=${secret}`, guestPath("simple"));
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /gopher/);
  assert.doesNotMatch(unknown.stderr, /secret/);
});

test("a server that fails midway is a failed read to the guest, and said", async (t) => {
  let asked = 0;
  const server = await serve(t, (_request, response) => {
    if (++asked <= 2) return false;
    response.writeHead(403).end();
    return true;
  });
  const outcome = await supervise(guestPath("simple"), {
    devices: { docteur: { path: server.url } },
    args: ["--filename", FILE],
    remote: { pageSize: 4096 },
  });
  assert.notEqual(outcome.status, 0);
  const [[name, failure]] = [...outcome.failures] as [[string, Error]];
  assert.equal(name, "docteur");
  assert.match(failure.message, /403/);
});

test("a server that never answers: the time limit ends the guest", async (t) => {
  let asked = 0;
  const server = await serve(t, () => ++asked > 2);
  const outcome = await supervise(guestPath("simple"), {
    devices: { docteur: { path: server.url } },
    args: ["--filename", FILE],
    remote: { pageSize: 4096 },
    timeLimit: 1500,
  });
  assert.deepEqual([outcome.status, outcome.cause, outcome.isStuck], [124, "timeout", false]);
  assert.ok(asked > 2);
});
