/** `docteur make` of remote repositories as its users meet it: what goes wrong, and in which words; what leaks. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DocteurError } from "../../src/errors.js";
import { make } from "../../src/make/index.js";
import { EXIT, exitStatus } from "../../tools/cli/exit.js";
import { docteur, type RunResult } from "../support/cli.js";
import { commitAll, git } from "../support/git.js";
import {
  clientEnvironment,
  deadPort,
  type HttpOptions,
  sshCommand,
  startGitDaemon,
  startHttpServer,
  startSshServer,
  useEnvironment,
  whyNoSsh,
} from "../support/git-servers.js";
import { seeded } from "../support/random.js";
import { temporaryFolder } from "../support/temporary.js";

type Environment = Record<string, string | undefined>;

/** A served repository of two commits; a function that makes images of it, and expects nothing to be left beside them. */
function createServed(t: TestContext) {
  const work = temporaryFolder(t);
  const source = join(work, "source");
  mkdirSync(source);
  git(source, "init", "-q", "-b", "main");
  writeFileSync(join(source, "file"), "content\n");
  const first = commitAll(source, "first");
  const random = seeded(8);
  writeFileSync(
    join(source, "noise"),
    Buffer.from(Uint32Array.from({ length: 200_000 }, () => random(2 ** 32)).buffer),
  );
  const head = commitAll(source, "second");
  git(source, "tag", "-a", "-m", "annotated", "v1");
  git(source, "tag", "-a", "-m", "of a tree", "tree-tag", "HEAD^{tree}");
  const served = join(work, "served");
  mkdirSync(served);
  git(served, "clone", "-q", "--bare", source, "site.git");
  const out = join(work, "out");
  mkdirSync(out);
  const env = clientEnvironment(work);
  const run = async (args: string[], more: Environment = {}): Promise<RunResult> => {
    const result = await docteur(["make", ...args, join(out, "image")], { env: { ...env, ...more } });
    assert.deepEqual(readdirSync(out), result.status === 0 ? ["image"] : [], args.join(" "));
    rmSync(join(out, "image"), { force: true });
    return result;
  };
  useEnvironment(t, env);
  /** Expects `make`, with `-b` before the source or without, to fail with these two lines and this exit status. */
  const fail = async (
    args: string[],
    [message, hint]: [string, string | RegExp],
    status: number,
    more: Environment = {},
  ): Promise<void> => {
    const [ref, source] = args.length === 1 ? [undefined, args[0]] : args.slice(1);
    const before = process.env;
    process.env = { ...before, ...more };
    const error: unknown = await make(source!, join(out, "image"), { ref }).catch((cause: unknown) => cause);
    process.env = before;
    assert.ok(error instanceof DocteurError, `${error}`);
    assert.deepEqual([error.message, exitStatus(error.code)], [message, status]);
    if (typeof hint === "string") assert.equal(error.hint, hint);
    else assert.match(error.hint!, hint);
    assert.deepEqual(readdirSync(out), []);
  };
  return { work, source, served, site: join(served, "site.git"), out, env, first, head, run, fail };
}

const NOT_THERE =
  "is the path right? Of a private repository some servers say the same to who is not logged in";

