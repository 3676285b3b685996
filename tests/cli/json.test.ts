/** Every output of `--json` has the form of its schema in `docs/schemas`, and the schemas refuse any other form. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { COMMANDS } from "../../tools/commands/table.js";
import { docteur } from "../support/cli.js";
import { CraftedImage, treeEntry } from "../support/crafted-image.js";
import { manifestOf, startFakeRegistry } from "../support/fake-registry.js";
import { FIXTURES, fixturePath } from "../support/fixtures.js";
import { commitAll, git } from "../support/git.js";
import { repositoryOf, takeApart } from "../support/image.js";
import {
  DESCRIBED,
  descriptionOf,
  eachPart,
  LOG,
  mutants,
  noteFields,
  objectsOf,
  refusalOf,
  SCHEMAS,
  type Schema,
} from "../support/json-schemas.js";
import { RangeServer } from "../support/range-server.js";
import { dockerConfig } from "../support/registries.js";
import { temporaryFolder } from "../support/temporary.js";
import { flawedDirectories } from "../support/unsound-images.js";

/** Fields that an output may lack, by command and place; directories within directories are one place. */
const OPTIONAL = new Set([
  "ls *.quoted",
  "find *.quoted",
  "stat *.quoted",
  "stat *.targetQuoted",
  "stat *.date",
  "stat *.packed",
  "stat *.packed.base",
  "tree quoted",
  "tree targetQuoted",
  "tree children",
  "grep *.quoted",
  "grep *.lines.*.base64",
  "diff *.before.quoted",
  "diff *.after.quoted",
  ...["author.date", "author.zone", "committer.date", "committer.zone"].flatMap((field) => [
    `info ${field}`,
    `verify ${field}`,
  ]),
  "info layout.layoutOffset",
  "info largestFiles.*.quoted",
  "info largestDirectories.*.quoted",
  ...["omittedSubmodules", "lfsPointers", "danglingLinks"].map((field) => `make ${field}.first.*.quoted`),
  "make deltaCount",
  "make reusedCount",
  "make sourceCommit",
  "pull commit",
  ...["image", "commit", "tree", "author", "committer", "message"].map((field) => `verify ${field}`),
  ...["objectCount", "deltaCount", "unreachableCount", "objects", "pathCounts"].map(
    (field) => `verify ${field}`,
  ),
  ...["image", "pack", "idx", "layout", "object", "content"].map((part) => `verify ${part}Bytes`),
  "verify findings.*.oid",
  "verify findings.*.path",
  "verify findings.*.quoted",
  "verify findings.*.offset",
  "verify findings.*.hint",
]);

const ending = { after };
const WORK = temporaryFolder(ending);
/** The outputs of every command that were valid. */
const valid = new Map<string, unknown[]>();

/** Runs a command, and checks each of the values that it prints. */
async function outputs(
  [command, ...args]: readonly [string, ...string[]],
  status = 0,
  env: Record<string, string> = {},
): Promise<unknown[]> {
  const { stdout, stderr, status: ended } = await docteur([command, "--json", ...args], { env });
  const where = `${command} ${args.join(" ")}`;
  assert.equal(ended, status, `${where}: ${stderr}`);
  const texts = command === "verify" ? stdout.split("\n").slice(0, -1) : [stdout];
  assert.ok(texts.length > 0, where);
  const values = texts.map((text): unknown => JSON.parse(text));
  for (const value of values) assert.equal(refusalOf(command, value), undefined, `${where}\n${stdout}`);
  valid.set(command, [...(valid.get(command) ?? []), ...values]);
  return values;
}

function write(name: string, content: Uint8Array): string {
  const path = join(WORK, name);
  writeFileSync(path, content);
  return path;
}

