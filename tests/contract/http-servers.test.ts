/** Files over the HTTP servers that sites run: nginx, Apache httpd and Caddy, with compression on. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openHttp } from "../../src/devices/http.js";
import { open } from "../../src/index.js";
import { HTTP_SERVERS, type RunningServer, startHttpServer, whyNoServer } from "../support/http-servers.js";
import { richImage } from "../support/rich-image.js";
import { sourceContract } from "./sources.js";

const RICH = richImage(300_000);
const folder = mkdtempSync(join(tmpdir(), "docteur-servers-"));
chmodSync(folder, 0o755);
const data = join(folder, "data");
mkdirSync(data, { mode: 0o755 });
after(() => rmSync(folder, { recursive: true }));

let fileCount = 0;

/** A new file, of some time ago: servers call the ETag of one that has just changed weak. */
function place(bytes: Uint8Array, name = `file-${fileCount++}.img`, age = 1000): string {
  const path = join(data, name);
  writeFileSync(`${path}.new`, bytes, { mode: 0o644 });
  const then = Math.floor(Date.now() / 1000) - age;
  utimesSync(`${path}.new`, then, then);
  renameSync(`${path}.new`, path);
  return name;
}

for (const name of Object.keys(HTTP_SERVERS)) {
  const skip = whyNoServer(name) ?? false;
  let starting: Promise<RunningServer> | undefined;
  const urlOf = async (file: string): Promise<string> => {
    if (starting === undefined) {
      const own = join(folder, name);
      mkdirSync(own, { mode: 0o755 });
      starting = startHttpServer(name, own, data);
    }
    return `${(await starting).url}/${file}`;
  };
  after(async () => (await starting)?.stop());

  sourceContract(name, async (bytes) => openHttp(new URL(await urlOf(place(bytes))), { pageSize: 4096 }), {
    skip,
  });

  test(`${name}: an image is read, by ranges, and can be kept`, { skip }, async () => {
    const url = await urlOf(place(RICH.image));
    const source = await openHttp(new URL(url));
    assert.ok(source.identity !== undefined);
    assert.equal(source.prefetched!.length, 2);
    const volume = await open(url, { pageSize: 4096 });
    for (const [path, content] of RICH.files)
      assert.deepEqual(Buffer.from(await volume.get(path)), content, path);
    await volume.close();
  });

  test(`${name}: a file that changes midway is ImageChanged`, { skip }, async () => {
    const file = place(RICH.image);
    const other = richImage(310_000);
    const volume = await open(await urlOf(file), { pageSize: 4096 });
    place(other.image, file, 500);
    await assert.rejects(volume.get("/large/whole"), { code: "ImageChanged" });
    const renewed = await volume.reopen();
    assert.equal(renewed.commit.oid, other.commit);
    // The file goes, and comes back.
    renameSync(join(data, file), join(data, "gone"));
    await assert.rejects(renewed.get("/large/whole"), {
      code: "DeviceFailed",
      message: /there is no such file/,
    });
    renameSync(join(data, "gone"), join(data, file));
    assert.deepEqual(Buffer.from(await renewed.get("/large/whole")), other.files.get("/large/whole"));
    await renewed.close();
  });

  test(`${name}: a file that is not there, and an empty one`, { skip }, async () => {
    await assert.rejects(open(await urlOf("nothing.img")), {
      code: "Io",
      message: /there is no such file \(404\)$/,
    });
    await assert.rejects(open(await urlOf(place(new Uint8Array(0)))), { code: "Truncated" });
  });
}
