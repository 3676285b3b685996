/** `docteur/webdav`: what a server of class 1 answers (RFC 4918), over files of every kind, and to hostile requests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SaxesParser } from "saxes";
import { toNodeListener } from "../../src/http/index.js";
import { open } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { createWebDav } from "../../src/webdav/index.js";
import { BODY_MAX, NESTING_MAX, PROPERTIES_MAX } from "../../src/webdav/request-body.js";
import { listen, SITE_MODIFIED, volumeOf } from "../support/site.js";

const FILES = {
  "a b&c.txt": "0123456789",
  "dir/x.html": "x",
  "dir/run.sh": { executable: true, content: "#!" },
  "empty/.keep": "",
  ".hidden": "h",
  link: { link: "dir/x.html" },
  folder: { link: "dir" },
  broken: { link: "nowhere" },
  out: { link: "../../etc/passwd" },
};
const volume = await volumeOf(FILES as never);
const handler = createWebDav(volume, { base: "/b" });

interface Ask {
  method?: string;
  depth?: string | null;
  body?: string | Uint8Array;
}

async function ask(path: string, { method = "PROPFIND", depth = "1", body }: Ask = {}): Promise<Response> {
  const headers = new Headers(depth === null ? {} : { depth });
  return handler(
    new Request(`http://h${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: body as never }),
    }),
  );
}

/** Parses an answer: properties by path, those that are not there with the status. Fails if it is not well-formed. */
function parse(xml: string): Map<string, Record<string, string>> {
  const found = new Map<string, Record<string, string>>();
  const open: string[] = [];
  let text = "";
  let href = "";
  let props: Record<string, string> = {};
  const parser = new SaxesParser({ xmlns: true });
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ uri, local }) => {
    open.push(`${uri} ${local}`);
    text = "";
    if (open.at(-2) === "DAV: resourcetype") props["DAV: resourcetype"] = local;
  });
  parser.on("text", (more) => {
    text += more;
  });
  parser.on("closetag", () => {
    const name = open.pop()!;
    if (name === "DAV: href") href = text;
    if (open.at(-1) === "DAV: prop") props[name] ??= text;
    if (name === "DAV: status" && !text.includes("200"))
      for (const prop of Object.keys(props)) props[prop] ||= text;
    if (name === "DAV: propstat") {
      found.set(href, { ...found.get(href), ...props });
      props = {};
    }
  });
  parser.write(xml).close();
  return found;
}

test("OPTIONS says class 1; methods that change something are refused", async () => {
  const options = await ask("/b/", { method: "OPTIONS" });
  assert.equal(options.headers.get("dav"), "1");
  assert.equal(options.headers.get("allow"), "GET, HEAD, OPTIONS, PROPFIND");
  for (const method of [
    "PUT",
    "DELETE",
    "MKCOL",
    "MOVE",
    "COPY",
    "PROPPATCH",
    "LOCK",
    "UNLOCK",
    "POST",
    "PATCH",
  ]) {
    const response = await ask("/b/dir/x.html", { method, body: "x" });
    assert.equal(response.status, 405, method);
    assert.equal(response.headers.get("allow"), "GET, HEAD, OPTIONS, PROPFIND");
  }
  assert.equal(await (await ask("/b/dir/x.html", { method: "GET" })).text(), "x");
});

