/** Images in Debian's docker-registry: pushed, read lazily, pulled, and copied by skopeo. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { findDockerCredentials } from "../../src/devices/oci/credentials.js";
import { openOci } from "../../src/devices/oci/source.js";
import { type ImageSource, open } from "../../src/index.js";
import { pull, push } from "../../src/oci/index.js";
import { useEnvironment } from "../support/git-servers.js";
import { dockerConfig, loginOf, putArtifact, startRegistry, whyNoRegistry } from "../support/registries.js";
import { findProgram } from "../support/servers.js";
import { temporaryFolder } from "../support/temporary.js";
import { sourceContract } from "./sources.js";

const skip = whyNoRegistry() ?? false;
const IMAGE = "disk-fixtures/gitdelta.img";
const COMMIT = "commit" as const;
const describe = (title: string, check: (t: TestContext) => Promise<void>): void => {
  test(title, { skip }, check);
};

// One registry for the contract, of which every source has an artifact of its own.
const shared = skip ? undefined : await startRegistry({ after }, temporaryFolder({ after }));
let artifacts = 0;
sourceContract(
  "docker-registry",
  async (bytes) => {
    const url = new URL(`oci://${shared!.place}/contract/image-${++artifacts}`);
    await putArtifact(shared!.place, url.pathname.slice(1), bytes);
    return openOci(url, {}, findDockerCredentials);
  },
  { skip },
);

/** Nobody's credentials. */
function forgetCredentials(t: TestContext): void {
  useEnvironment(t, { DOCKER_CONFIG: temporaryFolder(t) });
}

/** Reads a volume through, against the file. */
async function compare(source: ImageSource, file = IMAGE): Promise<void> {
  await using volume = await open(source, { proof: "oid" });
  await using expected = await open(file);
  assert.equal(volume[COMMIT].oid, expected[COMMIT].oid);
  for await (const { kind, path, oid } of expected.walk("/"))
    if (kind === "file") assert.equal(await volume.digest(path), oid, path);
}

describe("an image goes in, is read by its tag and its digest, and comes out byte for byte", async (t) => {
  forgetCredentials(t);
  const folder = temporaryFolder(t);
  const { place } = await startRegistry(t, folder);
  const url = `oci://${place}/team/site:v1`;
  const pushed = await push(IMAGE, url, { source: "https://example.org/site.git" });
  assert.equal(pushed.uploaded, true);
  assert.equal(pushed.imageBytes, statSync(IMAGE).size);
  assert.equal(pushed.reference, `${url}@${pushed.manifestDigest}`);
  assert.equal((await push(IMAGE, url, { source: "https://example.org/site.git" })).uploaded, false);
  // Another tag of the same bytes is another name of them.
  const other = await push(IMAGE, `oci://${place}/team/site`, { source: "https://example.org/site.git" });
  assert.equal(other.manifestDigest, pushed.manifestDigest);

  // A cache that outlives the process keeps pages by the digest, not by the tag.
  const source = await openOci(new URL(url), {}, findDockerCredentials);
  assert.equal(source.identity, `oci:http://${place}/v2/team/site/blobs/${pushed.imageDigest}`);
  await compare(url);
  await compare(new URL(`oci://${place}/team/site@${pushed.manifestDigest}`));
  await compare(`oci+http://${place}/team/site`);

  const file = join(folder, "out.img");
  const pulled = await pull(url, file);
  assert.deepEqual(readFileSync(file), readFileSync(IMAGE));
  assert.equal(pulled.commit, pushed.commit);
  assert.equal(pulled.manifestDigest, pushed.manifestDigest);
  assert.equal(pulled.resumedBytes, 0);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith(".")),
    [],
  );
});

describe("the artifact is as documented: its types, the empty configuration, annotations", async (t) => {
  forgetCredentials(t);
  const { place } = await startRegistry(t, temporaryFolder(t));
  const { commit, imageDigest, imageBytes, manifestDigest } = await push(IMAGE, `oci://${place}/site`, {
    source: "https://example.org/s",
  });
  const response = await fetch(`http://${place}/v2/site/manifests/latest`, {
    headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
  });
  assert.equal(response.headers.get("docker-content-digest"), manifestDigest);
  const manifest = (await response.json()) as Record<string, unknown>;
  await using volume = await open(IMAGE);
  assert.deepEqual(manifest, {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    artifactType: "application/vnd.docteur.image.v1",
    config: {
      mediaType: "application/vnd.oci.empty.v1+json",
      digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      size: 2,
    },
    layers: [
      {
        mediaType: "application/vnd.docteur.image.v1.disk",
        digest: imageDigest,
        size: imageBytes,
        annotations: { "org.opencontainers.image.title": "gitdelta.img" },
      },
    ],
    annotations: {
      "org.opencontainers.image.created": volume.commit.date!.toISOString().replace(".000", ""),
      "org.opencontainers.image.revision": commit,
      "org.opencontainers.image.source": "https://example.org/s",
    },
  });
});

