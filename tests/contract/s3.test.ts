/** Objects of a real S3 server (versitygw), read as sources of ranges. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { s3Address } from "../../src/devices/s3/address.js";
import { parseIni, readS3Settings } from "../../src/devices/s3/settings.js";
import { openS3 } from "../../src/devices/s3/source.js";
import { open } from "../../src/index.js";
import { docteur } from "../support/cli.js";
import { useEnvironment } from "../support/git-servers.js";
import { KEYS, ownerRequest, REGION, type S3Server, startS3Server, whyNoS3 } from "../support/s3-server.js";
import { temporaryFolder } from "../support/temporary.js";
import { sourceContract } from "./sources.js";

const skip = whyNoS3() ?? false;
const IMAGE = "disk-fixtures/gitdelta.img";
const SETTINGS = { region: REGION, keys: { ...KEYS, sessionToken: undefined } };

const shared = skip ? undefined : await startS3Server({ after }, temporaryFolder({ after }));
if (shared !== undefined) mkdirSync(join(shared.data, "contract"));
let objects = 0;
/** Puts an object into a bucket of the shared server, with an ETag of its content. */
async function put(path: string, body: Uint8Array): Promise<void> {
  await ownerRequest(path, shared!, { method: "PUT", body: new Uint8Array(body) });
}

sourceContract(
  "versitygw",
  async (bytes) => {
    const key = `folder/image ${++objects}.img`;
    await put(`contract/${encodeURI(key)}`, bytes);
    return openS3(new URL(`s3://contract/${key}`), {}, { ...SETTINGS, endpoint: shared!.endpoint });
  },
  { skip },
);

/** An environment without anybody's settings for S3. */
function s3Environment(t: TestContext, values: Record<string, string>): string {
  const home = temporaryFolder(t);
  mkdirSync(join(home, ".aws"));
  const none: Record<string, string | undefined> = {};
  for (const name of Object.keys(process.env)) if (name.startsWith("AWS_")) none[name] = undefined;
  const files = {
    AWS_CONFIG_FILE: join(home, ".aws/config"),
    AWS_SHARED_CREDENTIALS_FILE: join(home, ".aws/credentials"),
  };
  useEnvironment(t, { ...none, ...files, ...values });
  return home;
}

const keysOf = ({ endpoint }: S3Server): Record<string, string> => ({
  AWS_ENDPOINT_URL_S3: endpoint,
  AWS_REGION: REGION,
  AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
});

test("an image in a bucket is read, whatever the characters of its key", { skip }, async (t) => {
  s3Environment(t, keysOf(shared!));
  mkdirSync(join(shared!.data, "site"));
  await using expected = await open(IMAGE);
  for (const key of ["disk.img", "a b/ä+ö (1)!'*.img", "100%25&x=y;z.img"]) {
    const object = decodeURIComponent(key);
    await put(`site/${object.split("/").map(encodeURIComponent).join("/")}`, readFileSync(IMAGE));
    await using volume = await open(`s3://site/${key}`);
    assert.equal(volume.commit.oid, expected.commit.oid);
  }
});

test("the command line reads it, too", { skip }, async (t) => {
  const home = temporaryFolder(t);
  mkdirSync(join(shared!.data, "command"));
  await put("command/disk.img", readFileSync(IMAGE));
  const env = { ...keysOf(shared!), HOME: home };
  const { status, stdout } = await docteur(["ls", "-r", "s3://command/disk.img"], { env });
  assert.equal(status, 0);
  assert.equal(stdout, (await docteur(["ls", "-r", IMAGE])).stdout);
  const missing = await docteur(["ls", "s3://command/other.img"], { env });
  assert.equal(missing.status, 8);
  assert.match(missing.stderr, /NoSuchKey/);
  const denied = await docteur(["ls", "s3://command/disk.img"], {
    env: { ...env, AWS_SECRET_ACCESS_KEY: "wrong" },
  });
  assert.equal(denied.status, 11);
  assert.match(denied.stderr, /SignatureDoesNotMatch/);
  assert.doesNotMatch(denied.stderr, /wrong/);
});

