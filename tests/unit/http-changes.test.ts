/** Images on servers that change, fail and recover while they are read. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { openHttp } from "../../src/devices/http.js";
import { type DocteurError, open } from "../../src/index.js";
import { answering, IMAGE, RICH, status } from "../support/http-answers.js";
import { ManualClock } from "../support/manual-clock.js";
import { type RangeServer, startServer } from "../support/range-server.js";
import { richImage } from "../support/rich-image.js";

/** Opens an image, lets something happen, and says what a read that needs more of it ends with. */
async function afterwards(
  t: { after(end: () => void): void },
  happen: (server: RangeServer) => void,
): Promise<DocteurError> {
  const server = await startServer(t, IMAGE);
  const volume = await open(server.url, { pageSize: 4096, retries: 0 });
  happen(server);
  const error = await volume.get("/large/whole").then(
    () => assert.fail("it reads"),
    (caught: DocteurError) => caught,
  );
  assert.equal(error.name, "DocteurError");
  assert.equal(error.url, server.url);
  assert.equal(error.path, "/large/whole");
  await volume.close();
  return error;
}

const CHANGES: Record<string, (server: RangeServer) => void> = {
  "another ETag": (server) => {
    server.etag = '"v2"';
  },
  "another ETag, at a server that does not look at If-Match": (server) => {
    server.etag = '"v2"';
    server.behaviour = answering(() => undefined);
  },
  "no ETag": (server) => {
    server.behaviour = answering(({ headers }) => delete headers.etag);
  },
  "another length": (server) => {
    server.content = Buffer.concat([IMAGE, new Uint8Array(512)]);
  },
  "a shorter file": (server) => {
    server.content = IMAGE.subarray(0, 512);
  },
  "another file, whole": (server) => {
    server.behaviour = (_, response) => {
      response.writeHead(200, { etag: '"v2"', "content-length": IMAGE.length }).end(IMAGE);
      return true;
    };
  },
};

for (const [name, change] of Object.entries(CHANGES))
  test(`a file that has changed midway is ImageChanged: ${name}`, async (t) => {
    const error = await afterwards(t, change);
    assert.equal(error.code, "ImageChanged");
    assert.equal(error.hint, "open it again: volume.reopen()");
    assert.match(error.message, /the image has changed since it was opened: /);
  });

test("without a strong ETag, the date tells versions apart", async (t) => {
  for (const etag of [undefined, 'W/"v1"']) {
    const server = await startServer(t, IMAGE);
    server.etag = etag;
    const volume = await open(server.url, { pageSize: 4096 });
    await volume.get("/docs/text");
    server.lastModified = "Mon, 01 Jan 2024 00:00:01 GMT";
    await assert.rejects(volume.get("/large/whole"), { code: "ImageChanged" });
    assert.ok(server.seen.every(({ headers }) => headers["if-match"] === undefined));
    await volume.close();
  }
});

test("a changed image is read anew by reopen, and no bytes of two versions are mixed", async (t) => {
  const other = richImage(310_000);
  const server = await startServer(t, IMAGE);
  const volume = await open(server.url, { pageSize: 4096 });
  const text = await volume.get("/docs/text");
  server.content = other.image;
  server.etag = '"v2"';
  await assert.rejects(volume.get("/large/whole"), { code: "ImageChanged" });
  // What is here is of the version that was opened.
  assert.deepEqual(await volume.get("/docs/text"), text);
  const renewed = await volume.reopen();
  assert.equal(renewed.commit.oid, other.commit);
  for (const [path, content] of other.files)
    assert.deepEqual(Buffer.from(await renewed.get(path)), content, path);
  await assert.rejects(volume.get("/docs/text"), { code: "Closed" });
  // A failure to open leaves the volume as it is.
  server.behaviour = status(404);
  await assert.rejects(renewed.reopen(), { code: "Io" });
  await renewed.get("/docs/text");
  await renewed.close();
});

test("a file that changes while it is opened is opened again", async (t) => {
  const server = await startServer(t, IMAGE);
  let count = 0;
  server.behaviour = answering(
    ({ headers }) => Object.assign(headers, { etag: '"v0"' }),
    () => count++ < 1,
  );
  const source = await openHttp(new URL(server.url), {}, new ManualClock({ isEager: true }));
  assert.equal(source.size, IMAGE.length);
  assert.equal(server.seen.length, 4);
});

test("a failed server leaves the volume usable", async (t) => {
  const server = await startServer(t, IMAGE);
  const volume = await open(server.url, { pageSize: 4096, retries: 0 });
  for (const behaviour of [
    status(500),
    status(403),
    status(404),
    answering(({ headers }) => delete headers.etag),
  ]) {
    server.behaviour = behaviour;
    await assert.rejects(volume.get("/large/whole"), (error: DocteurError) => {
      assert.ok(["DeviceFailed", "ImageChanged"].includes(error.code));
      assert.equal(error.url, server.url);
      return true;
    });
  }
  server.behaviour = undefined;
  for (const [path, content] of RICH.files)
    assert.deepEqual(Buffer.from(await volume.get(path)), content, path);
  await volume.close();
});