test("a directory and its entries: links as what they lead to, nothing hidden, nothing broken", async () => {
  for (const path of ["/b/", "/b"]) {
    const response = await ask(path);
    assert.equal(response.status, 207);
    assert.equal(response.headers.get("content-location"), path === "/b" ? "/b/" : null);
    const found = parse(await response.text());
    assert.deepEqual(
      [...found.keys()],
      [...["/b/", "/b/a%20b%26c.txt", "/b/dir/", "/b/empty/", "/b/folder/", "/b/link"]],
    );
    const file = found.get("/b/a%20b%26c.txt")!;
    assert.deepEqual(file, {
      "DAV: resourcetype": "",
      "DAV: displayname": "a b&c.txt",
      "DAV: getcontentlength": "10",
      "DAV: getcontenttype": "text/plain; charset=utf-8",
      "DAV: getetag": `"${await volume.digest("/a b&c.txt")}"`,
      "DAV: getlastmodified": SITE_MODIFIED,
      "DAV: creationdate": "2024-06-07T08:09:10Z",
      "DAV: supportedlock": "",
      "http://apache.org/dav/props/ executable": "F",
    });
    assert.equal(found.get("/b/dir/")!["DAV: resourcetype"], "collection");
    assert.equal(found.get("/b/folder/")!["DAV: resourcetype"], "collection");
    assert.equal(found.get("/b/dir/")!["DAV: getcontentlength"], undefined);
    assert.equal(found.get("/b/link")!["DAV: getcontentlength"], "1");
    assert.equal(found.get("/b/link")!["DAV: displayname"], "link");
  }
  const inside = parse(await (await ask("/b/folder/")).text());
  assert.deepEqual([...inside.keys()], ["/b/folder/", "/b/folder/run.sh", "/b/folder/x.html"]);
  assert.equal(inside.get("/b/folder/run.sh")!["http://apache.org/dav/props/ executable"], "T");
  // What GET sends agrees.
  const got = await ask("/b/a%20b%26c.txt", { method: "GET" });
  assert.equal(got.headers.get("etag"), `"${await volume.digest("/a b&c.txt")}"`);
  assert.equal(got.headers.get("last-modified"), SITE_MODIFIED);
});

test("depths", async () => {
  assert.deepEqual([...parse(await (await ask("/b/", { depth: "0" })).text()).keys()], ["/b/"]);
  assert.deepEqual([...parse(await (await ask("/b/link", { depth: "1" })).text()).keys()], ["/b/link"]);
  for (const depth of ["infinity", "Infinity", null]) {
    const response = await ask("/b/", { depth });
    assert.equal(response.status, 403);
    assert.match(await response.text(), /<D:error xmlns:D="DAV:"><D:propfind-finite-depth\/><\/D:error>/);
  }
  assert.equal((await ask("/b/", { depth: "2" })).status, 400);
});

test("paths that lead to nothing", async () => {
  for (const path of [
    "/b/nope",
    "/b/broken",
    "/b/out",
    "/b/.hidden",
    "/b/link/",
    "/b/link/x",
    "/",
    "/c/",
    "/b/a%2fb",
  ])
    assert.ok([400, 404].includes((await ask(path, { depth: "0" })).status), path);
});

test("some properties, their names, and those that nobody knows", async () => {
  const body = `<?xml version="1.0"?><propfind xmlns="DAV:" xmlns:z="urn:z&amp;&quot;">
    <extension xmlns="urn:x"><prop><deep/></prop></extension>
    <prop><getcontentlength/><z:b/><nothing xmlns=""/><getcontentlength/></prop></propfind>`;
  const found = parse(await (await ask("/b/", { body })).text());
  assert.deepEqual(found.get("/b/link"), {
    "DAV: getcontentlength": "1",
    'urn:z&" b': "HTTP/1.1 404 Not Found",
    " nothing": "HTTP/1.1 404 Not Found",
  });
  assert.equal(found.get("/b/dir/")!["DAV: getcontentlength"], "HTTP/1.1 404 Not Found");
  const none = await (await ask("/b/link", { body: '<propfind xmlns="DAV:"><prop/></propfind>' })).text();
  assert.match(none, /<D:propstat><D:prop><\/D:prop>/);
  const names = await (
    await ask("/b/dir/", { body: '<propfind xmlns="DAV:"><propname/></propfind>', depth: "0" })
  ).text();
  assert.match(names, /<D:resourcetype\/><D:displayname\/>/);
  assert.ok(!names.includes("collection"));
  const all = `<propfind xmlns="DAV:"><allprop/><include><x/></include></propfind>`;
  assert.equal(
    parse(await (await ask("/b/link", { body: all })).text()).get("/b/link")!["DAV: x"],
    "HTTP/1.1 404 Not Found",
  );
  const wide = Buffer.from(`\ufeff${body}`, "utf16le");
  assert.equal(
    parse(await (await ask("/b/", { body: wide })).text()).get("/b/link")!["DAV: getcontentlength"],
    "1",
  );
});

