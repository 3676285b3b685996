/** `docteur/http`: what the paths of URLs lead to. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createHandler, type HandlerOptions } from "../../src/http/index.js";
import type { DocteurError } from "../../src/index.js";
import { type Ask, SITE_MODIFIED, siteOf, volumeOf } from "../support/site.js";

const latin1 = (text: string): Uint8Array => Buffer.from(text, "latin1");

const FILES = [
  ["index.html", "home"],
  ["about.html", "about"],
  ["both.html", "file both"],
  ["both/index.html", "folder both"],
  ["docs/index.html", "docs"],
  ["docs/a.md", "# A"],
  ["plain/x.txt", "x"],
  ["evil/index.html", "evil folder"],
  ["a b/c?d#e%.txt", "odd"],
  ["back\\slash.txt", "backslash"],
  ["ümlaut/日本.txt", "unicode"],
  [latin1("caf\xe9.txt"), "latin1"],
  [".secret/key", "secret"],
  [".env", "secret"],
  [".well-known/security.txt", "contact"],
  ["link", { link: "docs" }],
  ["link.txt", { link: "docs/a.md" }],
  ["out.txt", { link: "../../../../etc/passwd" }],
  ["abs.txt", { link: "/docs/a.md" }],
  ["dangling.txt", { link: "nowhere" }],
  ["loop", { link: "loop" }],
  ["run", { content: "#!/bin/sh\n", executable: true }],
  ["empty", { directory: true }],
  ["x.constructor", "not a type"],
  ["README", "read me"],
  ["zero.txt", ""],
  ["a:b/index.html", "colon"],
] as const;

/** The status, and the body or the address. */
async function outcome(ask: Ask, path: string): Promise<string> {
  const response = await ask(path);
  const rest = response.status === 301 ? response.headers.get("location") : await response.text();
  return `${response.status} ${rest}`;
}

async function check(options: HandlerOptions, expected: Record<string, string>): Promise<void> {
  const { ask, errors } = await siteOf(FILES, options);
  for (const [path, outcomeOf] of Object.entries(expected))
    assert.equal(await outcome(ask, path), outcomeOf, path);
  assert.deepEqual(errors, []);
}

test("files, index files, URLs without endings, and redirects of directories", () =>
  check(
    {},
    {
      "/": "200 home",
      "": "200 home",
      "/index.html": "200 home",
      "/about": "200 about",
      "/about.html": "200 about",
      "/about/": "404 404 Not Found\n",
      "/about.html/": "404 404 Not Found\n",
      "/both": "200 file both",
      "/both/": "200 folder both",
      "/docs": "301 ./docs/",
      "/docs?q=1&r=a%20b": "301 ./docs/?q=1&r=a%20b",
      "/docs/": "200 docs",
      "/docs/a.md": "200 # A",
      "/docs/a.md/": "404 404 Not Found\n",
      "/docs/a.md/x": "404 404 Not Found\n",
      "/docs/a": "404 404 Not Found\n",
      "/plain": "404 404 Not Found\n",
      "/plain/": "404 404 Not Found\n",
      "/run": "200 #!/bin/sh\n",
      "/empty": "404 404 Not Found\n",
      "/zero.txt": "200 ",
      "/a:b": "301 ./a%3Ab/",
    },
  ));

test("names of any bytes, percent-encoded or not", () =>
  check(
    {},
    {
      "/a%20b/c%3Fd%23e%25.txt": "200 odd",
      "/a b/c%3fd%23e%25.txt": "200 odd",
      "/back%5Cslash.txt": "200 backslash",
      "/back%5cslash.txt": "200 backslash",
      // The URL standard reads a backslash as a slash.
      "/back\\slash.txt": "404 404 Not Found\n",
      "/%C3%BCmlaut/%E6%97%A5%E6%9C%AC.txt": "200 unicode",
      "/ümlaut/日本.txt": "200 unicode",
      "/caf%E9.txt": "200 latin1",
      "/caf%C3%A9.txt": "404 404 Not Found\n",
      "/docs%2Fa.md": "400 400 Bad Request\n",
      "/docs/a.md%00": "400 400 Bad Request\n",
      "/docs/a.md%0": "400 400 Bad Request\n",
      "/docs/%zz": "400 400 Bad Request\n",
      "/docs/%": "400 400 Bad Request\n",
      "/docs/%+1": "400 400 Bad Request\n",
    },
  ));

test("no path leads out of the image, and no redirect to another origin", () =>
  check(
    {},
    {
      "/../../docs/a.md": "200 # A",
      "/docs/../../about": "200 about",
      "/%2e%2e/%2E%2e/docs/a.md": "200 # A",
      "/..%2f..%2fetc/passwd": "400 400 Bad Request\n",
      "/..\\..\\docs/a.md": "200 # A",
      "/..%5c..%5cetc/passwd": "404 404 Not Found\n",
      "//docs///a.md": "200 # A",
      "//evil": "301 ./evil/",
      "///evil": "301 ./evil/",
      "/\\evil": "301 ./evil/",
      "/%2fevil": "400 400 Bad Request\n",
      "/docs/..//evil": "301 ./evil/",
    },
  ));

