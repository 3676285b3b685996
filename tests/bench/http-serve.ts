/** Requests per second of `docteur serve`, and of sirv over the same files, each a process of its own, asked by wrk. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { findProgram } from "../support/servers.js";
import type { Benchmark, Context } from "./benchmark.js";
import { selectFiles } from "./corpus.js";
import { alternate, createRow, type Row } from "./measure.js";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));
const SIRV = fileURLToPath(new URL("../../../tests/embed/libraries/node_modules/sirv/", import.meta.url));

/** Files that are asked for, by turns, and their greatest size. */
const FILES = 1000;
const FILE_BYTES = 200_000;
/** Paths that are URLs as they are: sirv decodes few escapes. */
const PLAIN = /^[\w@./+-]+$/;
/** Connections, and seconds of a turn. */
const CONNECTIONS = 32;
const SECONDS = 3;

/** Asks for the paths of a file, one after the other. */
const SCRIPT = `local paths = {}
for line in io.lines(os.getenv("PATHS")) do paths[#paths + 1] = line end
local at = 0
request = function() at = at % #paths + 1; return wrk.format("GET", paths[at]) end
`;

const SERVER = `import { createServer } from "node:http";
const { default: sirv } = await import(process.argv[2]);
const serve = sirv(process.argv[3], { etag: true, gzip: true, brotli: true, dotfiles: true });
const server = createServer((request, response) => serve(request, response, () => response.writeHead(404).end()));
server.listen(0, "127.0.0.1", () => console.log(\`http://127.0.0.1:\${server.address().port}/\`));
`;

/** A server that prints its address. */
async function start(args: readonly string[]): Promise<{ child: ChildProcess; address: string }> {
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = (await once(child.stdout.setEncoding("utf8"), "data")) as [string];
  return { child, address: line.trim() };
}

/** Why this cannot be measured here, or undefined. */
function whyNot(): string | undefined {
  if (findProgram("wrk") === undefined) return "wrk is not installed";
  try {
    readFileSync(join(SIRV, "package.json"));
    return undefined;
  } catch {
    return "sirv is not installed: npm ci --prefix tests/embed/libraries";
  }
}

/** Requests per second. Every answer must be a success. */
async function rate(address: string, script: string, paths: string): Promise<number> {
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${SECONDS}s`, "-s", script, address];
  const { stdout } = await run("wrk", args, { env: { ...process.env, PATHS: paths } });
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`requests failed: ${stdout}`);
  return Number(/Requests\/sec: +([\d.]+)/.exec(stdout)![1]);
}

async function httpServe({ corpus, note, signal }: Context): Promise<Row[]> {
  const why = whyNot();
  if (why !== undefined) {
    note(`no http-serve: ${why}`);
    return [];
  }
  const { name, image, workTree } = await corpus();
  const folder = mkdtempSync(join(realpathSync(tmpdir()), "docteur-bench-"));
  const servers: ChildProcess[] = [];
  try {
    const files = (await selectFiles(workTree, Number.MAX_SAFE_INTEGER, FILE_BYTES))
      .filter((path) => PLAIN.test(path))
      .slice(0, FILES);
    const paths = join(folder, "paths");
    const script = join(folder, "paths.lua");
    const server = join(folder, "sirv.mjs");
    writeFileSync(paths, files.map((path) => `/${path}\n`).join(""));
    writeFileSync(script, SCRIPT);
    writeFileSync(server, SERVER);
    const ours = await start([PROGRAM, "serve", "--port", "0", "--log", "none", "--dotfiles", image]);
    servers.push(ours.child);
    const { version, module } = JSON.parse(readFileSync(join(SIRV, "package.json"), "utf8"));
    const theirs = await start([server, pathToFileURL(join(SIRV, module)).href, workTree]);
    servers.push(theirs.child);
    const contestants = [ours, theirs].map((one) => () => rate(one.address, script, paths));
    const rounds = { warmUp: 1, least: 3, most: 3, enough: 0 };
    const [our, peer] = (await alternate(contestants, signal, rounds)) as [number, number];
    const row = {
      name: "http-serve",
      corpus: name,
      unit: "requests/s",
      ours: our,
      peer,
      peerName: `sirv ${version}`,
    };
    return [createRow(row, "more")];
  } finally {
    for (const child of servers) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const HTTP_SERVE: Record<string, Benchmark> = { "http-serve": httpServe };
