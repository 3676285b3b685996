/** Servers of git repositories on this machine's loopback: HTTP, git's own protocol, and ssh. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from "node:net";
import { userInfo } from "node:os";
import { join, resolve } from "node:path";
import type { TestContext } from "node:test";
import { GIT_ENVIRONMENT } from "./git.js";
import { unlessRequired } from "./required.js";

/** An environment for whoever fetches: nobody's settings, no proxy between here and the loopback. */
export function clientEnvironment(home: string): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = {};
  for (const name of Object.keys(process.env)) if (/^(GIT|SSH)_|_proxy$/i.test(name)) env[name] = undefined;
  return { ...env, HOME: home, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
}

/** Gives this process another environment until the test ends. */
export function useEnvironment(t: TestContext, changes: Record<string, string | undefined>): void {
  const before = process.env;
  process.env = { ...before };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  t.after(() => {
    process.env = before;
  });
}

function listen(t: TestContext, server: Server | NetServer): Promise<number> {
  t.after(() => {
    server.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
  });
  return new Promise((done, fail) => {
    server.once("error", fail);
    server.listen(0, "127.0.0.1", () => done((server.address() as AddressInfo).port));
  });
}

/** A port of the loopback that nobody listens at. */
export async function deadPort(): Promise<number> {
  const server = createNetServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

/** What an HTTP server does besides serving every repository below a folder. */
export interface HttpOptions {
  /** Who may fetch; everybody, where it is undefined. */
  login?: { username: string; password: string };
  /** Whether it heeds the protocol version that a client asks for; else it speaks version 0. */
  isModern?: boolean;
  /** Serves files as they are, and knows nothing of git ("dumb" HTTP). */
  isDumb?: boolean;
  /** Answers a request in the place of git, if it returns true. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** Speaks TLS. */
  tls?: { key: string; cert: string };
}

/** A server that listens. */
export interface HttpServer {
  /** Without a slash at its end. */
  url: string;
  /** `host:port` */
  place: string;
  /** Requests as they came: method, path and query. */
  requests: string[];
}

/** Answers a request as a CGI program does (RFC 3875), which git-http-backend is. */
export function serveByBackend(
  root: string,
  isModern: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const { pathname, search } = new URL(request.url!, "http://host");
  const { headers } = request;
  const env: NodeJS.ProcessEnv = {
    ...GIT_ENVIRONMENT,
    GIT_PROJECT_ROOT: root,
    GIT_HTTP_EXPORT_ALL: "1",
    REQUEST_METHOD: request.method,
    PATH_INFO: decodeURIComponent(pathname),
    QUERY_STRING: search.slice(1),
    REMOTE_ADDR: "127.0.0.1",
    CONTENT_TYPE: headers["content-type"],
    CONTENT_LENGTH: headers["content-length"],
    HTTP_CONTENT_ENCODING: headers["content-encoding"],
    GIT_PROTOCOL: isModern ? (headers["git-protocol"] as string | undefined) : undefined,
  };
  const backend = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
  request.pipe(backend.stdin.on("error", () => undefined));
  response.once("close", () => backend.kill());
  let head = Buffer.alloc(0);
  const readHead = (piece: Buffer): void => {
    head = Buffer.concat([head, piece]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    backend.stdout.off("data", readHead);
    for (const line of head.toString("latin1", 0, end).split("\r\n")) {
      const [name, value] = line.split(/: */, 2) as [string, string];
      if (name === "Status") response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.write(head.subarray(end + 4));
    backend.stdout.pipe(response);
  };
  backend.stdout.on("data", readHead);
}

/** Serves the files below a folder as they are. */
function serveFiles(root: string, request: IncomingMessage, response: ServerResponse): void {
  const path = join(root, decodeURIComponent(new URL(request.url!, "http://host").pathname));
  if (existsSync(path)) return void response.end(readFileSync(path));
  response.statusCode = 404;
  response.end();
}

/** Serves the repositories below `root` by HTTP, until the test ends. */
export async function startHttpServer(
  t: TestContext,
  root: string,
  options: HttpOptions = {},
): Promise<HttpServer> {
  const { login, isModern = true, isDumb = false, intercept, tls } = options;
  const requests: string[] = [];
  const expected = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  const onRequest: RequestListener = (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    if (expected !== undefined && request.headers.authorization !== expected) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="git"' });
      response.end();
    } else if (intercept?.(request, response)) return;
    else if (isDumb) serveFiles(root, request, response);
    else serveByBackend(root, isModern, request, response);
  };
  const server = tls === undefined ? createHttpServer(onRequest) : createHttpsServer(tls, onRequest);
  const place = `127.0.0.1:${await listen(t, server)}`;
  return { url: `http${tls === undefined ? "" : "s"}://${place}`, place, requests };
}

/** A key and a certificate for 127.0.0.1 that nobody has signed, or undefined where there is no openssl. */
export function createCertificate(
  folder: string,
): { key: string; cert: string; certPath: string } | undefined {
  const [keyPath, certPath] = [join(folder, "tls.key"), join(folder, "tls.crt")];
  const args = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"];
  args.push("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", keyPath, "-out", certPath);
  try {
    execFileSync("openssl", args, { stdio: "pipe" });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
  return { key: readFileSync(keyPath, "utf8"), cert: readFileSync(certPath, "utf8"), certPath };
}

/** Hands every connection to a program of its own, as inetd does. */
async function startInetd(t: TestContext, start: () => ChildProcessWithoutNullStreams): Promise<number> {
  const programs = new Set<ChildProcessWithoutNullStreams>();
  const server = createNetServer((socket: Socket) => {
    const program = start();
    programs.add(program);
    program.once("close", () => {
      programs.delete(program);
      socket.destroy();
    });
    socket.on("error", () => undefined).pipe(program.stdin.on("error", () => undefined));
    program.stdout.pipe(socket);
    program.stderr.resume();
  });
  t.after(() => {
    for (const program of programs) program.kill();
  });
  return listen(t, server);
}

/** Serves the repositories below `root` by git's own protocol. @returns `git://host:port` */
export async function startGitDaemon(t: TestContext, root: string): Promise<string> {
  const args = ["daemon", "--inetd", "--export-all", "--informative-errors", `--base-path=${root}`, root];
  const port = await startInetd(t, () => spawn("git", args, { env: GIT_ENVIRONMENT }));
  return `git://127.0.0.1:${port}`;
}

/** An ssh server, and how to reach it. */
export interface SshServer {
  user: string;
  port: number;
  /** A configuration of ssh's in which the server is `git-server`, its key known and the user's key named. */
  config: string;
  /** The same, by the wrong key; and without knowing the server's. */
  configOfStranger: string;
  configOfNewcomer: string;
}

const SSHD = "/usr/sbin/sshd";

function findNoSsh(): string | undefined {
  if (!existsSync(SSHD)) return `${SSHD} is not installed`;
  const { shell } = userInfo();
  if (shell === null || /(?:nologin|false)$/.test(shell)) return `this user's shell is ${shell}`;
  if (process.getuid?.() !== 0) return undefined;
  try {
    // Of root's servers only: what they drop their privileges into.
    mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
    return undefined;
  } catch {
    return "/run/sshd cannot be made";
  }
}

/** Why no ssh server can be started here, or undefined. */
export function whyNoSsh(): string | undefined {
  return unlessRequired("ssh", findNoSsh());
}

/** Starts an ssh server for the user of this process, with keys made for this test. */
export async function startSshServer(t: TestContext, folder: string): Promise<SshServer> {
  const ssh = join(folder, "ssh");
  mkdirSync(ssh, { mode: 0o700 });
  for (const name of ["host", "user", "stranger"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(ssh, name)]);
  writeFileSync(join(ssh, "authorized"), readFileSync(join(ssh, "user.pub")), { mode: 0o600 });
  const sshdConfig = [
    `HostKey ${join(ssh, "host")}`,
    `AuthorizedKeysFile ${join(ssh, "authorized")}`,
    // What folders of tests lie in may be writable for others.
    "StrictModes no",
    // Only PAM can tell a server that is not root's whether an account is locked; root's servers do without.
    `UsePAM ${process.getuid?.() === 0 ? "no" : "yes"}`,
    "PermitRootLogin yes",
    "PasswordAuthentication no",
    "KbdInteractiveAuthentication no",
    "AcceptEnv GIT_PROTOCOL",
    "PidFile none",
    // The quickest there is.
    "KexAlgorithms curve25519-sha256",
    "UseDNS no",
    "LogLevel QUIET",
    "",
  ];
  writeFileSync(join(ssh, "sshd_config"), sshdConfig.join("\n"));
  const args = ["-i", "-e", "-f", join(ssh, "sshd_config")];
  const port = await startInetd(t, () => spawn(SSHD, args, { env: { PATH: process.env.PATH } }));
  const { username: user } = userInfo();
  const [type, key] = readFileSync(join(ssh, "host.pub"), "utf8").split(" ");
  writeFileSync(join(ssh, "known"), `[127.0.0.1]:${port} ${type} ${key}\n`);
  const configFor = (name: string, identity: string, known: string): string => {
    const lines = [
      "Host git-server",
      "  HostName 127.0.0.1",
      `  Port ${port}`,
      `  User ${user}`,
      "Host *",
      `  IdentityFile ${join(ssh, identity)}`,
      "  IdentitiesOnly yes",
      "  IdentityAgent none",
      `  UserKnownHostsFile ${join(ssh, known)}`,
      "  GlobalKnownHostsFile /dev/null",
      "  StrictHostKeyChecking yes",
      "",
    ];
    writeFileSync(join(ssh, name), lines.join("\n"));
    return join(ssh, name);
  };
  chmodSync(join(ssh, "host"), 0o600);
  return {
    user,
    port,
    config: configFor("config", "user", "known"),
    configOfStranger: configFor("config-stranger", "stranger", "known"),
    configOfNewcomer: configFor("config-newcomer", "user", "nobody"),
  };
}

/** The ssh command with a configuration, for `GIT_SSH_COMMAND`. */
export function sshCommand(config: string): string {
  return `ssh -F '${resolve(config)}'`;
}
