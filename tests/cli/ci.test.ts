/** What runs docteur in continuous integration, as a runner would run it: the action, the template and docs/CI.md. */
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { docteur } from "../support/cli.js";
import { damagedImage, repositoryAndImage } from "../support/command-images.js";
import { digestOfBytes, startFakeRegistry } from "../support/fake-registry.js";
import { fixturePath } from "../support/fixtures.js";
import { dockerConfig } from "../support/registries.js";
import { temporaryFolder } from "../support/temporary.js";

const TINY = fixturePath("tiny.img");
const OTHER = "0123456789abcdef0123456789abcdef01234567";
const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

function projectFile(name: string): string {
  return readFileSync(join(ROOT, name), "utf8");
}

/** Runs a script as a step of a workflow. @returns its exit status */
function runScript(script: string, env: Record<string, string>, cwd: string): Promise<number | null> {
  const child = spawn("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
    cwd,
    env: { ...process.env, ...env },
    stdio: "ignore",
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}

/** The action: its inputs, and its step as a function of some of them. */
function action(t: TestContext, folder: string) {
  const text = projectFile("action.yml");
  const script = /\n {6}run: \|\n((?: {8}.*\n)+)/.exec(text)![1]!.replace(/^ {8}/gm, "");
  const [, inputs] = /\ninputs:\n(.*?)\noutputs:\n/s.exec(text)!;
  const declared = [...inputs!.matchAll(/^ {2}([a-z-]+):\n(.*?)(?=^ {2}[a-z]|$(?![\s\S]))/gms)].map(
    ([, name, body]) => [name!, /^ {4}default: "?(.*?)"?$/m.exec(body!)?.[1] ?? ""] as const,
  );
  const variables = new Map(
    [...text.matchAll(/^ {8}(DOCTEUR_\w+): \$\{\{ inputs\.([a-z-]+) \}\}$/gm)].map(([, variable, name]) => [
      name!,
      variable!,
    ]),
  );
  const output = join(temporaryFolder(t), "output");
  const run = async (given: Record<string, string>) => {
    const env: Record<string, string> = { GITHUB_ACTION_PATH: ROOT, GITHUB_OUTPUT: output };
    for (const [name, value] of [...declared, ...Object.entries(given)]) env[variables.get(name)!] = value;
    env.DOCKER_CONFIG = dockerConfig(folder, {});
    const status = await runScript(script, env, folder);
    return { status, outputs: existsSync(output) ? readFileSync(output, "utf8") : "" };
  };
  return { names: declared.map(([name]) => name), variables, run };
}

test("the action verifies images", async (t) => {
  const { folder, image } = await repositoryAndImage(t);
  const { names, variables, run } = action(t, folder);
  assert.deepEqual(names, [...variables.keys()]);
  assert.equal(names.length, 9);
  for (const name of names)
    assert.match(projectFile("docs/CI.md"), new RegExp(`^\\| \`${name}\` \\|`, "m"), name);
  const status = async (given: Record<string, string>) => (await run({ image, ...given })).status;
  assert.equal(await status({}), 0);
  assert.equal(await status({ image: `${image}\n${TINY}\n` }), 0);
  assert.equal(await status({ image: `${image}\n${damagedImage(t)}\n` }), 4);
  assert.equal(await status({ image: damagedImage(t), verify: "false" }), 0);
  assert.equal(await status({ against: ".", quick: "true" }), 0);
  assert.equal(await status({ against: ".@one" }), 4);
  assert.equal(await status({ commit: OTHER }), 4);
  assert.equal(await status({ tree: OTHER, quick: "true" }), 4);
});

test("the action makes an image, and pushes what is sound", async (t) => {
  const { folder } = await repositoryAndImage(t);
  const registry = await startFakeRegistry(t);
  const { run } = action(t, folder);
  const given = {
    image: "made.img",
    make: ".",
    "make-options": "--subdir=sub\n--message=two words\n",
    push: `oci://${registry.place}/site:v1`,
  };
  // What is not the commit that it should be is not pushed.
  assert.equal((await run({ ...given, commit: OTHER })).status, 4);
  assert.equal(registry.manifests.size, 0);
  const { status, outputs } = await run(given);
  assert.equal(status, 0);
  const { stdout } = await docteur(["ls", "made.img"], { cwd: folder });
  assert.equal(stdout, "b\n");
  const [commit, , digest] = [...outputs.matchAll(/^(?:commit|digest)=(.*)$/gm)].map(([, value]) => value!);
  assert.match(commit!, /^[0-9a-f]{40}$/);
  assert.equal(digest, digestOfBytes(registry.manifests.get("v1")!));
  assert.equal((await run({ ...given, image: "one.img\ntwo.img" })).status, 16);
});

test("the template for GitLab makes, verifies and pushes", async (t) => {
  const { folder } = await repositoryAndImage(t);
  const registry = await startFakeRegistry(t);
  const text = projectFile("docs/ci/gitlab.yml");
  const script = /\n {4}- \|\n((?: {6}.*\n)+)/.exec(text)![1]!.replace(/^ {6}/gm, "");
  const [, block] = /\n {2}variables:\n((?: {4}.*\n)+)/.exec(text)!;
  const variables = Object.fromEntries(
    [...block!.matchAll(/^ {4}(\w+): "?(.*?)"?$/gm)].map(([, name, value]) => [name!, value!]),
  );
  // A checkout that is built already, where the job would clone and build one.
  const built = script
    .replace(/^.*(?:git clone|git -C).*\n/gm, "")
    .replaceAll('"$folder/docteur/', '"$DOCTEUR/');
  const run = (given: Record<string, string>) =>
    runScript(built, { ...variables, DOCTEUR: ROOT, ...given }, folder);
  assert.equal(await run({}), 0);
  assert.ok(existsSync(join(folder, variables.DOCTEUR_IMAGE!)));
  assert.equal(await run({ DOCTEUR_OPTIONS: "--branch=nowhere" }), 13);
  const pushed = await run({
    DOCTEUR_OPTIONS: "--subdir sub -q",
    DOCTEUR_PUSH: `oci://${registry.place}/site:v1`,
    CI_REGISTRY: registry.place,
    CI_REGISTRY_USER: "user",
    CI_REGISTRY_PASSWORD: "secret",
  });
  assert.equal(pushed, 0);
  assert.equal(registry.manifests.size, 1);
});

test("the hook verifies the images of a commit", async (t) => {
  const text = projectFile(".pre-commit-hooks.yaml");
  const [entry, files] = ["entry", "files"].map((key) => new RegExp(`^  ${key}: (.*)$`, "m").exec(text)![1]!);
  assert.match("disk.img", new RegExp(files!));
  const run = (...images: string[]) => runScript(`"$ROOT"/${entry} ${images.join(" ")}`, { ROOT }, ROOT);
  assert.equal(await run(TINY), 0);
  assert.equal(await run(TINY, damagedImage(t)), 4);
});

const hasSha256sum = spawnSync("sha256sum", ["--version"]).status === 0;

test("the shell snippet of docs/CI.md", async (t) => {
  const { folder } = await repositoryAndImage(t);
  const [, script] = /## A shell\n\n```sh\n(.*?)```/s.exec(projectFile("docs/CI.md"))!;
  assert.equal(await runScript(script!, { DOCTEUR: ROOT }, folder), 0);
  if (hasSha256sum)
    execFileSync("sha256sum", ["--check", "--quiet", "--strict", "disk.img.sha256"], { cwd: folder });
});
