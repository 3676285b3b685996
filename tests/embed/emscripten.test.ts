/** Python, compiled by Emscripten, imports modules and reads data from an image. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { makeImage } from "../../src/make/index.js";
import { pathFrom, whyNoPackages } from "../support/embedded.js";
import { noise } from "../support/families.js";
import { exampleOf, runExample } from "../support/page-example.js";
import { distPath } from "../support/programs.js";
import type { PythonJob } from "../support/python-worker.js";
import { RangeServer } from "../support/range-server.js";
import { temporaryFolder } from "../support/temporary.js";

const skip = whyNoPackages("libraries") ?? false;

const DATA = noise(4, 300_000);
const FILES = {
  "lib/kit/__init__.py": "from .deep import number\nanswer = 41 + number\n",
  "lib/kit/deep.py": "number = 1\n",
  "data.bin": DATA,
  empty: "",
  link: { link: "lib/kit/deep.py" },
  lost: { link: "nowhere" },
  "ü.txt": "names of more than ASCII\n",
  "unread.bin": noise(5, 6_000_000),
} as const;

/** What a piece of Python on an image answers as JSON. */
async function evaluate(job: PythonJob): Promise<unknown> {
  const code = `import json, os, sys\n${job.code}`;
  const thread = new Worker(distPath("tests/support/python-worker.js"), { workerData: { ...job, code } });
  const [answer] = (await once(thread, "message")) as [string];
  await thread.terminate();
  return JSON.parse(answer);
}

test("Python reads an image over HTTP, and only what it asks for", { skip }, async (t) => {
  const { image } = await makeImage(FILES);
  const server = await new RangeServer(image).start();
  t.after(() => server.stop());
  const found = await evaluate({
    source: server.url,
    code: `
sys.dont_write_bytecode = True
sys.path.append("/image/lib")
import kit, hashlib
with open("/image/data.bin", "rb") as file:
    file.seek(-10, 2)
    tail = file.read().hex()
    file.seek(1000)
    part = file.read(7).hex()
json.dumps({
    "answer": kit.answer,
    "names": sorted(os.listdir("/image")),
    "sha1": hashlib.sha1(open("/image/data.bin", "rb").read()).hexdigest(),
    "tail": tail,
    "part": part,
    "size": os.stat("/image/unread.bin").st_size,
    "empty": open("/image/empty").read(),
    "target": os.readlink("/image/link"),
    "linked": open("/image/link").read(),
    "text": open("/image/ü.txt").read(),
    "walk": sorted(path for path, _, _ in os.walk("/image")),
})`,
  });
  assert.deepEqual(found, {
    answer: 42,
    names: Object.keys(FILES)
      .map((path) => path.split("/")[0])
      .filter((name, index, all) => all.indexOf(name) === index)
      .sort(),
    sha1: createHash("sha1").update(DATA).digest("hex"),
    tail: DATA.subarray(-10).toString("hex"),
    part: DATA.subarray(1000, 1007).toString("hex"),
    size: 6_000_000,
    empty: "",
    target: "lib/kit/deep.py",
    linked: "number = 1\n",
    text: "names of more than ASCII\n",
    walk: ["/image", "/image/lib", "/image/lib/kit"],
  });
  assert.ok(server.sent < 2_000_000, `${server.sent} bytes were sent`);
});

test("Python cannot change an image, and its mistakes are its own", { skip }, async () => {
  const { image } = await makeImage(FILES);
  const errors = await evaluate({
    source: image,
    code: `
import errno
def name(run):
    try:
        run()
    except OSError as error:
        return errno.errorcode[error.errno]
json.dumps([name(run) for run in (
    lambda: open("/image/new", "w"),
    lambda: open("/image/data.bin", "r+"),
    lambda: open("/image/data.bin", "w"),
    lambda: os.remove("/image/data.bin"),
    lambda: os.mkdir("/image/new"),
    lambda: os.rmdir("/image/lib"),
    lambda: os.rename("/image/data.bin", "/image/new"),
    lambda: os.symlink("a", "/image/new"),
    lambda: os.chmod("/image/data.bin", 0),
    lambda: os.truncate("/image/data.bin", 0),
    lambda: open("/image/nothing"),
    lambda: open("/image/lost"),
    lambda: open("/image/data.bin/x"),
    lambda: os.listdir("/image/data.bin"),
    lambda: os.readlink("/image/data.bin"),
    lambda: open("/image/data.bin", "rb").seek(-1),
)])`,
  });
  assert.deepEqual(errors, [
    ...Array(10).fill("EROFS"),
    "ENOENT",
    "ENOENT",
    "ENOTDIR",
    "ENOTDIR",
    "EINVAL",
    "EINVAL",
  ]);
});

test("the example of docs/EMBEDDING.md", { skip }, async (t) => {
  const folder = temporaryFolder(t);
  const files = { "lib/my_package/__init__.py": 'print("imported")\n' };
  writeFileSync(join(folder, "data.img"), (await makeImage(files)).image);
  const code = exampleOf("EMBEDDING.md", "Emscripten and Pyodide")
    .replace("https://example.org/", "")
    .replace('"pyodide"', JSON.stringify(pathToFileURL(pathFrom("libraries", "pyodide/pyodide.mjs")).href));
  assert.equal(await runExample(t, code, folder), "imported\n");
});
