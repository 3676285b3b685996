/**
 * The options of `tools/cli/image-options.ts` do what they say in every command that has them. The commands and their
 * arguments come from the table of commands and the texts of `--help`, so that a new command is tested, too.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { argumentsOf, optionsOf, parseHelp } from "../../tools/cli/help-text.js";
import { IMAGE_OPTIONS } from "../../tools/cli/image-options.js";
import { COMMANDS } from "../../tools/commands/table.js";
import { docteur, type RunResult } from "../support/cli.js";
import { CraftedImage, copy, delta, type FinishOptions, treeEntry } from "../support/crafted-image.js";
import { fixturePath, gitOid } from "../support/fixtures.js";
import { distPath } from "../support/programs.js";
import { RangeServer } from "../support/range-server.js";
import { temporaryFolder } from "../support/temporary.js";

const FOLDER = temporaryFolder({ after });
const PAGE = "docs/page.txt";
/** The largest of the block sizes that are tried. */
const BLOCK = 4096;
/** The base of a tree: more than `--memory 2M` has room for. */
const BASE_LEN = 6 << 20;

interface Shape extends FinishOptions {
  name: string;
  text?: string;
  /** The id under which the tree of `/docs` is listed. */
  docsOid?: string;
  /** Whether that tree is a delta of a large one. */
  isDelta?: boolean;
}

/** Writes an image of `/docs/page.txt` and of an image that our WASI guest reads. */
function imageOf({ name, text = "needle\n", docsOid, isDelta, ...options }: Shape): string {
  const image = new CraftedImage();
  const page = image.object("blob", text);
  const inner = image.object("blob", readFileSync(fixturePath("gitmodes.img")));
  const entries = Buffer.concat([
    treeEntry("100644", "inner.img", inner.oid),
    treeEntry("100644", "page.txt", page.oid),
  ]);
  let docs = docsOid ?? gitOid("tree", entries);
  if (isDelta) {
    const base = image.object("tree", Buffer.concat([entries, Buffer.alloc(BASE_LEN)]));
    const steps = [copy(0, entries.length)];
    image.ofsDelta(docs, base.offset, delta(entries.length + BASE_LEN, entries.length, ...steps));
  } else docs = image.object("tree", entries, docs).oid;
  image.commit(image.tree(treeEntry("40000", "docs", docs)).oid);
  const path = join(FOLDER, name);
  const { bytes } = image.finish(options);
  const padding = -bytes.length & (BLOCK - 1);
  writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(padding)]));
  return path;
}

const SOUND = imageOf({ name: "sound.img" });
const OTHER = imageOf({ name: "other.img", text: "another needle\n" });
const COMMIT = readFileSync(SOUND).toString("hex", 0, 20);

/** What arguments stand for, by their names in `--help`. */
const WORDS: Readonly<Record<string, string>> = {
  A: "",
  B: OTHER,
  IMAGE: "",
  PATH: `/${PAGE}`,
  PATTERN: "needle",
  PROGRAM: distPath("guest/simple.wasi.wasm"),
};

/** Words for commands that would otherwise write files, or need to be told more. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  extract: ["--tar"],
  // Of an image at a URL, too.
  info: ["--full"],
};
const LAST: Readonly<Record<string, readonly string[]>> = {
  run: ["--block:docteur=/docs/inner.img", "--filename", "/hello.txt"],
};

/** Commands that are not run here. `mount` needs FUSE, and opens the image as `serve` does: by one function. */
const LEFT_OUT = ["mount"];

/** A command that reads an image. */
interface Reading {
  name: string;
  /** Its options. */
  has: ReadonlySet<string>;
  /** Runs it with these options. */
  read(image: string, ...options: string[]): Promise<Pick<RunResult, "status" | "stdout" | "stderr">>;
}

/** Runs `docteur serve`, and asks for the page. Its status is what the other commands would end with. */
async function askServer(args: readonly string[]): ReturnType<Reading["read"]> {
  let answer: { status: number; stdout: string } | undefined;
  const ended = await docteur(["serve", "--port", "0", "--log", "none", ...args], {
    onStart: (child) => {
      void once(child.stdout!, "data").then(async ([line]) => {
        const response = await fetch(`${String(line).trim()}${PAGE}`);
        answer = { status: response.ok ? 0 : 4, stdout: await response.text() };
        child.kill("SIGTERM");
      });
    },
  });
  return { ...ended, ...answer };
}

async function readings(): Promise<Reading[]> {
  const found: Reading[] = [];
  for (const [name, load] of Object.entries(COMMANDS)) {
    const { command } = await load();
    if (!("proof" in command.options) || LEFT_OUT.includes(name)) continue;
    const help = parseHelp(command.help);
    const words = argumentsOf(help.usage[0]!, optionsOf(help)).map(({ names }) => names[0]!);
    const given = words.filter((word) => word !== "ARGUMENT");
    for (const word of given) assert.ok(word in WORDS, `${name}: what ${word} stands for is not in WORDS`);
    found.push({
      name,
      has: new Set(Object.keys(command.options)),
      read: (image, ...options) => {
        const places = given.map((word) => WORDS[word] || image);
        const args = [...options, ...(MORE[name] ?? []), ...places, ...(LAST[name] ?? [])];
        return name === "serve" ? askServer(args) : docteur([name, ...args]);
      },
    });
  }
  return found;
}

const READINGS = await readings();

/** Runs every command that has an option, and compares. @param options the option first */
async function each(
  image: string,
  options: readonly string[],
  check: (
    result: Awaited<ReturnType<Reading["read"]>>,
    where: string,
    reading: Reading,
  ) => void | Promise<void>,
): Promise<void> {
  const option = options[0]?.replace(/^--/, "");
  for (const reading of READINGS) {
    if (option !== undefined && !reading.has.has(option)) continue;
    const result = await reading.read(image, ...options);
    await check(result, `${reading.name} ${options.join(" ")}: ${result.stderr}`, reading);
  }
}