test("HTTP: what is not there", async (t) => {
  const { served, site, first, head, run, fail } = createServed(t);
  const { url } = await startHttpServer(t, served);
  const old = await startHttpServer(t, served, { isModern: false });
  const source = `${url}/site.git`;
  assert.deepEqual(await run([source]), { status: 0, signal: null, stdout: "", stderr: "" });
  const absent = await run([`${url}/absent.git`]);
  const message = `docteur: there is no git repository at ${url}/absent.git\nhint: ${NOT_THERE}\n`;
  assert.deepEqual(absent, { status: EXIT.noRepository, signal: null, stdout: "", stderr: message });
  await fail(
    ["-b", "absent", source],
    [`no branch or tag absent at ${source}`, "it has main, tree-tag, v1"],
    EXIT.noSuchRevision,
  );
  await fail(
    ["-b", "refs/heads/", source],
    [`no branch or tag refs/heads/ at ${source}`, "it has main, tree-tag, v1"],
    EXIT.noSuchRevision,
  );
  await fail(
    ["-b", head.slice(0, 7), source],
    [
      `no branch or tag ${head.slice(0, 7)} at ${source}`,
      "if it is a commit, give its whole id of 40 digits; it has main, tree-tag, v1",
    ],
    EXIT.noSuchRevision,
  );
  const nowhere = "1234567890".repeat(4);
  const takes = "-b takes a branch, a tag, or a commit's id";
  await fail(["-b", nowhere, source], [`${source} has no commit ${nowhere}`, takes], EXIT.noSuchRevision);
  await fail(["-b", "tree-tag", source], ["the tag tree-tag leads to no commit", takes], EXIT.noSuchRevision);
  const blob = git(site, "rev-parse", "HEAD:file");
  await fail(["-b", blob, source], [`${blob} is a blob, not a commit`, takes], EXIT.noSuchRevision);
  for (const ref of ["HEAD~1", "main:file", "v1^{}", "a..b", "main@{1}"])
    await fail(
      ["-b", ref, source],
      [
        `a remote repository cannot be asked for ${JSON.stringify(ref)}`,
        "it knows branches, tags, full refs and whole commit ids; for anything else, clone it first",
      ],
      EXIT.usage,
    );
  await fail(
    ["-b", "--upload-pack=x", source],
    ['not a name of a revision: "--upload-pack=x"', takes],
    EXIT.usage,
  );

  // What a server does not hand out by its id may be in the history.
  const far = await run(["-b", first, `${old.url}/site.git`]);
  const note = `docteur: note: ${old.url}/site.git does not hand out commits by their ids: all branches and tags are fetched, with their history\n`;
  assert.deepEqual(far, { status: 0, signal: null, stdout: "", stderr: note });
  assert.equal((await run(["-q", "-b", first, `${old.url}/site.git`])).stderr, "");
  await fail(
    ["-b", nowhere, `${old.url}/site.git`],
    [`no branch or tag of ${old.url}/site.git leads to ${nowhere}`, takes],
    EXIT.noSuchRevision,
  );
});

test("HTTP: repositories that no image can be made of", async (t) => {
  const { served, site, fail } = createServed(t);
  const { url } = await startHttpServer(t, served);
  git(served, "init", "-q", "--bare", "empty.git");
  await fail(
    [`${url}/empty.git`],
    [`the repository ${url}/empty.git has no commits`, "push something there first"],
    EXIT.emptyRepository,
  );
  git(served, "init", "-q", "--object-format=sha256", "other");
  commitAll(join(served, "other"), "by SHA-256");
  const only = "an image holds SHA-1 ids: only SHA-1 repositories will do";
  for (const args of [[], ["-b", "1234567890".repeat(4)]])
    await fail(
      [...args, `${url}/other/.git`],
      [`${url}/other/.git names its objects by SHA-256`, only],
      EXIT.sha256Repository,
    );
  git(site, "symbolic-ref", "HEAD", "refs/heads/unborn");
  await fail(
    [`${url}/site.git`],
    [`HEAD of ${url}/site.git leads to no commit`, "choose one with -b: it has main, tree-tag, v1"],
    EXIT.noSuchRevision,
  );
});

