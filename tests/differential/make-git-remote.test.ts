/** Images of repositories behind real servers: the bytes that a clone gives, by every protocol and form of address. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type MakeOptions, type MakeProgress, make } from "../../src/make/index.js";
import { makeAndCheck } from "../support/checked-image.js";
import { commitAll, git } from "../support/git.js";
import {
  clientEnvironment,
  createCertificate,
  sshCommand,
  startGitDaemon,
  startHttpServer,
  startSshServer,
  useEnvironment,
  whyNoSsh,
} from "../support/git-servers.js";
import { temporaryFolder } from "../support/temporary.js";

/** A bare repository `served/site.git` with history, branches and tags, and the image of its clone. */
async function createServed(t: TestContext) {
  const work = temporaryFolder(t);
  useEnvironment(t, clientEnvironment(work));
  const source = join(work, "source");
  mkdirSync(join(source, "docs", "deep"), { recursive: true });
  git(source, "init", "-q", "-b", "main");
  const lines = Array.from({ length: 400 }, (_, line) => `line ${line} of a text\n`);
  for (let file = 0; file < 20; file++)
    writeFileSync(join(source, "docs", `${file}.txt`), lines.slice(file, 300 + file).join(""));
  writeFileSync(join(source, "docs", "deep", "page"), "a page\n");
  const first = commitAll(source, "first");
  for (let round = 0; round < 4; round++) {
    writeFileSync(join(source, "docs", "0.txt"), lines.slice(round, 200 + round).join(""));
    commitAll(source, `round ${round}`);
  }
  const middle = git(source, "rev-parse", "HEAD~1");
  symlinkSync("docs/0.txt", join(source, "link"));
  const head = commitAll(source, "last");
  git(source, "branch", "old", first);
  git(source, "tag", "light", first);
  git(source, "tag", "-a", "-m", "annotated", "v1", head);
  // A name that is both a branch and a tag: the tag counts.
  git(source, "branch", "both", head);
  git(source, "tag", "both", first);
  git(source, "tag", "-a", "-m", "of a tree", "tree-tag", "HEAD^{tree}");
  const served = join(work, "served");
  mkdirSync(served);
  git(served, "clone", "-q", "--bare", source, "site.git");
  const { bytes } = await makeAndCheck(source, work);
  const image = join(work, "out", "image");
  mkdirSync(join(work, "out"));
  const makeFrom = async (address: string, options: MakeOptions = {}) => {
    const summary = await make(address, image, options);
    assert.deepEqual(readdirSync(join(work, "out")), ["image"], address);
    return { summary, bytes: readFileSync(image) };
  };
  return {
    work,
    source,
    served,
    site: join(served, "site.git"),
    first,
    middle,
    head,
    expected: bytes,
    makeFrom,
  };
}

const REVISIONS = (first: string, middle: string, head: string): [string | undefined, string][] => [
  [undefined, head],
  ["HEAD", head],
  ["@", head],
  ["main", head],
  ["heads/main", head],
  ["refs/heads/old", first],
  ["light", first],
  ["v1", head],
  ["refs/tags/v1", head],
  ["both", first],
  ["refs/heads/both", head],
  [first, first],
  [middle, middle],
  [middle.toUpperCase(), middle],
];

for (const isModern of [true, false]) {
  test(`smart HTTP, protocol version ${isModern ? 2 : 0}: every form of a revision`, async (t) => {
    const { served, site, first, middle, head, expected, makeFrom } = await createServed(t);
    const { url, requests } = await startHttpServer(t, served, { isModern });
    const notices: string[] = [];
    const onNotice = (text: string): void => void notices.push(text);
    for (const [ref, commit] of REVISIONS(first, middle, head)) {
      notices.length = 0;
      const { summary, bytes } = await makeFrom(`${url}/site.git`, { ref, onNotice });
      assert.equal(summary.commit, commit, ref);
      assert.equal(summary.sourceCommit, commit);
      assert.equal(summary.sourceKind, "git");
      if (commit === head) assert.ok(bytes.equals(expected), `${ref}: other bytes than from a clone`);
      // Ids that no ref has are not handed out by version 0, unless the server was told so.
      const isFarId = commit === middle && !isModern;
      assert.deepEqual(
        notices,
        isFarId
          ? [
              `${url}/site.git does not hand out commits by their ids: all branches and tags are fetched, with their history`,
            ]
          : [],
        `${ref}`,
      );
    }
    git(site, "config", "uploadpack.allowReachableSHA1InWant", "true");
    requests.length = 0;
    notices.length = 0;
    await makeFrom(`${url}/site.git`, { ref: middle, onNotice });
    assert.deepEqual(notices, []);
    assert.ok(requests.some((request) => /^POST .*git-upload-pack$/.test(request)));
  });
}