test("links are followed inside of the image", () =>
  check(
    { listing: "names" },
    {
      "/link": "301 ./link/",
      "/link/": "200 docs",
      "/link/a.md": "200 # A",
      "/link.txt": "200 # A",
      "/abs.txt": "200 # A",
      "/out.txt": "404 404 Not Found\n",
      "/dangling.txt": "404 404 Not Found\n",
      "/loop": "404 404 Not Found\n",
      "/loop/x": "404 404 Not Found\n",
    },
  ));

test("names that begin with a dot are served only on request, but for .well-known", async () => {
  await check(
    { listing: true },
    {
      "/.env": "404 404 Not Found\n",
      "/.secret": "404 404 Not Found\n",
      "/.secret/": "404 404 Not Found\n",
      "/.secret/key": "404 404 Not Found\n",
      "/%2Eenv": "404 404 Not Found\n",
      "/docs/../.env": "404 404 Not Found\n",
      "/docs/..%2f.env": "400 400 Bad Request\n",
      "/.well-known/security.txt": "200 contact",
    },
  );
  await check({ dotfiles: true }, { "/.env": "200 secret", "/.secret/key": "200 secret" });
});

test("an image under a base path", () =>
  check(
    { base: "/my%20site/v1/" },
    {
      "/": "404 404 Not Found\n",
      "/docs/a.md": "404 404 Not Found\n",
      "/my%20site/v1": "301 ./v1/",
      "/my%20site/v1?x": "301 ./v1/?x",
      "/my site/v1/": "200 home",
      "/my%20site/v1/docs": "301 ./docs/",
      "/my%20site/v1/docs/a.md": "200 # A",
      "/my%20site/v10/docs/a.md": "404 404 Not Found\n",
      "/my%20site/v1/../../docs/a.md": "404 404 Not Found\n",
    },
  ));

test("other index files, other endings, or none", async () => {
  await check(
    { index: "a.md", extensions: [".md", "txt"] },
    { "/docs/": "200 # A", "/docs/a": "200 # A", "/plain/x": "200 x", "/about": "404 404 Not Found\n" },
  );
  await check(
    { index: false, extensions: [] },
    { "/docs/": "404 404 Not Found\n", "/docs": "404 404 Not Found\n", "/about": "404 404 Not Found\n" },
  );
});

test("a page for what is not there, with status 404", async () => {
  const files = { "404.html": "<p>lost", "docs/a.txt": "a" };
  const { ask } = await siteOf(files);
  const response = await ask("/nope", { "if-none-match": "*", range: "bytes=0-1" });
  assert.equal(response.status, 404);
  assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(response.headers.get("cache-control"), "no-cache");
  assert.equal(response.headers.get("content-length"), "7");
  assert.equal(await response.text(), "<p>lost");
  const head = await ask("/nope", {}, "HEAD");
  assert.deepEqual([head.status, await head.text()], [404, ""]);
  const { ask: other } = await siteOf(files, { notFound: "/docs/a.txt" });
  assert.equal(await outcome(other, "/nope"), "404 a");
  const { ask: none } = await siteOf(files, { notFound: false });
  assert.equal(await outcome(none, "/nope"), "404 404 Not Found\n");
});

test("media types", async () => {
  const { ask } = await siteOf(FILES, { types: { ".MD": "text/x-markdown", "": "text/plain" } });
  const typeOf = async (path: string): Promise<string | null> =>
    (await ask(path)).headers.get("content-type");
  assert.equal(await typeOf("/"), "text/html; charset=utf-8");
  assert.equal(await typeOf("/docs/a.md"), "text/x-markdown");
  assert.equal(await typeOf("/README"), "text/plain");
  assert.equal(await typeOf("/x.constructor"), "application/octet-stream");
  const { ask: bare } = await siteOf(
    { "a.svg": "", "a.JS": "", "a.wasm": "", "favicon.ico": "", ".txt": "", x: "" },
    { charset: false, dotfiles: true },
  );
  const types: Record<string, string> = {
    "/a.svg": "image/svg+xml",
    "/a.JS": "text/javascript",
    "/a.wasm": "application/wasm",
    "/favicon.ico": "image/vnd.microsoft.icon",
    "/.txt": "application/octet-stream",
    "/x": "application/octet-stream",
  };
  for (const [path, type] of Object.entries(types))
    assert.equal((await bare(path)).headers.get("content-type"), type, path);
});