test("wrong keys, missing buckets and objects, and unsigned requests are told apart", { skip }, async (t) => {
  mkdirSync(join(shared!.data, "private"));
  await put("private/disk.img", readFileSync(IMAGE));
  const url = "s3://private/disk.img";
  const cases: [values: Record<string, string>, url: string, error: object][] = [
    [
      { AWS_ACCESS_KEY_ID: "NOBODY" },
      url,
      { code: "AccessDenied", message: /InvalidAccessKeyId|UserNotFound/ },
    ],
    [{ AWS_SECRET_ACCESS_KEY: "x" }, url, { code: "AccessDenied", message: /SignatureDoesNotMatch/ }],
    [{}, "s3://missing-bucket/disk.img", { code: "Io", message: /NoSuchBucket/ }],
    [{}, "s3://private/none.img", { code: "Io", message: /NoSuchKey/ }],
    [{ AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "" }, url, { code: "AccessDenied", hint: /not signed/ }],
    [{ AWS_SECRET_ACCESS_KEY: "" }, url, { code: "InvalidArgument", message: /AWS_SECRET_ACCESS_KEY/ }],
    [{ AWS_PROFILE: "none" }, url, { code: "InvalidArgument", message: /AWS_PROFILE/ }],
    [{ AWS_REGION: "us-west-2" }, url, { message: /region/i }],
    [{ AWS_ENDPOINT_URL_S3: "storage" }, url, { code: "InvalidArgument", message: /AWS_ENDPOINT_URL/ }],
  ];
  for (const [values, target, error] of cases) {
    s3Environment(t, { ...keysOf(shared!), ...values });
    await assert.rejects(open(target), error, JSON.stringify(values));
  }
});

test("a bucket that everybody may read needs no keys", { skip }, async (t) => {
  s3Environment(t, { AWS_ENDPOINT_URL: shared!.endpoint, AWS_REGION: REGION });
  mkdirSync(join(shared!.data, "public"));
  await put("public/disk.img", readFileSync(IMAGE));
  const statement = {
    Effect: "Allow",
    Principal: "*",
    Action: "s3:GetObject",
    Resource: "arn:aws:s3:::public/*",
  };
  const body = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
  await ownerRequest("public?policy", shared!, { method: "PUT", body });
  await using volume = await open("s3://public/disk.img");
  assert.equal((await volume.list("/")).length > 0, true);
});

test("an object that changes is noticed", { skip }, async (t) => {
  s3Environment(t, keysOf(shared!));
  mkdirSync(join(shared!.data, "changing"));
  const image = Buffer.concat([readFileSync(IMAGE), Buffer.alloc(4 << 20)]);
  await put("changing/disk.img", image);
  const source = await openS3(
    new URL("s3://changing/disk.img"),
    {},
    { ...SETTINGS, endpoint: shared!.endpoint },
  );
  const { signal } = new AbortController();
  await source.read(1 << 20, 512, signal);
  await put("changing/disk.img", Buffer.concat([image.subarray(0, -1), Buffer.alloc(1, 1)]));
  await assert.rejects(source.read(2 << 20, 512, signal), { code: "ImageChanged" });
});