const LFS_POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"0".repeat(64)}\nsize 12345\n`;

/**
 * An image with names, a target of a link and lines that are not UTF-8, an empty directory, submodules, a link that leads
 * to nothing, and a pointer of Git LFS.
 */
function oddImage(name: string, text: string): string {
  const image = new CraftedImage();
  const blob = image.object("blob", Buffer.from(text, "latin1"));
  const target = image.object("blob", Buffer.from("caf\xe9", "latin1"));
  const folder = image.tree(
    treeEntry("100664", "caf\xe9", blob.oid),
    treeEntry("120000", "dangling", image.object("blob", "nowhere").oid),
    treeEntry("100644", "large", image.object("blob", LFS_POINTER).oid),
    treeEntry("120000", "link", target.oid),
    treeEntry("160000", "module", "2".repeat(40)),
  );
  const entries = [
    treeEntry("40000", "d\xe9", folder.oid),
    treeEntry("40000", "empty", image.tree().oid),
    treeEntry("160000", "module", "1".repeat(40)),
  ];
  image.commit(image.tree(...entries).oid);
  return write(name, image.finish().bytes);
}

/** An image with more paths than a number of JSON can hold. */
function deepImage(): string {
  const image = new CraftedImage();
  let tree = image.tree(treeEntry("100644", "file", image.object("blob", "12345").oid));
  for (let depth = 0; depth < 60; depth++)
    tree = image.tree(treeEntry("40000", "a", tree.oid), treeEntry("40000", "b", tree.oid));
  image.commit(tree.oid);
  return write("deep.img", image.finish().bytes);
}

/** A commit without a date, a name, or a message. */
function barrenImage(): string {
  const image = new CraftedImage();
  const tree = image.tree(treeEntry("100644", "file", image.object("blob", "12345").oid));
  image.head(image.object("commit", `tree ${tree.oid}\nauthor <>\ncommitter nobody\n`));
  return write("barren.img", image.finish().bytes);
}

/** A repository with some of everything and two tags, `old` and `young`. */
function repository(): string {
  const folder = join(WORK, "repository");
  const at = (path: string): string => join(folder, path);
  mkdirSync(at("docs/deep"), { recursive: true });
  git(folder, "init", "-q");
  writeFileSync(at("docs/guide.txt"), "one\ntwo\nthree\nfour\n");
  writeFileSync(at("docs/deep/moved"), "moved\n".repeat(500));
  writeFileSync(at("gone"), "gone\n");
  writeFileSync(at("turns"), "a file\n");
  writeFileSync(at("run"), "#!/bin/sh\n");
  writeFileSync(at("pixels"), "two\0\x01");
  symlinkSync("docs/guide.txt", at("link"));
  symlinkSync("nowhere", at("dangling"));
  writeFileSync(at("large"), LFS_POINTER);
  writeFileSync(at(".gitattributes"), "large filter=lfs diff=lfs merge=lfs -text\n");
  commitAll(folder, "old");
  git(folder, "tag", "old");
  git(folder, "mv", "docs/deep/moved", "docs/moved too");
  for (const name of ["gone", "turns"]) rmSync(at(name));
  symlinkSync("gone", at("turns"));
  writeFileSync(at("new"), "new\n");
  writeFileSync(at("docs/guide.txt"), "one\nTWO\nthree\nfour\n");
  chmodSync(at("run"), 0o755);
  git(folder, "add", "-A", "-f", ".");
  git(folder, "update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},module`);
  git(folder, "commit", "-q", "-m", "young");
  git(folder, "tag", "young");
  return folder;
}

const REPOSITORY = repository();
const OLD = join(WORK, "old.img");
const YOUNG = join(WORK, "young.img");
const ODD = oddImage("odd.img", "caf\xe9 two\nplain two\n");
const DEEP = deepImage();
const BARREN = barrenImage();

test("every command with --json has a schema, and every schema a command", async () => {
  const commands: string[] = [];
  for (const [name, load] of Object.entries(COMMANDS))
    if ("json" in (await load()).command.options) commands.push(name);
  assert.deepEqual(DESCRIBED, commands.sort());
  const page = readFileSync("docs/COMMANDS.md", "utf8");
  for (const [name, { $id, $schema, title, description }] of SCHEMAS) {
    assert.deepEqual([$id, $schema], [`${name}.json`, "https://json-schema.org/draft/2020-12/schema"]);
    assert.ok(title && description, name);
    assert.ok(page.includes(`(schemas/${name}.json)`), `docs/COMMANDS.md links ${name}.json`);
  }
});

test("every object is closed, and every field has a description", () => {
  let count = 0;
  for (const command of [...DESCRIBED, LOG])
    for (const { schema, file } of objectsOf(command)) {
      assert.equal(schema.additionalProperties, false, command);
      for (const [name, field] of Object.entries(schema.properties!)) {
        assert.ok(descriptionOf(field as Schema, file), `${command}: ${name}`);
        count++;
      }
    }
  assert.ok(count > 150);
});

/** Names that have two meanings each, and the definitions for them. All other names have one. */
const HOMONYMS: Record<string, readonly string[]> = {
  // Of a path; of a person.
  name: ["name", "personName"],
  // Of a commit; of a finding, and of the server.
  message: ["commitMessage", ""],
  // Of a change; of a report; of HTTP.
  status: ["", "", ""],
};