describe("a large image goes in by chunks", async (t) => {
  forgetCredentials(t);
  const folder = temporaryFolder(t);
  const { place } = await startRegistry(t, folder);
  // Padding behind the IDX is part of an image.
  const large = join(folder, "large.img");
  writeFileSync(large, Buffer.concat([readFileSync(IMAGE), Buffer.alloc(12 << 20)]));
  const seen: number[] = [];
  const url = `oci://${place}/large`;
  await push(large, url, {
    chunkSize: 5 << 20,
    onProgress: ({ phase, done }) => phase === "uploading" && seen.push(done),
  });
  assert.ok(seen.length >= 3, String(seen));
  assert.equal(seen.at(-1), statSync(large).size);
  const out = join(folder, "out.img");
  await pull(url, out);
  assert.ok(readFileSync(out).equals(readFileSync(large)));
});

describe("Basic authentication: from docker's configuration, or a hint to log in", async (t) => {
  const folder = temporaryFolder(t);
  const { place } = await startRegistry(t, folder, "basic");
  const url = `oci://${place}/site`;
  forgetCredentials(t);
  const hint = `docker login ${place}`;
  await assert.rejects(push(IMAGE, url), { code: "AccessDenied", hint });
  await assert.rejects(open(url), { code: "AccessDenied", hint });
  useEnvironment(t, {
    DOCKER_CONFIG: dockerConfig(folder, { auths: { [place]: loginOf("reader", "wrong") } }),
  });
  await assert.rejects(push(IMAGE, url), { code: "AccessDenied", hint, message: /refuses the credentials/ });
  for (const key of [place, `https://${place}`, `http://${place}/v1/`]) {
    dockerConfig(folder, { auths: { [key]: loginOf(), "other.example": loginOf("a", "b") } });
    await push(IMAGE, url);
    await compare(url);
  }
});

describe("tokens: pulling is for everybody, pushing for those who log in", async (t) => {
  const folder = temporaryFolder(t);
  const { place, tokens } = await startRegistry(t, folder, "token");
  const url = `oci://${place}/team/site:v1`;
  forgetCredentials(t);
  await assert.rejects(push(IMAGE, url), { code: "AccessDenied", hint: `docker login ${place}` });
  useEnvironment(t, { DOCKER_CONFIG: dockerConfig(folder, { auths: { [place]: loginOf() } }) });
  await push(IMAGE, url);
  assert.deepEqual(tokens.at(-1), { user: "reader", scope: "repository:team/site:pull,push" });
  forgetCredentials(t);
  const before = tokens.length;
  await compare(url);
  // One token for the manifest and for every range.
  assert.deepEqual(tokens.slice(before), [{ user: undefined, scope: "repository:team/site:pull" }]);
});

describe("credential helpers are run, and asked for the registry", async (t) => {
  const folder = temporaryFolder(t);
  const { place } = await startRegistry(t, folder, "basic");
  const helper = join(folder, "docker-credential-tests");
  const asked = join(folder, "asked");
  const answer = JSON.stringify({ ServerURL: place, Username: "reader", Secret: "pass:wörd" });
  const write = (lines: string): void => {
    writeFileSync(helper, `#!/bin/sh\nread -r place; echo "$1 $place" >>'${asked}'\n${lines}\n`);
    chmodSync(helper, 0o755);
  };
  write(`echo '${answer}'`);
  const PATH = `${folder}${delimiter}${process.env.PATH}`;
  const url = `oci://${place}/site`;
  for (const config of [{ credsStore: "tests" }, { credHelpers: { [place]: "tests" }, credsStore: "none" }]) {
    useEnvironment(t, { PATH, DOCKER_CONFIG: dockerConfig(folder, config) });
    await push(IMAGE, url);
    assert.equal(readFileSync(asked, "utf8"), `get ${place}\n`);
    writeFileSync(asked, "");
  }
  write("echo 'credentials not found in native keychain'; exit 1");
  await assert.rejects(push(IMAGE, url), { code: "AccessDenied" });
  write("echo 'the keychain is locked'; exit 1");
  await assert.rejects(push(IMAGE, url), { code: "Io", message: /the keychain is locked/ });
  write("echo '[]'");
  await assert.rejects(push(IMAGE, url), { code: "Io", message: /no credentials/ });
  dockerConfig(folder, { credsStore: "missing" });
  await assert.rejects(push(IMAGE, url), { code: "Io", message: /docker-credential-missing.*not installed/ });
  dockerConfig(folder, { credsStore: "../tests" });
  await assert.rejects(push(IMAGE, url), { code: "Io", message: /cannot be one/ });
  writeFileSync(join(folder, "docker/config.json"), '{"auths": {"secret": ');
  await assert.rejects(push(IMAGE, url), (error: Error) => !/secret/.test(error.message));
});