test("bodies that are refused: not well-formed, with a document type, too long, too deep, too many properties", async () => {
  const laughs = Array.from({ length: 9 }, (_, at) => `<!ENTITY l${at + 1} "${`&l${at};`.repeat(10)}">`).join(
    "",
  );
  const bad = [
    "x",
    "<propfind",
    "<a/>",
    '<propfind xmlns="urn:x"><allprop/></propfind>',
    '<propfind xmlns="DAV:"/>',
    '<propfind xmlns="DAV:"><prop/><allprop/></propfind>',
    '<propfind xmlns="DAV:"><prop><a:b xmlns:a=""/></prop></propfind>',
    '<propfind xmlns="DAV:"><prop><a:b/></prop></propfind>',
    '<propfind xmlns="DAV:"><prop>&x;</prop></propfind>',
    `<!DOCTYPE p [<!ENTITY l0 "lol">${laughs}]><propfind xmlns="DAV:"><prop>&l9;</prop></propfind>`,
    '<!DOCTYPE p SYSTEM "file:///etc/passwd"><propfind xmlns="DAV:"><allprop/></propfind>',
    `<propfind xmlns="DAV:"><prop>${"<a/>".repeat(PROPERTIES_MAX + 1)}</prop></propfind>`,
    "<a>".repeat(10_000),
  ];
  const nested = (depth: number): string =>
    `<propfind xmlns="DAV:"><allprop/>${"<a>".repeat(depth - 1)}${"</a>".repeat(depth - 1)}</propfind>`;
  bad.push(nested(NESTING_MAX + 1));
  for (const body of bad) assert.equal((await ask("/b/", { body })).status, 400, body.slice(0, 60));
  assert.equal((await ask("/b/", { body: nested(NESTING_MAX) })).status, 207);
  assert.equal((await ask("/b/", { body: Uint8Array.of(0xff, 0xff, 0x3c) })).status, 400);
  assert.equal((await ask("/b/", { body: " ".repeat(BODY_MAX + 1) })).status, 413);
  const last = `<propfind xmlns="DAV:"><allprop/></propfind>`.padEnd(BODY_MAX);
  assert.equal((await ask("/b/", { body: last })).status, 207);
});

test("over node:http: a body beyond the limit, with and without its length, and the connection lives on", async (t) => {
  const origin = await listen(t, toNodeListener(handler));
  const long = "x".repeat(3 * BODY_MAX);
  for (const body of [long, new Blob([long]).stream()]) {
    const init = { method: "PROPFIND", headers: { depth: "0" }, body, duplex: "half" } as RequestInit;
    assert.equal((await fetch(`${origin}/b/`, init)).status, 413);
  }
  const init = {
    method: "PROPFIND",
    headers: { depth: "0" },
    body: '<propfind xmlns="DAV:"><allprop/></propfind>',
  };
  assert.equal((await fetch(`${origin}/b/`, init)).status, 207);
});

test("names of any bytes, and characters that XML does not have", async () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");
  const names = ["caf\xe9", "\x01\x1b", "<&>\"'", "\xef\xbf\xbe", "ü", "a%20b", "x:y", "\xf0\x9f\x98\x80"];
  const files = names.map((name): [Uint8Array, string] => [bytes(name), name]);
  const { image } = await makeImage(files, { date: "@0" });
  const strange = createWebDav(await open(image));
  const propfind = await strange(new Request("http://h/", { method: "PROPFIND", headers: { depth: "1" } }));
  const found = parse(await propfind.text());
  assert.equal(found.size, names.length + 1);
  for (const href of found.keys()) {
    if (href === "/") continue;
    const response = await strange(new Request(`http://h${href}`));
    assert.equal(response.status, 200, href);
    assert.ok(names.includes(await response.text()));
  }
});

test("a directory of many entries is sent as it is read", async () => {
  let taken = 0;
  const entry = await volume.stat("/dir/x.html");
  const endless = {
    commit: volume.commit,
    stat: volume.stat.bind(volume),
    getPartial: volume.getPartial.bind(volume),
    stream: volume.stream.bind(volume),
    async *entries() {
      for (; taken < 1e9; taken++) yield entry;
    },
  };
  const response = await createWebDav(endless)(
    new Request("http://h/", { method: "PROPFIND", headers: { depth: "1" } }),
  );
  const reader = response.body!.getReader();
  for (let pieces = 0; pieces < 10; pieces++) await reader.read();
  await reader.cancel();
  assert.ok(taken > 100 && taken < 10_000, String(taken));
});
