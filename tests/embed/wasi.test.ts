/** Programs for WASI preview 1 that know nothing of images, and find one as a directory. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeImage } from "../../src/make/index.js";
import { openSync } from "../../src/sync/index.js";
import { preopen } from "../../src/wasi/index.js";
import { docteur } from "../support/cli.js";
import { whyNoPackages } from "../support/embedded.js";
import { fixturePath, gitOid } from "../support/fixtures.js";
import { exampleOf, runExample } from "../support/page-example.js";
import { unlessRequired } from "../support/required.js";
import { RUBY, standardLibrary, startRuby } from "../support/ruby.js";
import { temporaryFolder } from "../support/temporary.js";
import { buildGoProgram } from "../support/wasi-program.js";

const walker = buildGoProgram("wasi-walk");
const withoutGo = unlessRequired("go", "missing" in walker ? walker.missing : undefined) ?? false;

test("a program in Go finds every file of every fixture", { skip: withoutGo }, async () => {
  assert.ok("path" in walker);
  for (const name of ["tiny", "delta", "gitmodes", "modes"]) {
    const { status, stdout, stderr } = await docteur(["run", fixturePath(`${name}.img`), walker.path, "/"]);
    assert.deepEqual([status, stderr], [0, ""]);
    const found = stdout
      .trimEnd()
      .split("\n")
      .flatMap((line) => {
        const target = / -> (.*)$/.exec(line)?.[1];
        return target === undefined
          ? (/ ([0-9a-f]{40})$/.exec(line)?.[1] ?? [])
          : gitOid("blob", Buffer.from(target));
      });
    const { stdout: listed } = await docteur(["ls", "-lr", fixturePath(`${name}.img`)]);
    const blobs = listed.split("\n").flatMap((line) => / blob ([0-9a-f]{40})/.exec(line)?.[1] ?? []);
    assert.deepEqual(found.sort(), blobs.sort(), name);
  }
});

test("a program in Go gets its arguments, directory and status", { skip: withoutGo }, async (t) => {
  assert.ok("path" in walker);
  const image = join(temporaryFolder(t), "image");
  writeFileSync(image, (await makeImage({ "ü/--help": "a", b: { link: "ü" } })).image);
  const run = (...args: string[]) => docteur(["run", "--dir", "/site", image, walker.path, ...args]);
  const listing = "/site/ü/\n/site/ü/--help 1 2e65efe2a145dda7ee51d1741299f848e5bf752e\n";
  assert.deepEqual(await run("/site/ü"), { status: 0, signal: null, stdout: listing, stderr: "" });
  const failed = await run("/elsewhere");
  assert.equal(failed.status, 3);
  assert.match(failed.stderr, /elsewhere/);
  // Everything after the program is the program's, options and all.
  const help = await run("--help");
  assert.equal(help.status, 3);
  assert.match(help.stderr, /--help/);
});

test("the example of docs/EMBEDDING.md", { skip: withoutGo }, async (t) => {
  assert.ok("path" in walker);
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "site.img"), (await makeImage({ "docs/a": "a" })).image);
  const module = `import { readFileSync } from "node:fs"; const module = readFileSync(${JSON.stringify(walker.path)});`;
  const code = `${module}\n${exampleOf("EMBEDDING.md", "WASI programs")}\nconsole.log(status);`;
  const file = "/site/docs/a 1 2e65efe2a145dda7ee51d1741299f848e5bf752e";
  assert.equal(await runExample(t, code, folder), `/site/\n/site/docs/\n${file}\n0\n`);
});

const skip = whyNoPackages("libraries") ?? false;

test("Ruby finds its standard library in an image", { skip }, async () => {
  const files = await standardLibrary();
  const { image } = await makeImage(files);
  await assert.rejects(
    async () => (await startRuby(RUBY)).eval('require "json"'),
    /cannot load such file -- json/,
  );
  const volume = openSync(image);
  const vm = await startRuby(RUBY, preopen(volume, "/lib"));
  const code = `
    $LOAD_PATH.unshift("/lib", "/lib/wasm32-wasi")
    require "json"
    require "erb"
    refused = begin File.write("/lib/new", "") rescue $!.class.name end
    JSON.generate({
      erb: ERB.new("<%= 6 * 7 %>").result,
      loaded: $LOADED_FEATURES.include?("/lib/json.rb"),
      files: Dir.glob("/lib/**/*").count { |path| File.file?(path) },
      refused: refused,
    })`;
  assert.deepEqual(JSON.parse(String(vm.eval(code))), {
    erb: "42",
    loaded: true,
    files: Object.keys(files).length,
    refused: "Errno::EROFS",
  });
  assert.equal(String(vm.eval('File.binread("/lib/set.rb")')), String(files["set.rb"]));
});