test("keys come from the files of AWS's tools: profiles, services, and tokens", async (t) => {
  const home = s3Environment(t, {});
  const write = (name: string, text: string): void => writeFileSync(join(home, ".aws", name), text);
  const none = { region: "us-east-1", endpoint: undefined, keys: undefined };
  assert.deepEqual(await readS3Settings(), none);
  write(
    "config",
    `# comment
[default]
region = eu-west-1 ; comment
[profile  work]
region=eu-central-1
services = local
s3 =
    endpoint_url = https://ignored.example
[services local]
s3 =
  endpoint_url = https://s3.example:9000/base
dynamodb =
  endpoint_url = https://other.example
[profile sso]
sso_session = corp
`,
  );
  write(
    "credentials",
    "[default]\naws_access_key_id = A\naws_secret_access_key = B=/+\n[work]\r\naws_access_key_id=C\r\naws_secret_access_key=D\r\naws_session_token = E\r\n",
  );
  const byDefault = { accessKeyId: "A", secretAccessKey: "B=/+", sessionToken: undefined };
  assert.deepEqual(await readS3Settings(), { ...none, region: "eu-west-1", keys: byDefault });
  process.env.AWS_PROFILE = "work";
  const work = {
    region: "eu-central-1",
    endpoint: "https://s3.example:9000/base",
    keys: { accessKeyId: "C", secretAccessKey: "D", sessionToken: "E" },
  };
  assert.deepEqual(await readS3Settings(), work);
  process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = "true";
  assert.deepEqual(await readS3Settings(), { ...work, endpoint: undefined });
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: "F", AWS_SECRET_ACCESS_KEY: "G", AWS_SESSION_TOKEN: "H" });
  const byEnvironment = { accessKeyId: "F", secretAccessKey: "G", sessionToken: "H" };
  assert.deepEqual((await readS3Settings()).keys, byEnvironment);
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
  process.env.AWS_PROFILE = "sso";
  await assert.rejects(readS3Settings(), { code: "AccessDenied", hint: /aws configure export-credentials/ });
  process.env.AWS_CONFIG_FILE = home;
  await assert.rejects(readS3Settings(), { code: "Io" });
  assert.deepEqual([...parseIni("key = 1\n[a]\n  x = 1\n]\n = 2\n")], [["a", new Map([["x", "1"]])]]);
});

test("addresses are of the bucket's host at AWS, and in the path elsewhere", () => {
  const address = (bucket: string, key: string, region: string, endpoint?: string): string =>
    s3Address({ bucket, key }, region, endpoint).href;
  assert.equal(
    address("site", "a/b c+d", "eu-west-1"),
    "https://site.s3.eu-west-1.amazonaws.com/a/b%20c%2Bd",
  );
  assert.equal(address("my.site", "k", "us-east-1"), "https://s3.us-east-1.amazonaws.com/my.site/k");
  assert.equal(address("site", "k", "cn-north-1"), "https://site.s3.cn-north-1.amazonaws.com.cn/k");
  assert.equal(address("site", "k", "any", "http://localhost:9000/s3/"), "http://localhost:9000/s3/site/k");
  assert.throws(() => address("site", "k", "evil.example/"), { code: "InvalidArgument" });
});

test("URLs that do not name an object are refused", async () => {
  const refused = [
    "s3://site",
    "s3://site/",
    "s3://a/b",
    "s3://Site_1/k",
    "s3://user:secret@site/k",
    "s3://site/k?x=1",
  ];
  for (const url of [...refused, "s3://site/k#x", "s3://site/%ff", "s3://site:80/k"])
    await assert.rejects(open(url), (error: Error & { code: string }) => {
      assert.equal(error.code, "InvalidArgument", url);
      return !error.message.includes("secret");
    });
});

/** Serves an image, and keeps the requests. */
async function startPlainServer(
  t: TestContext,
  content: Buffer,
): Promise<{ endpoint: string; requests: IncomingMessage[] }> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    if (request.url!.startsWith("/moved/")) {
      response.writeHead(307, { location: `${other}/signed?X-Amz-Signature=abc` }).end();
      return;
    }
    const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range!)!;
    const start = first === "" ? Math.max(0, content.length - Number(last)) : Number(first);
    const end = first === "" ? content.length : Math.min(content.length, Number(last) + 1);
    response.writeHead(206, {
      "content-range": `bytes ${start}-${end - 1}/${content.length}`,
      etag: '"one"',
    });
    response.end(content.subarray(start, end));
  });
  await new Promise<void>((resolve) => server.listen(0, () => resolve()));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const other = `http://localhost:${port}`;
  return { endpoint: `http://127.0.0.1:${port}`, requests };
}

