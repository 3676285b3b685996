/** Credentials for registries: where they go, and token servers that lie, redirect and expire. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { parseChallenges } from "../../src/devices/oci/challenge.js";
import { open } from "../../src/index.js";
import { type PullOptions, pull, push } from "../../src/oci/index.js";
import { type FakeRegistry, sendBlob, startFakeRegistry } from "../support/fake-registry.js";
import { setUpRegistry } from "../support/fake-registry-place.js";
import { useEnvironment } from "../support/git-servers.js";
import { seeded } from "../support/random.js";
import { dockerConfig, loginOf, PASSWORD, USER } from "../support/registries.js";
import { temporaryFolder } from "../support/temporary.js";

const FILE = "disk-fixtures/gitdelta.img";
const IMAGE = readFileSync(FILE);
/** With padding behind it, which is part of an image: several requests long. */
const LARGE = Buffer.concat([IMAGE, Buffer.alloc(11 << 20, 3)]);
const QUICK = { timeout: 300, retries: 0 };
const BASIC = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString("base64")}`;

/** Another server, which keeps the requests that it gets. */
async function startThief(t: TestContext, content: Buffer): Promise<FakeRegistry> {
  const thief = await startFakeRegistry(t);
  thief.place = thief.place.replace("127.0.0.1", "localhost");
  thief.intercept = (request, response) => {
    sendBlob(request, response, content);
    return true;
  };
  return thief;
}

test("credentials do not follow redirects to another origin", async (t) => {
  const { registry, url, out } = await setUpRegistry(t, LARGE, true);
  const thief = await startThief(t, LARGE);
  registry.intercept = ({ url: at, headers }, response) => {
    if (headers.authorization !== BASIC) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
      return true;
    }
    if (!at.includes("/blobs/")) return false;
    response.writeHead(307, { location: `http://${thief.place}/storage?signature=s` }).end();
    return true;
  };
  await pull(url, out);
  await (await open(url)).close();
  assert.ok(readFileSync(out).equals(LARGE));
  assert.ok(thief.seen.length > 3);
  for (const { headers } of thief.seen) assert.equal(headers.authorization, undefined);
  // A manifest, too, may be elsewhere.
  registry.intercept = ({ url: at }, response) => {
    if (!at.includes("/manifests/")) return false;
    response.writeHead(302, { location: `http://${thief.place}/manifest` }).end();
    return true;
  };
  await assert.rejects(open(url), { code: "Io" });
  for (const { headers } of thief.seen) assert.equal(headers.authorization, undefined);
  registry.intercept = (_, response) => Boolean(response.writeHead(302, { location: "/again" }).end());
  await assert.rejects(open(url), { code: "Io", message: /redirects more than/ });
  registry.intercept = (_, response) => Boolean(response.writeHead(302, { location: "ftp://x/" }).end());
  await assert.rejects(open(url), { code: "Network" });
});

test("an upload that the registry sends elsewhere goes there without credentials", async (t) => {
  const { registry, url } = await setUpRegistry(t, undefined, true);
  const thief = await startFakeRegistry(t);
  thief.place = thief.place.replace("127.0.0.1", "localhost");
  thief.intercept = (_, response) => Boolean(response.writeHead(201).end());
  registry.intercept = ({ method, headers }, response) => {
    if (headers.authorization !== BASIC) response.writeHead(401, { "www-authenticate": "Basic" }).end();
    else if (method === "POST") response.writeHead(202, { location: `http://${thief.place}/upload` }).end();
    else return false;
    return true;
  };
  await push(FILE, url);
  const uploaded = thief.seen.find(({ length }) => length === IMAGE.length)!;
  assert.equal(uploaded.headers["content-length"], String(IMAGE.length));
  assert.equal(uploaded.headers.authorization, undefined);
  registry.intercept = ({ method }, response) => method === "POST" && Boolean(response.writeHead(202).end());
  await assert.rejects(push(FILE, url), { code: "Io", message: /Location/ });
});