test("servers that cannot be reached, or go away", async (t) => {
  const { work, served, fail } = createServed(t);
  const dead = `127.0.0.1:${await deadPort()}`;
  const listening = "does a server run there, and is the port right?";
  for (const scheme of ["http", "https", "git"])
    await fail([`${scheme}://${dead}/site.git`], [`${dead} refuses the connection`, listening], EXIT.network);
  const spelling = "is it spelt right, and this machine online?";
  for (const scheme of ["http", "git"])
    await fail([`${scheme}://a..b/site.git`], ["the name a..b cannot be resolved", spelling], EXIT.network);
  await fail(
    ["http://127.0.0.1/site.git"],
    [
      "git is not installed, or not in the PATH",
      "a git source needs the git program; a plain directory needs none",
    ],
    EXIT.noGit,
    { PATH: work },
  );
  const breakOff = (response: ServerResponse): true => {
    response.socket!.destroy();
    return true;
  };
  const cut = (when: RegExp): HttpOptions => ({
    intercept: ({ method, url }, response) => when.test(`${method} ${url}`) && breakOff(response),
  });
  for (const when of [/^GET/, /^POST/]) {
    const { url, place } = await startHttpServer(t, served, cut(when));
    await fail(
      [`${url}/site.git`],
      [`${place} broke the connection off`, /^git says: (fatal|error): .+/],
      EXIT.network,
    );
  }
  // In the midst of the pack.
  const { url, place } = await startHttpServer(t, served, {
    intercept: (_, response) => {
      const write = response.write.bind(response) as (piece: Buffer) => boolean;
      let sentLen = 0;
      response.write = (piece: Buffer) => {
        sentLen += piece.length;
        return sentLen < 200_000 ? write(piece) : breakOff(response);
      };
      return false;
    },
  });
  await fail(
    [`${url}/site.git`],
    [`${place} broke the connection off`, /^git says: (fatal|error): .+/],
    EXIT.network,
  );
  const broken = await startHttpServer(t, served, {
    intercept: (_, response) => {
      response.writeHead(500).end();
      return true;
    },
  });
  await fail(
    [`${broken.url}/site.git`],
    [`git cannot fetch from ${broken.url}/site.git`, /^git says: fatal: .*returned error: 500$/],
    EXIT.io,
  );
});

/** Command lines of all processes, as `ps` shows them. */
function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "latin1");
      } catch {
        return "";
      }
    });
}

test("logins: asked for, refused, taken; and a password appears nowhere", async (t) => {
  const { work, served, out, env, run, fail } = createServed(t);
  // Another run of this test may be under way.
  const login = { username: "me", password: `Pass-${process.pid}-W0rd!` };
  const basic = Buffer.from(`me:${login.password}`).toString("base64");
  const found: string[] = [];
  const look = (): false => {
    if (process.platform === "linux") found.push(...commandLines());
    for (const name of readdirSync(out, { recursive: true, withFileTypes: true }))
      if (name.isFile()) found.push(readFileSync(join(name.parentPath, name.name), "latin1"));
    return false;
  };
  const { place, url } = await startHttpServer(t, served, { login, intercept: look });
  const site = `${url}/site.git`;
  const setUp =
    "set up a credential helper for git (gitcredentials), or give https://user:password@host/path";
  await fail([site], [`${site} asks for a user name and a password`, setUp], EXIT.accessDenied);
  await fail(
    [`http://me@${place}/site.git`],
    [`${site} asks for a user name and a password`, setUp],
    EXIT.accessDenied,
  );
  const token =
    "many servers take a token for a password; or they do not say that there is no such repository";
  await fail(
    [`http://me:wrong@${place}/site.git`],
    [`${site} refuses the user name or the password`, token],
    EXIT.accessDenied,
  );
  const secret = `http://me:${encodeURIComponent(login.password)}@${place}/site.git`;
  const made = await run(["--json", secret]);
  assert.deepEqual([made.status, made.stderr], [0, ""]);
  assert.ok(!made.stdout.includes(login.password));
  const name = `Token-${process.pid}-Name`;
  const { place: anyones } = await startHttpServer(t, served, { intercept: look });
  assert.equal((await run([`http://${name}@${anyones}/site.git`])).status, 0);
  assert.ok(found.some((text) => text.includes("/site.git")));
  for (const text of found)
    for (const form of [login.password, encodeURIComponent(login.password), basic, name])
      assert.ok(!text.includes(form), text.replaceAll("\0", " "));
  assert.ok(!readdirSync(work).includes(".git-credentials"));

  // What a server says is repeated without it, and so is what git says of a path that is not there.
  const rude = await startHttpServer(t, served, {
    intercept: ({ headers }, response) => {
      response.writeHead(headers.authorization === undefined ? 401 : 418, {
        "www-authenticate": 'Basic realm="git"',
        "content-type": "text/plain",
      });
      response.end(`I saw ${headers.authorization} and ${login.password}\n`);
      return true;
    },
  });
  const told = await docteur(["make", secret.replace(place, rude.place), join(out, "image")], { env });
  assert.equal(told.status, 8);
  for (const form of [login.password, basic]) assert.ok(!told.stderr.includes(form), told.stderr);

  const refused = "its host or port cannot be read";
  await fail(
    ["http://me:half/of-it@host/path"],
    [
      `http://…@host/path is no address of a repository: ${refused}`,
      'in a user name or password, "/" is written %2F, "?" %3F and "#" %23',
    ],
    EXIT.usage,
  );
  await fail(
    ["ssh://me:secret@host/path"],
    [
      "ssh://…@host/path is no address of a repository: ssh takes no password",
      "use a key, with ssh-agent, or let ssh ask for the password",
    ],
    EXIT.usage,
  );
});