test("one commit is fetched, and nothing else", async (t) => {
  const { served, source, first, makeFrom } = await createServed(t);
  const { url } = await startHttpServer(t, served);
  const steps: MakeProgress[] = [];
  await makeFrom(`${url}/site.git`, { ref: "old", onProgress: (step) => void steps.push(step) });
  const objectCount = git(source, "rev-list", "--objects", "--no-walk", first).split("\n").length;
  assert.deepEqual([...new Set(steps.map(({ phase }) => phase))], ["fetch", "scan", "pack"]);
  for (const phase of ["fetch", "pack"]) {
    const own = steps.filter((step) => step.phase === phase);
    const step = phase === "fetch" ? 1 : 3;
    assert.deepEqual(own.at(-1), { phase, done: objectCount, total: objectCount, step, steps: 3 });
    for (const [index, { done, total }] of own.entries()) {
      assert.equal(total, objectCount);
      assert.ok(done >= (own[index - 1]?.done ?? 0) && done <= objectCount);
    }
  }
});

test("a login in the address reaches the server it is for, and no other", async (t) => {
  const { work, served, expected, makeFrom } = await createServed(t);
  const login = { username: "me@example.org", password: "p:a/s s@'\"$wörd%" };
  const { place, url } = await startHttpServer(t, served, { login });
  const userinfo = [login.username, login.password].map(encodeURIComponent).join(":");
  const { bytes } = await makeFrom(`http://${userinfo}@${place}/site.git`);
  assert.ok(bytes.equals(expected));

  // A user's own helper is asked where the address has no password, and told the name that it has.
  const helper = join(work, "helper");
  const script = ["#!/bin/sh", `cat > "${work}/asked-$1"`, 'test "$1" = get || exit 0'];
  script.push(`echo "username=${login.username}"`, "cat <<'END'", `password=${login.password}`, "END", "");
  writeFileSync(helper, script.join("\n"), { mode: 0o755 });
  writeFileSync(join(work, "gitconfig"), `[credential]\n\thelper = ${helper}\n`);
  process.env.GIT_CONFIG_GLOBAL = join(work, "gitconfig");
  assert.ok(
    (await makeFrom(`http://${encodeURIComponent(login.username)}@${place}/site.git`)).bytes.equals(expected),
  );
  assert.match(readFileSync(join(work, "asked-get"), "utf8"), /^username=me@example\.org$/m);

  // Another server, to which the first one leads, gets nothing of the login.
  const asked: (string | undefined)[] = [];
  const other = await startHttpServer(t, served, {
    intercept: (request, response) => {
      asked.push(request.headers.authorization);
      response.writeHead(401, { "www-authenticate": 'Basic realm="other"' }).end();
      return true;
    },
  });
  const leading = await startHttpServer(t, served, {
    intercept: (request, response) => {
      response.writeHead(302, { location: `${other.url}${request.url}` }).end();
      return true;
    },
  });
  process.env.GIT_CONFIG_GLOBAL = "/dev/null";
  await assert.rejects(makeFrom(`http://${userinfo}@${leading.place}/site.git`), { code: "AccessDenied" });
  assert.ok(asked.length > 0);
  assert.ok(asked.every((authorization) => authorization === undefined));
  assert.ok(url.includes(place));
});

test("HTTPS, with a certificate that git was told to trust", async (t) => {
  const { work, served, expected, makeFrom } = await createServed(t);
  const tls = createCertificate(work);
  if (tls === undefined) return t.skip("there is no openssl");
  const { url } = await startHttpServer(t, served, { tls });
  await assert.rejects(makeFrom(`${url}/site.git`), {
    code: "Network",
    message: /^no trusted connection to 127/,
  });
  process.env.GIT_SSL_CAINFO = tls.certPath;
  assert.ok((await makeFrom(`HTTPS${url.slice("https".length)}/site.git`)).bytes.equals(expected));
});