test("methods: GET, HEAD and OPTIONS; others are refused", async () => {
  const { ask } = await siteOf(FILES);
  for (const path of ["/", "/docs", "/nope", "/docs/%zz"]) {
    const [get, head] = [await ask(path), await ask(path, {}, "HEAD")];
    assert.equal(head.status, get.status, path);
    assert.deepEqual([...head.headers], [...get.headers], path);
    assert.equal(await head.text(), "");
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "PROPFIND", "get"]) {
    const response = await ask("/", {}, method);
    // `Request` writes "get" in capitals.
    assert.equal(response.status, method === "get" ? 200 : 405, method);
    if (method !== "get") assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS");
  }
  const options = await ask("/", {}, "OPTIONS");
  assert.equal(options.status, 204);
  assert.equal(options.headers.get("allow"), "GET, HEAD, OPTIONS");
});

test("header fields of every answer", async () => {
  const { ask, volume } = await siteOf(FILES, {
    headers: { "Content-Security-Policy": "sandbox", vary: "X", "x-content-type-options": "other" },
    cacheControl: (path) => (path.endsWith(".md") ? "max-age=60" : undefined),
  });
  const response = await ask("/docs/a.md");
  assert.deepEqual(Object.fromEntries(response.headers), {
    "accept-ranges": "bytes",
    "cache-control": "max-age=60",
    "content-length": "3",
    "content-security-policy": "sandbox",
    "content-type": "text/markdown; charset=utf-8",
    etag: `"${await volume.digest("/docs/a.md")}"`,
    "last-modified": SITE_MODIFIED,
    vary: "X",
    "x-content-type-options": "other",
  });
  assert.equal((await ask("/")).headers.get("cache-control"), null);
  assert.equal((await ask("/nope")).headers.get("content-security-policy"), "sandbox");
  const { ask: bare } = await siteOf(FILES, { cacheControl: false, lastModified: false });
  const { headers } = await bare("/");
  assert.deepEqual([headers.get("cache-control"), headers.get("last-modified")], [null, null]);
  assert.equal(headers.get("x-content-type-options"), "nosniff");
});

test("a date of zero, or of the future, is no date to go by", async () => {
  for (const [date, isSent] of [
    ["1970-01-01T00:00:00Z", false],
    ["2900-01-01T00:00:00Z", true],
  ] as const) {
    const volume = await volumeOf({ a: "1" }, date);
    const response = await createHandler(volume)(new Request("http://site.example/a"));
    const sent = response.headers.get("last-modified");
    assert.equal(sent !== null, isSent);
    if (sent !== null) assert.ok(Date.parse(sent) <= Date.now());
  }
});

test("CORS: none, for all, or for some origins", async () => {
  const origin = "https://app.example";
  const fields = { origin, "access-control-request-method": "GET" };
  const { ask: none } = await siteOf(FILES);
  assert.equal((await none("/", { origin })).headers.get("access-control-allow-origin"), null);
  assert.equal((await none("/", fields, "OPTIONS")).headers.get("access-control-allow-methods"), null);
  const { ask: all } = await siteOf(FILES, { cors: true });
  for (const path of ["/", "/nope"]) {
    const { headers } = await all(path, { origin });
    assert.equal(headers.get("access-control-allow-origin"), "*", path);
    assert.match(headers.get("access-control-expose-headers")!, /Content-Range.*ETag/);
  }
  const preflight = await all("/", fields, "OPTIONS");
  assert.equal(preflight.headers.get("access-control-allow-methods"), "GET, HEAD, OPTIONS");
  assert.match(preflight.headers.get("access-control-allow-headers")!, /If-None-Match.*Range/);
  const { ask: some } = await siteOf(FILES, { cors: [origin] });
  for (const [one, allowed] of [
    [origin, origin],
    ["https://other.example", null],
  ] as const) {
    const { headers } = await some("/", { origin: one });
    assert.equal(headers.get("access-control-allow-origin"), allowed);
    assert.equal(headers.get("vary"), "Origin");
  }
});

test("wrong arguments are refused when the handler is made", async () => {
  const { volume } = await siteOf(FILES);
  const cases: [unknown, unknown, RegExp][] = [
    [undefined, {}, /takes a volume or a function that gives one, not undefined/],
    [Promise.resolve(volume), {}, /takes a volume/],
    [volume, { idnex: "a" }, /has no option "idnex"/],
    [volume, { index: true }, /index must be a string or false/],
    [volume, { listing: "sizes" }, /listing must be true or false or one of names/],
    [volume, { base: "/a%2Fb" }, /base: "\/a%2Fb" is not a path/],
    [volume, { headers: { "x\ny": "1" } }, /not a header field/],
    [volume, { types: { md: "text/\nplain" } }, /not a header field/],
    [volume, { cacheControl: "a\r\nb: c" }, /not a header field/],
  ];
  for (const [source, options, message] of cases)
    assert.throws(
      () => createHandler(source as never, options as never),
      (error: DocteurError) => error.code === "InvalidArgument" && message.test(error.message),
      String(message),
    );
});