test("session tokens are sent, and nothing of them to where a redirect leads", async (t) => {
  const { endpoint, requests } = await startPlainServer(t, readFileSync(IMAGE));
  const keys = { ...KEYS, sessionToken: "session-token" };
  await openS3(new URL("s3://site/disk.img"), {}, { region: REGION, endpoint, keys });
  for (const { headers } of requests) {
    assert.match(
      headers.authorization!,
      /^AWS4-HMAC-SHA256 Credential=TESTKEY\/\d{8}\/eu-test-1\/s3\/aws4_request/,
    );
    assert.match(headers.authorization!, /SignedHeaders=[a-z0-9;-]*x-amz-security-token/);
    assert.equal(headers["x-amz-security-token"], "session-token");
  }
  requests.length = 0;
  await openS3(new URL("s3://moved/disk.img"), {}, { region: REGION, endpoint, keys });
  const followed = requests.filter(({ url }) => url!.startsWith("/signed"));
  assert.ok(followed.length > 0);
  for (const { headers } of followed) {
    assert.equal(headers.authorization, undefined);
    assert.equal(headers["x-amz-security-token"], undefined);
  }
});

test("refusals are explained as far as the service explains them, and nothing else in them counts", async (t) => {
  let answer: [status: number, headers: Record<string, string>, body: string] = [403, {}, ""];
  const server = createServer((_, response) => {
    const [status, headers, body] = answer;
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const xml = (code: string, more = ""): string => `<?xml?><Error><Code>${code}</Code>${more}</Error>`;
  const region = xml("AuthorizationHeaderMalformed", "<Region>eu-north-1</Region>");
  const cases: [answer: typeof answer, error: object][] = [
    [[403, {}, "<html>"], { code: "AccessDenied", message: /answers 403$/ }],
    [
      [403, {}, xml("AccessDenied", "<Message>a &lt;b&gt; &amp;lt;</Message>")],
      { message: /AccessDenied: a <b> &lt;$/ },
    ],
    [[400, {}, xml("ExpiredToken")], { code: "AccessDenied", message: /ExpiredToken/ }],
    [[400, {}, xml("Other")], { code: "Io", message: /400, Other/ }],
    [[400, {}, region], { code: "Io", hint: "the bucket is in another region: AWS_REGION=eu-north-1" }],
    [[301, { "x-amz-bucket-region": "eu-west-3" }, ""], { code: "Io", hint: /AWS_REGION=eu-west-3/ }],
    [[301, { "x-amz-bucket-region": "$(rm)" }, ""], { code: "Io", hint: undefined }],
    [[404, {}, "x".repeat(1 << 20)], { code: "Io", message: /answers 404$/ }],
    [[503, {}, xml("SlowDown")], { code: "Network", message: /503/ }],
  ];
  for (const [next, error] of cases) {
    answer = next;
    const opened = openS3(new URL("s3://site/disk.img"), { retries: 0 }, { ...SETTINGS, endpoint });
    await assert.rejects(opened, error, JSON.stringify(next).slice(0, 100));
  }
});

test("without the package that signs, an error says how to install it", async (t) => {
  const hook =
    "export function resolve(name, context, next) { if (name === 'aws4fetch') throw new Error('gone'); return next(name, context); }";
  const register = `import { register } from "node:module"; register(${JSON.stringify(`data:text/javascript,${encodeURIComponent(hook)}`)});`;
  const env = {
    HOME: temporaryFolder(t),
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(register)}`,
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    AWS_ACCESS_KEY_ID: "A",
    AWS_SECRET_ACCESS_KEY: "B",
  };
  const { status, stderr } = await docteur(["ls", "s3://site/disk.img"], { env });
  assert.match(stderr, /aws4fetch, which is not installed\nhint: npm install aws4fetch/);
  assert.equal(status, 16);
});