describe("skopeo copies an artifact from one registry into another, where it is read", async (t) => {
  forgetCredentials(t);
  const folder = temporaryFolder(t);
  const [from, to] = [await startRegistry(t, folder), await startRegistry(t, folder)];
  const { manifestDigest } = await push(IMAGE, `oci://${from.place}/site:v1`);
  const args = ["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
  execFileSync(
    findProgram("skopeo")!,
    [...args, `docker://${from.place}/site:v1`, `docker://${to.place}/mirror/site:v2`],
    {
      stdio: "pipe",
      env: { ...process.env, HOME: folder },
    },
  );
  await compare(`oci://${to.place}/mirror/site:v2@${manifestDigest}`);
});

describe("what is not there, or not an image, is said so", async (t) => {
  forgetCredentials(t);
  const { place } = await startRegistry(t, temporaryFolder(t));
  await assert.rejects(open(`oci://${place}/nothing`), { code: "Io", message: /404, MANIFEST_UNKNOWN/ });
  await putArtifact(place, "other", Buffer.from("hello"), { mediaType: "text/plain" });
  await assert.rejects(open(`oci://${place}/other`), { code: "Io", message: /not a docteur image/ });
  await assert.rejects(push("package.json", `oci://${place}/site`), { code: "Truncated" });
  await assert.rejects(push("missing.img", `oci://${place}/site`), { code: "Io", message: /no such file/ });
  const digest = `sha256:${"0".repeat(64)}`;
  await assert.rejects(push(IMAGE, `oci://${place}/site@${digest}`), { code: "InvalidArgument" });
});

describe("a pull goes on with what an earlier run has left, and does not trust it", async (t) => {
  forgetCredentials(t);
  const folder = temporaryFolder(t);
  const { place } = await startRegistry(t, folder);
  const large = join(folder, "large.img");
  writeFileSync(large, Buffer.concat([readFileSync(IMAGE), Buffer.alloc(20 << 20, 7)]));
  const url = `oci://${place}/large`;
  const { imageBytes } = await push(large, url);
  const out = join(folder, "out.img");
  const partOf = (): string[] => readdirSync(folder).filter((name) => name.endsWith(".part"));

  const controller = new AbortController();
  const onProgress = ({ done }: { done: number }): void => {
    if (done >= 8 << 20) controller.abort(new Error("enough"));
  };
  await assert.rejects(pull(url, out, { signal: controller.signal, onProgress }), { message: "enough" });
  assert.ok(!existsSync(out));
  const [part] = partOf();
  const length = statSync(join(folder, part!)).size;
  assert.ok(length >= 8 << 20 && length < imageBytes);

  let least = imageBytes;
  const resumed = await pull(url, out, { onProgress: ({ done }) => (least = Math.min(least, done)) });
  assert.equal(resumed.resumedBytes, length);
  assert.ok(least > length);
  assert.ok(readFileSync(out).equals(readFileSync(large)));
  assert.deepEqual(partOf(), []);

  // Other bytes, and too many, of a run that died; and the target keeps its permissions.
  chmodSync(out, 0o640);
  for (const content of [Buffer.alloc(5 << 20, 1), Buffer.alloc(imageBytes + 1)]) {
    writeFileSync(join(folder, part!.replace(/-[0-9]+-/, "-999999999-")), content);
    assert.equal((await pull(url, out)).resumedBytes, 0);
    assert.ok(readFileSync(out).equals(readFileSync(large)));
    assert.deepEqual(partOf(), []);
  }
  assert.equal(statSync(out).mode & 0o777, 0o640);
});
