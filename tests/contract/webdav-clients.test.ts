/** Clients of WebDAV over `docteur/webdav`: rclone, cadaver, and those tests of litmus that change nothing. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { toNodeListener } from "../../src/http/index.js";
import { open } from "../../src/index.js";
import { makeImage } from "../../src/make/index.js";
import { createWebDav } from "../../src/webdav/index.js";
import { unlessRequired } from "../support/required.js";
import { noise } from "../support/rich-image.js";
import { findProgram, whyNoPrograms } from "../support/servers.js";
import { listen } from "../support/site.js";
import { temporaryFolder } from "../support/temporary.js";

const FILES: Record<string, string | Buffer> = {
  "index.html": "home",
  "a b & c.txt": "text",
  "deep/er/ü/100%25.txt": "deep",
  "app.js": "plain",
  "app.js.gz": "not what is in app.js",
  "#?;:@.txt": "odd",
  ".dot": "dot",
  "large.bin": noise(3_000_000, 9),
};

/** Runs a program. @returns what it prints, on both streams */
function run(
  program: string,
  args: readonly string[],
  options: { input?: string; cwd?: string } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, RCLONE_CONFIG: "" };
    const child = spawn(findProgram(program) ?? program, args, { env, cwd: options.cwd, stdio: "pipe" });
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
    child.once("error", reject);
    child.once("close", () => resolve(said));
    child.stdin.on("error", () => undefined).end(options.input);
  });
}

async function dav(files: Parameters<typeof makeImage>[0]): Promise<RequestListener> {
  const { image } = await makeImage(files, { date: "2024-06-07T08:09:10Z" });
  return toNodeListener(createWebDav(await open(image), { dotfiles: true, precompressed: false }));
}

function skipWithout(...programs: string[]): string | false {
  return unlessRequired("webdav", whyNoPrograms(...programs)) ?? false;
}

test("rclone finds every file, with its content and time", { skip: skipWithout("rclone") }, async (t) => {
  const origin = await listen(t, await dav(FILES));
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const remote = `:webdav,url='${origin}/':`;
  const checked = await run("rclone", ["check", "--download", folder, remote]);
  assert.match(checked, /: 0 differences found/);
  assert.match(checked, new RegExp(`: ${Object.keys(FILES).length} matching files`));
  const listed = JSON.parse(await run("rclone", ["lsjson", remote]));
  const file = listed.find(({ Name }: { Name: string }) => Name === "a b & c.txt");
  assert.equal(file.Size, 4);
  assert.equal(new Date(file.ModTime).toISOString(), "2024-06-07T08:09:10.000Z");
  const part = await run("rclone", ["cat", "--offset", "2", "--count", "3", `${remote}deep/er/ü/100%25.txt`]);
  assert.equal(part, "ep");
  const refused = await run("rclone", [
    "copyto",
    "--retries",
    "1",
    join(folder, "app.js"),
    `${remote}new.js`,
  ]);
  assert.match(refused, /405 Method Not Allowed/);
});

test("cadaver lists and downloads, and is told that nothing can be changed", {
  skip: skipWithout("cadaver"),
}, async (t) => {
  const origin = await listen(t, await dav(FILES));
  const input = "ls\ncd deep/er\nls\ncat ü/100%25.txt\nput /dev/null\nmkcol new\nrmcol ü\nlock ü\nquit\n";
  const said = await run("cadaver", [`${origin}/`], { input });
  assert.match(said, /Coll: +deep +0 +Jun +7 +2024/);
  assert.match(said, /large\.bin +3000000 +Jun +7 +2024/);
  assert.equal(said.match(/405 Method Not Allowed/g)?.length, 4, said);
});

/**
 * litmus writes before it reads. What it writes is in the image, and its changes are answered as if they were done.
 * What asks whether something was changed fails then, and does not apply to a server that changes nothing.
 */
async function litmusOf(origin: string): Promise<Map<string, string>> {
  const results = new Map<string, string>();
  for (const suite of ["basic", "props", "http", "locks"]) {
    const said = await run(`/usr/libexec/litmus/${suite}`, [`${origin}/`], { cwd: "/usr/share/litmus" });
    const lines = said.replaceAll("\r", "\n").matchAll(/^ *\d+\. (\w+)\.+ (pass|FAIL|SKIPPED)/gm);
    for (const [, name, result] of lines)
      if (!results.has(`${suite} ${name}`)) results.set(`${suite} ${name}`, result!);
  }
  return results;
}

test("litmus: what reads passes", { skip: skipWithout("litmus") }, async (t) => {
  const listener = await dav({ "litmus/prop": "x", "litmus/prop2": "x", "litmus/res": "x" });
  const done: Record<string, number> = { MKCOL: 201, DELETE: 204, PUT: 201 };
  const origin = await listen(t, (request, response) => {
    const status = done[request.method!];
    if (status === undefined) return listener(request, response);
    request.resume();
    response.writeHead(status).end();
  });
  const results = await litmusOf(origin);
  const reading = ["propfind_invalid", "propfind_invalid2", "propfind_d0", "propextended", "propwformed"];
  for (const name of [...reading.map((one) => `props ${one}`), "http expect100"])
    assert.equal(results.get(name), "pass", name);
  // Class 1: no lock is ever asked for.
  assert.equal(results.get("locks precond"), "SKIPPED");
});
