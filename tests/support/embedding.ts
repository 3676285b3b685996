/** Applications with docteur in them, `tests/embed/app`: their folders, and the programs that build and run them. */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import type { TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { fixture, fixturePath } from "./fixtures.js";
import { installPacked } from "./packed.js";
import { type RangeServer, startServer } from "./range-server.js";
import { unlessRequired } from "./required.js";
import { temporaryFolder } from "./temporary.js";

const EMBED = fileURLToPath(new URL("../../../tests/embed/", import.meta.url));

/** What the work of `tests/embed/app/work.js` gives. */
export interface WorkResult {
  error?: string;
  read?: { commit: string; contents: Record<string, string> };
  made?: { commit: string; sha256: string };
  reports?: Record<"remote" | "made" | "damaged", { status: string; findings: unknown[] }>;
}

/** Programs from npm that `npm ci` does not install: a package of its own below `tests/embed`. */
export class Programs {
  readonly #folder: string;
  readonly #require: NodeJS.Require;
  readonly #name: "bundlers" | "runtimes";

  constructor(name: "bundlers" | "runtimes") {
    this.#name = name;
    this.#folder = join(EMBED, name);
    this.#require = createRequire(join(this.#folder, "package.json"));
  }

  /** Why they are not there, or undefined. */
  lacking(): string | undefined {
    const isThere = existsSync(join(this.#folder, "node_modules"));
    const reason = isThere ? undefined : `not installed: npm ci --prefix tests/embed/${this.#name}`;
    return unlessRequired(this.#name, reason);
  }

  /** The path of a file below `node_modules`. */
  path(name: string): string {
    return join(this.#folder, "node_modules", name);
  }

  require(name: string): unknown {
    return this.#require(name);
  }

  /** Imports a package that is of ES modules alone. */
  import(name: string): Promise<unknown> {
    return import(pathToFileURL(this.#require.resolve(name)).href);
  }
}

/** Programs of the folder `runtimes`, below its `node_modules`. */
export const DENO = "@deno/linux-x64-glibc/deno";
export const BUN = "@oven/bun-linux-x64/bin/bun";

/** What is used of miniflare. */
interface Miniflare {
  /** The address where it listens. */
  readonly ready: Promise<URL>;
  dispose(): Promise<void>;
}

/** The date for which workerd behaves. */
export const WORKERD_DATE = "2026-01-01";

/**
 * Runs the modules of a folder in workerd, until the test ends.
 * @returns its origin, without a slash at its end
 */
export async function startWorkerd(
  t: TestContext,
  programs: Programs,
  { folder, main }: { folder: string; main: string },
): Promise<string> {
  const { Miniflare } = programs.require("miniflare") as { Miniflare: new (options: object) => Miniflare };
  const modulesRules = [
    { type: "ESModule", include: ["**/*.js"] },
    { type: "CompiledWasm", include: ["**/*.wasm"] },
  ];
  const script = { modules: true, modulesRoot: folder, scriptPath: join(folder, main), modulesRules };
  const place = { host: "127.0.0.1", port: 0 };
  const worker = new Miniflare({ ...script, ...place, compatibilityDate: WORKERD_DATE });
  t.after(() => worker.dispose());
  return (await worker.ready).origin;
}

/** Bundles a module of a project by wrangler, into its folder `out`. */
export async function bundleByWrangler(programs: Programs, folder: string, main: string): Promise<void> {
  const settings = { name: "app", main, compatibility_date: WORKERD_DATE, send_metrics: false };
  writeFileSync(join(folder, "wrangler.json"), JSON.stringify(settings));
  const args = [programs.path("wrangler/bin/wrangler.js"), "deploy", "--dry-run", "--outdir", "out"];
  const env = { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, WRANGLER_SEND_METRICS: "false" };
  await start(process.execPath, args, { cwd: folder, env }).ended;
}

/** A project with the application, the packed package and an image, until the test ends. */
export function createProject(t: TestContext): string {
  const folder = temporaryFolder(t);
  installPacked(folder);
  cpSync(join(EMBED, "app"), folder, { recursive: true });
  mkdirSync(join(folder, "public"));
  cpSync(fixturePath("gitdelta.img"), join(folder, "public/disk.img"));
  return folder;
}

/** Serves the image and, where one is given, a built application. */
export async function serveImage(t: TestContext, folder?: string): Promise<RangeServer> {
  const server = await startServer(t, fixture("gitdelta.img"));
  const types: Record<string, string> = { ".html": "text/html", ".js": "text/javascript" };
  server.behaviour = ({ url }, response) => {
    const path = new URL(url!, server.origin).pathname;
    if (folder === undefined || path === "/disk.img") return false;
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    if (!existsSync(file)) return false;
    response.writeHead(200, { "content-type": types[extname(file)] ?? "application/octet-stream" });
    response.end(readFileSync(file));
    return true;
  };
  return server;
}

/** A program that was started, and what it prints. */
export function start(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): { child: ChildProcess; ended: Promise<string>; printed: (pattern: RegExp) => Promise<string> } {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout!, child.stderr!])
    stream.on("data", (piece) => {
      text += piece;
      for (const listener of listeners) listener();
    });
  const failed = (): Error => new Error(`${command} ${args.join(" ")}\n${text}`);
  const ended = new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => (status === 0 ? resolve(text) : reject(failed())));
  });
  ended.catch(() => undefined);
  const printed = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const [, found] = pattern.exec(text.replaceAll(/\x1b\[[0-9;]*m/g, "")) ?? [];
        if (found !== undefined) resolve(found);
      };
      listeners.add(look);
      look();
      ended.then(() => reject(failed()), reject);
    });
  return { child, ended, printed };
}

/** Runs a program of Node's. @returns what it printed @throws with that, where it fails */
export function runScript(script: string, args: readonly string[], cwd: string): Promise<string> {
  return start(process.execPath, [script, ...args], { cwd }).ended;
}