test("a name is one fact in one form: what several objects have is defined once, and nothing is null", () => {
  const fields = new Map<string, Set<string>>();
  const places = new Map<string, number>();
  for (const [file, schema] of SCHEMAS)
    eachPart(schema, (part) => {
      assert.notEqual(part.type, "null", file);
      if (part.additionalProperties !== false) return;
      for (const [name, field] of Object.entries(part.properties!)) {
        const text = JSON.stringify(field).replace("common.json#", "#");
        fields.set(name, (fields.get(name) ?? new Set()).add(text));
        places.set(name, (places.get(name) ?? 0) + 1);
      }
    });
  for (const [name, forms] of fields) {
    if (places.get(name) === 1) continue;
    const expected = HOMONYMS[name] ?? [name];
    const definitions = [...forms].map((form) => /^{"\$ref":"#\/\$defs\/(\w+)"}$/.exec(form)?.[1] ?? "");
    assert.deepEqual(definitions.sort(), [...expected].sort(), `${name}: ${[...forms].join(" ")}`);
  }
  assert.ok([...places.values()].filter((count) => count > 1).length > 25);
});

test("make", async () => {
  await outputs(["make", "-b", "old", REPOSITORY, OLD]);
  const [made] = await outputs(["make", "-b", "young", REPOSITORY, YOUNG]);
  const { omittedSubmodules, lfsPointers, danglingLinks } = made as Record<string, { count: number }>;
  assert.ok(omittedSubmodules!.count > 0 && lfsPointers!.count > 0 && danglingLinks!.count > 0);
  const image = join(WORK, "again.img");
  await outputs(["make", "--subdir", "docs", REPOSITORY, image]);
  const repack = ["make", "--repack", "--from", YOUNG, REPOSITORY, image] as const;
  const [again] = (await outputs(repack)) as [{ objectCount: number; reusedCount: number }];
  assert.equal(again.reusedCount, again.objectCount);
  const folder = join(WORK, "directory");
  mkdirSync(join(folder, "inner/.git"), { recursive: true });
  writeFileSync(join(folder, "inner/file"), "content\n");
  const [{ skipped }] = (await outputs(["make", folder, image])) as [{ skipped: object[] }];
  assert.equal(skipped.length, 1);
  await outputs(["make", "--add", `v1=${folder}`, "--add", `v2=${REPOSITORY}@old`, image]);
  await outputs(["make", OLD, image]);
  const odd = repositoryOf(takeApart(readFileSync(ODD)), join(WORK, "odd.git"));
  await outputs(["make", "-b", "image", odd, image]);
});

test("ls, find, stat and tree", async () => {
  for (const name of FIXTURES) await outputs(["ls", "-r", fixturePath(`${name}.img`)]);
  for (const command of ["ls", "find", "tree"] as const) {
    await outputs([command, YOUNG]);
    await outputs([command, ODD]);
    await outputs([command, YOUNG, "/run"]);
  }
  await outputs(["ls", "-r", ODD]);
  assert.deepEqual(await outputs(["ls", ODD, "/empty"]), [[]]);
  assert.deepEqual(await outputs(["find", YOUNG, "--name", "nothing"]), [[]]);
  await outputs(["tree", "-L", "1", "-d", YOUNG]);
  const delta = fixturePath("delta.img");
  const [deltas] = (await outputs(["find", delta])) as [{ path: string }[]];
  await outputs(["stat", "--packed", delta, "/", ...deltas.map(({ path }) => path)]);
  await outputs(["stat", "--packed", YOUNG, "/", "/run", "/link", "/module"]);
  await outputs(["stat", "-L", YOUNG, "/link"]);
  await outputs(["stat", ODD, '"/d\\351/link"', '"/d\\351/caf\\351"']);
  await outputs(["stat", BARREN, "/file"]);
  assert.deepEqual(await outputs(["stat", YOUNG, "/nothing"], 1), [[]]);
});

test("grep", async () => {
  await outputs(["grep", "two|TWO", YOUNG]);
  await outputs(["grep", "-C", "1", "two", ODD]);
  await outputs(["grep", "-v", "two", YOUNG]);
  await outputs(["grep", "-c", "two", OLD]);
  await outputs(["grep", "-l", "two", OLD]);
  assert.deepEqual(await outputs(["grep", "no such line", YOUNG], 1), [[]]);
});

test("diff", async () => {
  const [changes] = (await outputs(["diff", OLD, YOUNG], 1)) as [{ status: string }[]];
  const statuses = new Set(changes.map(({ status }) => status));
  assert.deepEqual([...statuses].sort(), ["added", "deleted", "modified", "renamed", "typechange"]);
  assert.deepEqual(await outputs(["diff", OLD, OLD]), [[]]);
  await outputs(["diff", ODD, oddImage("other.img", "other\n")], 1);
  await outputs(["diff", `${REPOSITORY}@old`, YOUNG, "/run"], 1);
});

test("info", async () => {
  for (const name of FIXTURES) await outputs(["info", fixturePath(`${name}.img`)]);
  for (const image of [YOUNG, ODD, BARREN]) await outputs(["info", image]);
  await outputs(["info", "--quick", YOUNG]);
  const [{ contentBytes }] = (await outputs(["info", "--top", "3", DEEP])) as [{ contentBytes: unknown }];
  assert.equal(contentBytes, "2^53 or more");
});

