/** `docteur push` and `docteur pull` as commands: output, exit statuses, interruption. And `ls` of remote images. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { docteur, type RunOptions, type RunResult } from "../support/cli.js";
import { startFakeNbdServer } from "../support/fake-nbd-server.js";
import { digestOfBytes, type FakeRegistry, sendBlob, startFakeRegistry } from "../support/fake-registry.js";
import { deadPort } from "../support/git-servers.js";
import { dockerConfig } from "../support/registries.js";
import { temporaryFolder } from "../support/temporary.js";

const FILE = "disk-fixtures/gitdelta.img";
const IMAGE = readFileSync(FILE);

interface Place {
  registry: FakeRegistry;
  folder: string;
  url: string;
  run(args: readonly string[], options?: RunOptions): Promise<RunResult>;
}

async function setUp(t: TestContext, image?: Buffer): Promise<Place> {
  const folder = temporaryFolder(t);
  const registry = await startFakeRegistry(t, image);
  const env = { DOCKER_CONFIG: dockerConfig(folder, {}) };
  const run: Place["run"] = (args, options) => docteur(args, { env, closing: true, ...options });
  return { registry, folder, url: `oci://${registry.place}/site`, run };
}

test("push and pull tell what they did, as lines and as JSON", async (t) => {
  const { folder, url, run } = await setUp(t);
  const pushed = await run(["push", "--json", "--source=https://example.org/s", FILE, `${url}:v1`]);
  const { reference, uploaded, ...facts } = JSON.parse(pushed.stdout);
  const { manifestDigest, imageDigest, imageBytes, commit } = facts;
  assert.equal(pushed.status, 0);
  assert.equal(reference, `${url}:v1@${manifestDigest}`);
  assert.deepEqual([imageDigest, imageBytes], [digestOfBytes(IMAGE), IMAGE.length]);
  assert.equal(uploaded, true);
  assert.match(pushed.stderr, new RegExp(`^${reference}: commit ${commit}, .* uploaded\n$`));
  const again = await run(["push", "--source=https://example.org/s", FILE, `${url}:v1`]);
  assert.match(again.stderr, /: commit [0-9a-f]{40}, the registry had the image already\n$/);
  assert.equal(again.stdout, "");

  const out = join(folder, "out.img");
  const pulled = await run(["pull", "--json", `${url}:v1`, out]);
  assert.equal(pulled.status, 0);
  assert.deepEqual(JSON.parse(pulled.stdout), { reference, ...facts, resumedBytes: 0 });
  assert.match(pulled.stderr, /^\S+out\.img: .* of oci:\/\/\S+@sha256:[0-9a-f]{64}\n$/);
  assert.ok(readFileSync(out).equals(IMAGE));
  const quiet = await run(["pull", "-q", `${url}:v1`, out]);
  assert.deepEqual([quiet.status, quiet.stdout, quiet.stderr], [0, "", ""]);
});

test("exit statuses say what went wrong", async (t) => {
  const { registry, folder, url, run } = await setUp(t, IMAGE);
  const out = join(folder, "out.img");
  const dead = `oci://127.0.0.1:${await deadPort()}/site`;
  const cases: [args: string[], status: number, stderr: RegExp][] = [
    [["pull", `${url}:none`, out], 8, /no such file \(404\)/],
    [["push", "package.json", url], 4, /package\.json/],
    [["push", "none.img", url], 8, /none\.img: no such file/],
    [["pull", dead, out], 10, /ECONNREFUSED/],
    [["pull", url, join(folder, "none/out.img")], 8, /no such file or directory/],
    [["pull", url, folder], 8, /not a regular file/],
    [["pull", "site:v1", out], 16, /oci:\/\/REGISTRY\/NAME:TAG/],
    [["pull", "oci://Host/Site", out], 16, /docker login keeps credentials/],
    [["push", FILE, `${url}@sha256:${"0".repeat(64)}`], 16, /goes to a tag/],
    [["push", "--chunk-size=1M", FILE, url], 16, /from 5M to 1G/],
    [["push", FILE], 16, /URL is missing/],
  ];
  for (const [args, status, stderr] of cases) {
    const result = await run(args);
    assert.equal(result.status, status, `${args.join(" ")}: ${result.stderr}`);
    assert.match(result.stderr, stderr);
  }
  registry.intercept = (_, response) =>
    Boolean(response.writeHead(401, { "www-authenticate": "Basic" }).end());
  const denied = await run(["pull", url, out]);
  assert.equal(denied.status, 11);
  assert.match(denied.stderr, new RegExp(`hint: docker login ${registry.place}\n$`));
  assert.ok(!existsSync(out));
});

test("a pull that is interrupted dies of the signal, and the next one goes on", async (t) => {
  const large = Buffer.concat([IMAGE, Buffer.alloc(8 << 20, 5)]);
  const { registry, folder, url, run } = await setUp(t, large);
  const out = join(folder, "out.img");
  let interrupt = (): void => undefined;
  registry.intercept = ({ headers }) => {
    if (!headers.range?.startsWith(`bytes=${6 << 20}-`)) return false;
    interrupt();
    // It is never answered.
    return true;
  };
  const result = await run(["pull", url, out], {
    onStart: (child) => {
      interrupt = () => void child.kill("SIGINT");
    },
  });
  assert.equal(result.signal, "SIGINT");
  assert.ok(!existsSync(out));
  const [part] = readdirSync(folder).filter((name) => name.endsWith(".part"));
  const { size } = statSync(join(folder, part!));
  assert.ok(size >= 1 << 20 && size <= 6 << 20, String(size));
  registry.intercept = undefined;
  const resumed = await run(["pull", "--json", url, out]);
  assert.equal(JSON.parse(resumed.stdout).resumedBytes, size);
  assert.match(resumed.stderr, /were here from an earlier run/);
  assert.ok(readFileSync(out).equals(large));
});

test("ls reads images in registries and on NBD servers, and redacts nothing that it need not", async (t) => {
  const { url, run } = await setUp(t, IMAGE);
  const expected = (await run(["ls", "-rl", FILE])).stdout;
  assert.equal((await run(["ls", "-rl", url])).stdout, expected);
  const nbd = await startFakeNbdServer(t, { content: IMAGE, isStructured: true });
  const listed = await run(["ls", "-rl", nbd.url]);
  assert.deepEqual([listed.status, listed.stdout, listed.stderr], [0, expected, ""]);
  const other = await run(["ls", "nbd://127.0.0.1:1/?socket=/x"]);
  assert.equal(other.status, 16);
  const cut = await startFakeNbdServer(t, { content: IMAGE.subarray(0, 1000) });
  assert.equal((await run(["ls", cut.url])).status, 4);
});

test("a registry's blob that is served slowly and out of order comes out whole", async (t) => {
  const large = Buffer.concat([
    IMAGE,
    Buffer.from(Uint8Array.from({ length: 6 << 20 }, (_, at) => at >> 12)),
  ]);
  const { registry, folder, url, run } = await setUp(t, large);
  const held: (() => void)[] = [];
  registry.intercept = (request, response) => {
    if (!request.url.includes("/blobs/")) return false;
    held.push(() => sendBlob(request, response, large));
    // The last of those that wait is answered first.
    setTimeout(() => held.pop()?.(), 20);
    return true;
  };
  const out = join(folder, "out.img");
  writeFileSync(out, "before");
  assert.equal((await run(["pull", url, out])).status, 0);
  assert.ok(readFileSync(out).equals(large));
});