test("token servers that are none are typed errors, and get a password only where the registry says", async (t) => {
  const { registry, url } = await setUpRegistry(t, IMAGE, true);
  let answer: (response: ServerResponse) => void = () => undefined;
  registry.intercept = ({ url: at, headers }, response) => {
    if (at.startsWith("/token")) answer(response);
    else if (headers.authorization === "Bearer good") return false;
    else
      response
        .writeHead(401, { "www-authenticate": `Bearer realm="http://${registry.place}/token",service="s"` })
        .end();
    return true;
  };
  const cases: [answer: (response: ServerResponse) => void, error: object][] = [
    [(response) => response.writeHead(401).end(), { code: "AccessDenied" }],
    [(response) => response.writeHead(500).end(), { code: "Network" }],
    [(response) => response.writeHead(404).end(), { code: "Io" }],
    [(response) => response.end("<html>"), { code: "Network", message: /no token/ }],
    [(response) => response.end("null"), { code: "Network", message: /no token/ }],
    [(response) => response.end('{"token": 3}'), { code: "Network", message: /no token/ }],
    [(response) => response.end('{"token": "a\\r\\nb"}'), { code: "Network", message: /no token/ }],
    [(response) => response.end(`{"token": "${"x".repeat(2 << 20)}"}`), { code: "Network" }],
    [(response) => response.end('{"token": "bad"}'), { code: "AccessDenied", message: /refuses/ }],
    [(response) => response.writeHead(302, { location: "/token" }).end(), { code: "Network" }],
    [() => undefined, { code: "Network" }],
  ];
  for (const [next, error] of cases) {
    answer = next;
    await assert.rejects(open(url, QUICK), error);
  }
  answer = (response) => response.end('{"access_token": "good"}');
  await (await open(url)).close();
  const { headers, url: asked } = registry.seen.findLast(({ url: at }) => at.startsWith("/token"))!;
  assert.equal(headers.authorization, BASIC);
  assert.equal(asked, "/token?service=s&scope=repository%3Asite%3Apull");
});

test("a token that expires is asked for anew", async (t) => {
  const { registry, url } = await setUpRegistry(t, LARGE);
  let issued = 0;
  let uses = 0;
  registry.intercept = ({ url: at, headers }, response) => {
    if (at.startsWith("/token")) {
      uses = 0;
      response.end(JSON.stringify({ token: `t${++issued}` }));
    } else if (headers.authorization === `Bearer t${issued}` && uses++ < 2) return false;
    else
      response.writeHead(401, { "www-authenticate": `bearer REALM="http://${registry.place}/token"` }).end();
    return true;
  };
  await using volume = await open(url, { pageSize: 4096 });
  for (const { path, kind } of await volume.list("/")) if (kind === "file") await volume.get(path);
  assert.ok(issued > 1);
});

test("identity tokens are exchanged by POST, and are not in any URL", async (t) => {
  const { registry, folder, url } = await setUpRegistry(t, IMAGE);
  dockerConfig(folder, { auths: { [registry.place]: { auth: "", identitytoken: "secret-token" } } });
  let body = "";
  registry.intercept = ({ url: at, headers, method }, response, sent) => {
    if (at.startsWith("/token")) {
      body = `${method} ${sent}`;
      response.end('{"access_token": "good"}');
    } else if (headers.authorization === "Bearer good") return false;
    else
      response.writeHead(401, { "www-authenticate": `Bearer realm="http://${registry.place}/token"` }).end();
    return true;
  };
  await (await open(url)).close();
  assert.match(body, /^POST .*grant_type=refresh_token.*refresh_token=secret-token/);
  assert.ok(registry.seen.every(({ url: at }) => !at.includes("secret")));
});

test("a secure registry cannot send us to a token server that is not", async (t) => {
  const folder = temporaryFolder(t);
  const config = { auths: { "registry.example": loginOf() } };
  useEnvironment(t, { DOCKER_CONFIG: dockerConfig(folder, config) });
  const asked: string[] = [];
  const options: PullOptions = {
    fetch: async (url) => {
      asked.push(String(url));
      return new Response("", {
        status: 401,
        headers: { "www-authenticate": 'Bearer realm="http://t.example/token"' },
      });
    },
  };
  const pulled = pull("oci://registry.example/site", join(folder, "out.img"), options);
  await assert.rejects(pulled, { code: "Network", message: /not secure: http:\/\/t\.example\/token/ });
  assert.deepEqual(asked, ["https://registry.example/v2/site/manifests/latest"]);
});

test("challenges are read by their grammar, whatever they are", () => {
  const read = (header: string): object =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
  assert.deepEqual(read('Bearer realm="https://t.example/token",service=s , scope="a:b:c,d \\"e\\""'), [
    ["bearer", { realm: "https://t.example/token", service: "s", scope: 'a:b:c,d "e"' }],
  ]);
  assert.deepEqual(read('Basic realm="a, Bearer b=c", BEARER Realm=x'), [
    ["basic", { realm: "a, Bearer b=c" }],
    ["bearer", { realm: "x" }],
  ]);
  assert.deepEqual(read('realm="x" "'), []);
  const random = seeded(5);
  const pieces = ["Bearer", "Basic", " ", ",", "=", '"', "\\", "realm", "x", "\u00e9", "__proto__"];
  for (let round = 0; round < 2000; round++) {
    const header = Array.from({ length: random(20) }, () => pieces[random(pieces.length)]).join("");
    for (const { scheme } of parseChallenges(header)) assert.equal(typeof scheme, "string");
  }
});