test("verify", async () => {
  const sound = FIXTURES.map((name) => fixturePath(`${name}.img`));
  assert.equal((await outputs(["verify", YOUNG, ODD, DEEP, BARREN, ...sound])).length, 4 + sound.length);
  await outputs(["verify", "--quick", YOUNG]);
  const flawed = [...flawedDirectories().values()].map((bytes, at) => write(`flawed${at}.img`, bytes));
  const damaged = readFileSync(YOUNG);
  damaged[200]! ^= 1;
  await outputs(["verify", write("damaged.img", damaged), ...flawed], 4);
  await outputs(["verify", "--max-findings", "1", write("cut.img", damaged.subarray(0, 1000))], 4);
  await outputs(["verify", "--commit", "1".repeat(40), YOUNG], 4);
  await outputs(["verify", join(WORK, "missing.img")], 8);
});

test("extract", async () => {
  const folder = join(WORK, "out");
  await outputs(["extract", YOUNG, "-C", folder]);
  const [again] = (await outputs(["extract", YOUNG, "-C", folder])) as [{ keptCount: number }];
  assert.ok(again.keptCount > 0);
});

test("layout", async () => {
  const file = join(WORK, "layout.img");
  writeFileSync(file, readFileSync(YOUNG));
  for (const action of ["--check", "--strip", "--add"]) await outputs(["layout", action, file]);
});

test("push and pull", async () => {
  const image = readFileSync(YOUNG);
  const registry = await startFakeRegistry(ending, image);
  const env = { DOCKER_CONFIG: dockerConfig(WORK, {}) };
  const url = `oci://${registry.place}/site`;
  const file = join(WORK, "pulled.img");
  await outputs(["push", YOUNG, `${url}:v1`], 0, env);
  await outputs(["push", OLD, `${url}:v2`], 0, env);
  await outputs(["pull", `${url}:v1`, file], 0, env);
  registry.manifests.set("bare", manifestOf(image));
  await outputs(["pull", `${url}:bare`, file], 0, env);
});

test("images at URLs", async () => {
  const server = await new RangeServer(readFileSync(YOUNG)).start();
  after(() => server.stop());
  for (const command of ["ls", "find", "tree", "info", "verify"] as const)
    await outputs([command, `${server.url}?token=secret`]);
  await outputs(["info", "--full", server.url]);
  await outputs(["stat", "--packed", server.url, "/run"]);
  await outputs(["grep", "TWO", server.url]);
  await outputs(["diff", OLD, server.url], 1);
  await outputs(["extract", server.url, "-C", join(WORK, "from-url")]);
});

test("commands agree about an image", async () => {
  const same = join(WORK, "same.img");
  for (const [index, source] of [REPOSITORY, OLD, join(WORK, "directory")].entries()) {
    const facts = new Map<string, unknown>();
    let agreed = 0;
    for (const args of [
      ["make", "--repack", source, same],
      ["info", same],
      ["verify", same],
      ["extract", same, "-C", join(WORK, `same-${index}`)],
    ] as [string, ...string[]][]) {
      const given = source === REPOSITORY ? args : args.filter((word) => word !== "--repack");
      const [output] = (await outputs(given as [string, ...string[]])) as [Record<string, unknown>];
      for (const [name, value] of Object.entries(output)) {
        if (facts.has(name)) agreed++;
        else facts.set(name, value);
        assert.deepEqual(value, facts.get(name), `${name} of ${args[0]}`);
      }
    }
    assert.ok(agreed >= 18, String(agreed));
  }
});

test("the outputs above have every field of the schemas", () => {
  for (const command of DESCRIBED) {
    const seen = new Map<Schema, Set<string>>();
    for (const value of valid.get(command)!) noteFields(command, value, seen);
    for (const { schema } of objectsOf(command))
      assert.deepEqual(
        [...(seen.get(schema) ?? [])].sort(),
        Object.keys(schema.properties!).sort(),
        `${command}: ${schema.description}`,
      );
  }
});

test("a field more, a field less, or a field of another type is refused", () => {
  const lacking = new Set<string>();
  let count = 0;
  for (const command of DESCRIBED) {
    const told = new Set<string>();
    for (const value of valid.get(command)!)
      for (const { place, change, value: changed } of mutants(value, told)) {
        count++;
        const where = `${command} ${place.replace(/^(?:children\.\*\.)+/, "")}`;
        const isRefused = refusalOf(command, changed) !== undefined;
        if (change === "removed" && !isRefused) lacking.add(where);
        else assert.ok(isRefused, `${where} is ${change}`);
      }
  }
  assert.deepEqual([...lacking].sort(), [...OPTIONAL].sort());
  assert.ok(count > 500, String(count));
});
