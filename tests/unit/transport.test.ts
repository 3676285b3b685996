/** Runs of git that talk to other machines: what ends them, and how long they wait. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { scratchEnvironment, withSpeedLimit } from "../../src/git-program/process.js";
import { memoryMost, runTransport } from "../../src/git-program/transport.js";
import { createWorkspace } from "../../src/git-program/workspace.js";
import { git } from "../support/git.js";
import { clientEnvironment, startHttpServer } from "../support/git-servers.js";
import { FLUSH, lying, pkt, sendAll } from "../support/lying-server.js";
import { processesLeft, processesWith } from "../support/processes.js";
import { temporaryFolder } from "../support/temporary.js";

const HEAD = "1234567890".repeat(4);
const isLinux = process.platform === "linux";

/** A port of git's own protocol that takes connections, and says nothing. @returns its URL, and waits for a connection */
async function startSilence(t: TestContext): Promise<{ url: string; connected: Promise<unknown> }> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
  });
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return { url: `git://127.0.0.1:${port}/site.git`, connected: once(server, "connection") };
}

test("SIGKILL of make ends what fetches for it", {
  skip: !isLinux && "only Linux lists processes",
}, async (t) => {
  const work = temporaryFolder(t);
  const { url, connected } = await startSilence(t);
  const marker = `docteur-test-${process.pid}-killed`;
  const program = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));
  const env = { ...process.env, ...clientEnvironment(work), DOCTEUR_TEST_MARKER: marker };
  const make = spawn(process.execPath, [program, "make", url, join(work, "image")], { env, stdio: "ignore" });
  await connected;
  assert.ok(processesWith(marker).length >= 2, "make and its git");
  const closed = once(make, "close");
  make.kill("SIGKILL");
  await closed;
  assert.deepEqual(await processesLeft(marker), []);
});

test("git may not fill the memory with a list of refs", {
  skip: !isLinux && "only Linux tells",
}, async (t) => {
  const work = temporaryFolder(t);
  // Version 0 of the protocol, in which git keeps all that it is told.
  const hello = Buffer.concat([pkt("# service=git-upload-pack\n"), FLUSH, pkt(`${HEAD} HEAD\0agent=x\n`)]);
  const refs = Buffer.concat(
    Array.from({ length: 1000 }, (_, at) => pkt(`${HEAD} refs/heads/${"x".repeat(200)}${at}\n`)),
  );
  const { url } = await startHttpServer(
    t,
    work,
    lying(HEAD, {
      hello: (response) => {
        response.write(hello);
        // More than enough; where nothing stops it, it ends.
        void sendAll(response, Array<Buffer>(1500).fill(refs));
      },
    }),
  );
  const { env } = await createWorkspace(work);
  const args = ["ls-remote", "--quiet", "--", `${url}/site.git`];
  await assert.rejects(runTransport({ args, env, signal: undefined, memoryMax: 64 << 20 }), {
    name: "DocteurError",
    code: "Io",
    message: "git takes more than 67108864 bytes of memory to fetch",
    hint: /refs without end/,
  });
  assert.ok(memoryMost() > 0 && memoryMost() <= 2 ** 32);
});

test("HTTP servers that send nothing: git's own settings, by default and as the user has them", async (t) => {
  const work = temporaryFolder(t);
  git(work, "init", "-q", "--bare", "site.git");
  const env = { ...scratchEnvironment(join(work, "site.git")), GIT_CONFIG_GLOBAL: join(work, "config") };
  const added = async (more: NodeJS.ProcessEnv = {}): Promise<Record<string, string | undefined>> => {
    const { GIT_CONFIG_COUNT: count = "0", ...all } = await withSpeedLimit(
      { ...env, ...more },
      [],
      undefined,
    );
    const settings: Record<string, string | undefined> = {};
    for (let at = 0; at < Number(count); at++)
      settings[all[`GIT_CONFIG_KEY_${at}`]!] = all[`GIT_CONFIG_VALUE_${at}`];
    return settings;
  };
  assert.deepEqual(await added(), { "http.lowSpeedLimit": "1", "http.lowSpeedTime": "300" });
  assert.deepEqual(await added({ GIT_HTTP_LOW_SPEED_LIMIT: "0" }), {});
  assert.deepEqual(await added({ GIT_HTTP_LOW_SPEED_TIME: "5" }), {});
  for (const key of ["http.lowSpeedLimit", "http.https://example.org.lowSpeedTime"]) {
    git(work, "config", "--file", join(work, "config"), key, "0");
    assert.deepEqual(await added(), {}, key);
    git(work, "config", "--file", join(work, "config"), "--unset", key);
  }
});
