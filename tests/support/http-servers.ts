/** HTTP servers as sites run them, each over a folder, on the loopback, until a test process ends. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { unlessRequired } from "./required.js";

/** How a server is started. */
interface Kind {
  /** Where systems put it. */
  places: readonly string[];
  /** The name of its settings' file. */
  file: string;
  settings(port: number, folder: string, data: string): string;
  args(file: string, folder: string): string[];
}

const isRoot = process.getuid?.() === 0;

/** Each has compression on, which is not to reach ranges. */
export const HTTP_SERVERS: Record<string, Kind> = {
  nginx: {
    places: ["/usr/sbin/nginx"],
    file: "nginx.conf",
    settings: (port, folder, data) => `
      daemon off; master_process off; pid ${folder}/pid; error_log stderr;
      events {}
      http {
        access_log off; gzip on; gzip_types *; gzip_min_length 1; default_type application/octet-stream;
        client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3;
        uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5;
        server { listen 127.0.0.1:${port}; root ${data}; }
      }`,
    args: (file, folder) => ["-e", "stderr", "-p", folder, "-c", file],
  },
  apache2: {
    places: ["/usr/sbin/apache2", "/usr/sbin/httpd"],
    file: "apache.conf",
    settings: (port, folder, data) => `
      LoadModule mpm_event_module ${modules()}/mod_mpm_event.so
      LoadModule authz_core_module ${modules()}/mod_authz_core.so
      LoadModule filter_module ${modules()}/mod_filter.so
      LoadModule deflate_module ${modules()}/mod_deflate.so
      Listen 127.0.0.1:${port}
      ServerName localhost
      PidFile ${folder}/pid
      ErrorLog ${folder}/error.log
      Mutex file:${folder} default
      DocumentRoot ${data}
      SetOutputFilter DEFLATE
      ${isRoot ? "User www-data\nGroup www-data" : ""}
      <Directory ${data}>
        Require all granted
      </Directory>`,
    args: (file, folder) => ["-d", folder, "-f", file, "-DFOREGROUND"],
  },
  caddy: {
    places: ["/usr/bin/caddy"],
    file: "Caddyfile",
    settings: (port, _, data) =>
      `{\n admin off\n auto_https off\n}\nhttp://127.0.0.1:${port} {\n root * ${data}\n encode gzip\n file_server\n}\n`,
    args: (file) => ["run", "--config", file, "--adapter", "caddyfile"],
  },
};

function modules(): string {
  return (
    ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules"].find((place) => existsSync(place)) ?? "modules"
  );
}

function programOf(name: string): string | undefined {
  return HTTP_SERVERS[name]!.places.find((place) => existsSync(place));
}

/** Why a server cannot be started here, or undefined. */
export function whyNoServer(name: string): string | undefined {
  return unlessRequired("http", programOf(name) === undefined ? `${name} is not installed` : undefined);
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function answers(url: string, child: ChildProcess): Promise<boolean> {
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const response = await fetch(url).catch(() => undefined);
    if (response !== undefined) return true;
    await pause(50);
  }
  return false;
}

/** A server that runs. */
export interface RunningServer {
  /** Without a slash at its end. */
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts a server.
 * @param folder absolute, empty, and readable by everybody: the server's own files
 * @param data what it serves, readable by everybody
 */
export async function startHttpServer(name: string, folder: string, data: string): Promise<RunningServer> {
  const kind = HTTP_SERVERS[name]!;
  let said = "";
  // Another program may take the port in between.
  for (let tries = 0; tries < 3; tries++) {
    for (const entry of readdirSync(folder)) rmSync(join(folder, entry), { recursive: true });
    mkdirSync(join(folder, "home"));
    const port = await freePort();
    const file = join(folder, kind.file);
    writeFileSync(file, kind.settings(port, folder, data));
    const home = join(folder, "home");
    const env = { ...process.env, HOME: home, XDG_DATA_HOME: home, XDG_CONFIG_HOME: home };
    const child = spawn(programOf(name)!, kind.args(file, folder), {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const ended = new Promise<void>((done) => {
      child.once("close", () => done());
    });
    const stop = async (): Promise<void> => {
      child.kill("SIGTERM");
      await ended;
    };
    const url = `http://127.0.0.1:${port}`;
    if (await answers(url, child)) return { url, stop };
    await stop();
  }
  throw new Error(`${name} does not start: ${said}`);
}
