/** NBD servers on this machine: nbdkit, qemu-nbd and the reference implementation, nbd-server. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deadPort } from "./git-servers.js";
import { unlessRequired } from "./required.js";
import { type Ending, findProgram, startServer, waitForServer, whyNoPrograms } from "./servers.js";

/** Why there are no NBD servers here, or undefined. */
export function whyNoNbd(): string | undefined {
  return unlessRequired("nbd", whyNoPrograms("nbdkit", "qemu-nbd", "nbd-server", "openssl"));
}

/** Starts nbdkit over a file, on a port. @param args filters, plugin and options @returns the port */
export async function startNbdkit(t: Ending, args: readonly string[]): Promise<number> {
  const port = await deadPort();
  await startServer(t, port, "nbdkit", [
    "-f",
    "--exit-with-parent",
    "-i",
    "127.0.0.1",
    "-p",
    String(port),
    ...args,
  ]);
  return port;
}

/** Starts qemu-nbd over a raw file, on a Unix domain socket. @returns the socket's path */
export async function startQemuNbd(t: Ending, folder: string, file: string, name: string): Promise<string> {
  const socket = join(folder, "qemu.sock");
  const args = ["--persistent", "--shared=8", "--read-only", "-f", "raw", "-x", name, "-k", socket, file];
  await startServer(t, socket, "qemu-nbd", args);
  return socket;
}

/** Starts nbd-server with one export. @returns the port */
export async function startNbdServer(t: Ending, folder: string, file: string, name: string): Promise<number> {
  const port = await deadPort();
  const [config, pidFile] = [join(folder, "nbd.conf"), join(folder, "nbd.pid")];
  writeFileSync(
    config,
    `[generic]\nport = ${port}\nlistenaddr = 127.0.0.1\n[${name}]\nexportname = ${file}\nreadonly = true\n`,
  );
  // In the foreground it serves one connection alone.
  execFileSync(findProgram("nbd-server")!, ["-C", config, "-p", pidFile], { stdio: "ignore" });
  await waitForServer(port, () => undefined);
  // The folder may go before this hook runs.
  const pid = Number(readFileSync(pidFile, "utf8"));
  t.after(() => {
    process.kill(pid, "SIGKILL");
  });
  return port;
}

/** Certificates, in the folder that nbdkit's and libnbd's option for them names. */
export interface Certificates {
  /** `ca-cert.pem`, `server-cert.pem` and -key, `client-cert.pem` and -key. */
  folder: string;
}

/** Makes an authority, and certificates of it for a server called `localhost`, and for a client. */
export function makeCertificates(parent: string): Certificates {
  const folder = join(parent, "pki");
  mkdirSync(folder);
  const openssl = (args: string): void => {
    execFileSync("openssl", args.split(" "), { cwd: folder, stdio: "ignore" });
  };
  const newKey = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  openssl(`req -x509 ${newKey} -keyout ca-key.pem -out ca-cert.pem -subj /CN=Authority -days 2`);
  for (const [name, cn] of [
    ["server", "localhost"],
    ["client", "reader"],
  ]) {
    openssl(`req ${newKey} -keyout ${name}-key.pem -out ${name}.csr -subj /CN=${cn}`);
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=DNS:${cn}\n`);
    const extensions = `-extfile ${name}.ext`;
    openssl(
      `x509 -req -in ${name}.csr -CA ca-cert.pem -CAkey ca-key.pem -CAcreateserial -days 2 -out ${name}-cert.pem ${extensions}`,
    );
  }
  return { folder };
}