/** What each command prints without options. */
const plain = new Map<string, Pick<RunResult, "status" | "stdout">>();

test("the commands that read an image have all options", async () => {
  assert.ok(READINGS.length >= 12);
  // There are two images, and two commits.
  for (const { name, has } of READINGS)
    for (const option of Object.keys(IMAGE_OPTIONS))
      assert.ok(has.has(option) || (name === "diff" && option === "commit"), `${name} --${option}`);
  await each(SOUND, [], ({ status, stdout }, where, { name }) => {
    assert.equal(status, name === "diff" ? 1 : 0, where);
    assert.notEqual(stdout, "", where);
    plain.set(name, { status, stdout });
  });
});

/** Checks that a command refuses an image. `run` ends as its program does, if it begins: a read of it fails. */
function isRefused({ status }: Pick<RunResult, "status">, where: string, { name }: Reading): void {
  assert.ok(status === 4 || (name === "run" && status === 1), where);
}

/** Checks that a command prints what it prints of the sound image without options. */
function isPlain(
  { status, stdout }: Pick<RunResult, "status" | "stdout">,
  where: string,
  { name }: Reading,
): void {
  const expected = plain.get(name)!;
  // It reads the index, and says that --mode analyze does not go with that.
  if (name === "info" && where.includes("--mode analyze")) {
    assert.equal(status, 16, where);
    return;
  }
  assert.equal(status, expected.status, where);
  // These tell where the image is, or how it is stored.
  if (name === "info") return;
  assert.equal(stdout, expected.stdout, where);
}

test("a sound image reads alike with every option", async () => {
  await each(SOUND, ["--commit", COMMIT, "--mode", "analyze", "--proof", "oid", "--collisions"], isPlain);
  await each(SOUND, ["--bs", String(BLOCK), "--mode", "fast", "--proof", "crc", "--memory", "8M"], isPlain);
});

test("values that are not valid are refused", async () => {
  for (const options of [
    ["--bs", "513"],
    ["--mode", "slow"],
    ["--memory", "1"],
    ["--proof", "sha"],
    ["--collisions", "--proof", "crc"],
    ["--commit", "main"],
  ])
    await each(SOUND, options, ({ status, stdout }, where) => {
      assert.deepEqual([status, stdout], [16, ""], where);
    });
});

test("--proof: content under the id of another, and another checksum in the IDX", async () => {
  const image = imageOf({ name: "untrue.img", docsOid: "d".repeat(40) });
  await each(image, ["--proof", "none"], ({ status }, where, { name }) =>
    assert.equal(status, plain.get(name)!.status, where),
  );
  await each(image, ["--proof", "oid"], isRefused);
  await each(image, ["--commit", readFileSync(image).toString("hex", 0, 20)], isRefused);
  const editIdx = (idx: Buffer): Buffer => {
    const count = idx.readUInt32BE(8 + 1020);
    return idx.fill(7, 8 + 1024 + 20 * count, 8 + 1024 + 24 * count);
  };
  const wrong = imageOf({ name: "crc.img", editIdx });
  await each(wrong, [], isPlain);
  await each(wrong, ["--proof", "crc"], isRefused);
});

test("--commit: another commit is refused", async () => {
  await each(SOUND, ["--commit", "1".repeat(40)], ({ status }, where) => assert.equal(status, 4, where));
});

test("--memory: what it has no room for is refused", async () => {
  const image = imageOf({ name: "large.img", isDelta: true });
  await each(image, ["--memory", "64M"], isPlain);
  await each(image, ["--memory", "2M"], ({ status, stderr }, where, { name }) => {
    assert.notEqual(status, plain.get(name)!.status, where);
    // ENOMEM of WASI is 48.
    if (name !== "serve") assert.match(stderr, /memory|errno 48/, where);
  });
});

test("--mode analyze: the IDX is not used", async () => {
  const image = imageOf({
    name: "no-idx.img",
    editIdx: (idx) => {
      const count = idx.readUInt32BE(8 + 1020);
      return idx.fill(0, 8 + 1024 + 24 * count, 8 + 1024 + 28 * count);
    },
  });
  await each(image, ["--mode", "light"], ({ status }, where) => assert.equal(status, 4, where));
  await each(image, ["--mode", "analyze"], isPlain);
});

test("an image at a URL: --header, --cache, --retries", async () => {
  const server = await new RangeServer(readFileSync(SOUND)).start();
  after(() => server.stop());
  server.behaviour = ({ headers }, response) => {
    if (headers["x-key"] === "secret") return false;
    response.writeHead(403).end();
    return true;
  };
  await each(server.url, ["--retries", "0"], ({ status }, where) => assert.equal(status, 11, where));
  await each(server.url, ["--header", "x-key: secret", "--retries", "0"], isPlain);
  for (const reading of READINGS) {
    const cache = join(FOLDER, `cache-${reading.name}`);
    const given = [
      "--cache",
      cache,
      "--cache-size",
      "1M",
      "--header",
      "x-key: secret",
      "--request-timeout",
      "5",
    ];
    isPlain(await reading.read(server.url, ...given), `${reading.name} --cache`, reading);
    assert.ok(readdirSync(cache).length > 0, reading.name);
    server.seen.length = 0;
    isPlain(await reading.read(server.url, ...given), `${reading.name} --cache`, reading);
    assert.ok(server.seen.length <= 3, `${reading.name}: ${server.seen.length} requests`);
  }
});
