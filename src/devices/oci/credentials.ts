/** Credentials for registries as `docker login` keeps them: docker's configuration file and its helpers. For Node. */
import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DocteurError } from "../../errors.js";
import { ioError, systemCode } from "../../node/io-error.js";

/** A user and a password, or a token that stands for both. */
export type Credentials = { username: string; password: string } | { identityToken: string };

/** Gives the credentials for a registry; undefined where there are none. */
export type FindCredentials = (registry: string) => Promise<Credentials | undefined>;

/** What is read of docker's configuration file. */
interface DockerConfig {
  auths?: Record<string, { auth?: unknown; username?: unknown; password?: unknown; identitytoken?: unknown }>;
  credsStore?: unknown;
  credHelpers?: Record<string, unknown>;
}

/** What helpers may take: milliseconds, and bytes of an answer. */
const HELPER_TIME = 30_000;
const HELPER_OUTPUT_MAX = 1 << 20;
/** What a helper calls a user whose password is a token. */
const TOKEN_USER = "<token>";

function configPath(): string {
  return join(process.env.DOCKER_CONFIG || join(homedir(), ".docker"), "config.json");
}

async function readConfig(): Promise<DockerConfig> {
  const path = configPath();
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) return {};
    throw ioError("read", path, cause);
  }
  try {
    const config: unknown = JSON.parse(text);
    if (typeof config === "object" && config !== null) return config as DockerConfig;
  } catch {
    // The engine's error would show what the file holds.
  }
  throw new DocteurError("Io", `${path} is not a configuration file of docker's: it is not a JSON object`, {
    path,
  });
}

/** A key of the configuration without a scheme and a path, which older versions of docker wrote. */
function hostOf(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/.*$/, "");
}

/** The entry of a registry in a part of the configuration. */
function entryOf<T>(part: Record<string, T> | undefined, registry: string): T | undefined {
  if (typeof part !== "object" || part === null) return undefined;
  if (Object.hasOwn(part, registry)) return part[registry];
  const key = Object.keys(part).find((one) => hostOf(one) === registry);
  return key === undefined ? undefined : part[key];
}

/** Credentials of the file itself. */
function fromEntry(entry: NonNullable<DockerConfig["auths"]>[string] | undefined): Credentials | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { auth, username, password, identitytoken } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") return { identityToken: identitytoken };
  if (typeof auth === "string" && auth !== "") {
    const [, user, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, "base64").toString()) ?? [];
    if (user !== undefined) return { username: user, password: secret!.replace(/\0+$/, "") };
  }
  if (typeof username === "string" && username !== "" && typeof password === "string")
    return { username, password };
  return undefined;
}

/** Runs a helper: it reads the registry's name on standard input, and prints credentials as JSON. */
function runHelper(name: string, key: string): Promise<{ status: number | null; output: string }> {
  const program = `docker-credential-${name}`;
  return new Promise((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void =>
      reject(
        new DocteurError("Io", `cannot run ${program}, which docker's configuration names: ${why}`, {
          hint: `the configuration is ${configPath()}`,
          cause,
        }),
      );
    const child = spawn(program, ["get"], { stdio: ["pipe", "pipe", "ignore"] });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(`it has not ended within ${HELPER_TIME / 1000} seconds`);
    }, HELPER_TIME);
    let output = "";
    child.on("error", (cause) => {
      clearTimeout(timer);
      fail(systemCode(cause) === "ENOENT" ? "it is not installed" : cause.message, cause);
    });
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.length > HELPER_OUTPUT_MAX) child.kill("SIGKILL");
    });
    child.on("close", (status) => {
      clearTimeout(timer);
      resolve({ status, output });
    });
    child.stdin.on("error", () => undefined).end(key);
  });
}

async function fromHelper(name: unknown, key: string): Promise<Credentials | undefined> {
  // A name with a slash would be a path.
  if (typeof name !== "string" || !/^[A-Za-z0-9_.-]+$/.test(name))
    throw new DocteurError("Io", `${configPath()} names a credential helper that cannot be one`);
  const { status, output } = await runHelper(name, key);
  let found: { Username?: unknown; Secret?: unknown } | undefined;
  try {
    found = JSON.parse(output);
  } catch {
    // Errors are texts.
  }
  if (status !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw new DocteurError(
      "Io",
      `docker-credential-${name} fails with status ${status}: ${output.trim().slice(0, 200)}`,
    );
  }
  if (typeof found?.Username !== "string" || typeof found.Secret !== "string")
    throw new DocteurError("Io", `docker-credential-${name} printed no credentials`);
  if (found.Username === TOKEN_USER) return { identityToken: found.Secret };
  return { username: found.Username, password: found.Secret };
}

/**
 * The credentials that `docker login` has kept for a registry, in the file that `DOCKER_CONFIG` (a folder) leads to, or
 * `~/.docker/config.json`; by the helper that it names, if it names one.
 * @param registry `host` or `host:port`
 * @returns undefined where there are none
 * @throws DocteurError `Io` for a configuration or a helper that cannot be used
 */
export async function findDockerCredentials(registry: string): Promise<Credentials | undefined> {
  const config = await readConfig();
  const helper = entryOf(config.credHelpers, registry);
  if (helper !== undefined) return fromHelper(helper, registry);
  if (config.credsStore !== undefined) {
    const stored = await fromHelper(config.credsStore, registry);
    if (stored !== undefined) return stored;
  }
  return fromEntry(entryOf(config.auths, registry));
}