test("a mere file server: the history comes, too, and is said to", async (t) => {
  const { served, site, first, expected, makeFrom } = await createServed(t);
  git(site, "update-server-info");
  const { url } = await startHttpServer(t, served, { isDumb: true });
  const notices: string[] = [];
  const onNotice = (text: string): void => void notices.push(text);
  assert.ok((await makeFrom(`${url}/site.git`, { onNotice })).bytes.equals(expected));
  assert.deepEqual(notices, [`${url}/site.git cannot leave out history: all of it is fetched`]);
  assert.equal((await makeFrom(`${url}/site.git`, { ref: first })).summary.commit, first);
});

test("git daemon", async (t) => {
  const { served, first, middle, head, expected, makeFrom } = await createServed(t);
  const url = await startGitDaemon(t, served);
  assert.ok((await makeFrom(`${url}/site.git`)).bytes.equals(expected));
  for (const [ref, commit] of [
    ["old", first],
    ["v1", head],
    [middle, middle],
  ])
    assert.equal((await makeFrom(`${url}/site.git`, { ref })).summary.commit, commit);
});

test("ssh, by every form of address, under its user's configuration", {
  skip: whyNoSsh() ?? false,
}, async (t) => {
  const { work, site, first, middle, head, expected, makeFrom } = await createServed(t);
  const { user, port, config } = await startSshServer(t, work);
  process.env.GIT_SSH_COMMAND = sshCommand(config);
  const commits: [string, string | undefined, string][] = [
    [`ssh://${user}@127.0.0.1:${port}${site}`, undefined, head],
    [`git-server:${site}`, "old", first],
    [`[${user}@127.0.0.1:${port}]:${site}`, middle, middle],
  ];
  for (const [address, ref, commit] of commits) {
    const { summary, bytes } = await makeFrom(address, { ref });
    assert.equal(summary.commit, commit, address);
    if (commit === head) assert.ok(bytes.equals(expected));
  }
});

test("settings of the user's that lead elsewhere are followed, hooks and packing are not", async (t) => {
  const { work, served, expected, makeFrom } = await createServed(t);
  const { url } = await startHttpServer(t, served);
  mkdirSync(join(work, "hooks"));
  for (const hook of ["reference-transaction", "post-checkout", "pre-auto-gc"])
    writeFileSync(join(work, "hooks", hook), `#!/bin/sh\ntouch '${work}/was-run'\n`, { mode: 0o755 });
  const config = [
    `[url "${url}/"]\n\tinsteadOf = https://example.invalid/`,
    `[core]\n\thooksPath = ${join(work, "hooks")}\n\tcompression = 0`,
    "[fetch]\n\tpruneTags = true\n\tprune = true\n\trecurseSubmodules = true\n\tfsckObjects = true",
    "[pack]\n\twindow = 0\n\tindexVersion = 1",
    "[submodule]\n\trecurse = true",
    "",
  ];
  writeFileSync(join(work, "gitconfig"), config.join("\n"));
  process.env.GIT_CONFIG_GLOBAL = join(work, "gitconfig");
  Object.assign(process.env, {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "pack.depth",
    GIT_CONFIG_VALUE_0: "1",
  });
  assert.ok((await makeFrom("https://example.invalid/site.git")).bytes.equals(expected));
  assert.deepEqual(
    readdirSync(work).filter((name) => name === "was-run"),
    [],
  );
  process.env.GIT_ALLOW_PROTOCOL = "https:ssh";
  await assert.rejects(makeFrom(`${url}/site.git`), {
    code: "Io",
    message: /the protocol http is forbidden$/,
  });
});

test("a part of a remote commit", async (t) => {
  const { work, source, served, head, first } = await createServed(t);
  const { url } = await startHttpServer(t, served);
  const { summary, repository, bytes } = await makeAndCheck(`${url}/site.git`, work, {
    subdir: "docs/deep",
    date: undefined,
  });
  assert.equal(summary.sourceCommit, head);
  assert.equal(git(repository, "ls-tree", "-r", "--name-only", "image"), "page");
  const local = await makeAndCheck(source, work, { subdir: "/docs//deep/" });
  assert.ok(local.bytes.equals(bytes));
  const old = await makeAndCheck(`${url}/site.git`, work, { subdir: "docs", ref: first });
  assert.equal(old.summary.tree, git(source, "rev-parse", `${first}:docs`));
});