test("a forbidden repository", async (t) => {
  const { served, fail } = createServed(t);
  const { url } = await startHttpServer(t, served, {
    intercept: (_, response) => {
      response.writeHead(403).end();
      return true;
    },
  });
  await fail(
    [`${url}/site.git`],
    [`${url}/site.git is forbidden to this user`, /^git says: fatal: .*403$/],
    EXIT.accessDenied,
  );
});

test("git daemon: what is not there", async (t) => {
  const { served, fail } = createServed(t);
  const url = await startGitDaemon(t, served);
  await fail(
    [`${url}/absent.git`],
    [`there is no git repository at ${url}/absent.git`, NOT_THERE],
    EXIT.noRepository,
  );
  await fail(
    ["-b", "absent", `${url}/site.git`],
    [`no branch or tag absent at ${url}/site.git`, "it has main, tree-tag, v1"],
    EXIT.noSuchRevision,
  );
});

test("ssh: keys that do not fit, paths that are not there", { skip: whyNoSsh() ?? false }, async (t) => {
  const { work, site, fail } = createServed(t);
  const { config, configOfNewcomer, configOfStranger } = await startSshServer(t, work);
  const source = `git-server:${site}`;
  await fail(
    [source],
    [
      "git-server does not let this user in by ssh (it takes: publickey)",
      "is the right key known to ssh (ssh-add -l), and the user in the address right?",
    ],
    EXIT.accessDenied,
    { GIT_SSH_COMMAND: sshCommand(configOfStranger) },
  );
  await fail(
    [source],
    [
      "ssh does not trust git-server: its key is unknown, or has changed",
      "make sure of the key and connect with ssh once; it is kept in ~/.ssh/known_hosts then",
    ],
    EXIT.network,
    { GIT_SSH_COMMAND: sshCommand(configOfNewcomer) },
  );
  await fail([`${source}x`], [`there is no git repository at ${source}x`, NOT_THERE], EXIT.noRepository, {
    GIT_SSH_COMMAND: sshCommand(config),
  });
  const dead = await deadPort();
  await fail(
    [`[127.0.0.1:${dead}]:x`],
    [`127.0.0.1:${dead} refuses the connection`, "does a server run there, and is the port right?"],
    EXIT.network,
  );
  await fail(
    [source],
    [
      "ssh is not installed, or not in the PATH",
      "addresses of ssh need its program, the https:// address of the same repository does not",
    ],
    EXIT.io,
    { GIT_SSH: join(work, "ssh-absent") },
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`${signal} ends a fetch, git's children with it, and leaves nothing`, async (t) => {
    const { served, out, env } = createServed(t);
    let onHang: () => void = () => undefined;
    const closed: Promise<void>[] = [];
    const { url } = await startHttpServer(t, served, {
      intercept: (request, response) => {
        if (request.method !== "POST") return false;
        // What fetches hangs here, until its process ends.
        closed.push(new Promise((done) => response.once("close", done)));
        onHang();
        return true;
      },
    });
    const result = await docteur(["make", `${url}/site.git`, join(out, "image")], {
      env,
      onStart: (child) => {
        onHang = () => {
          assert.equal(readdirSync(out).length, 2);
          child.kill(signal);
        };
      },
    });
    assert.equal(result.signal, signal, result.stderr);
    assert.equal(result.stderr, "");
    assert.deepEqual(readdirSync(out), []);
    assert.equal(closed.length, 1);
    await closed[0];
  });
