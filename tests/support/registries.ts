/** OCI registries on this machine: Debian's docker-registry, open, with a list of users, or behind a token server. */
import { execFileSync } from "node:child_process";
import { createPrivateKey, createPublicKey, createSign, X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { ARTIFACT_TYPE, LAYER_TYPE, MANIFEST_TYPE } from "../../src/devices/oci/artifact.js";
import { digestOf } from "../../src/devices/oci/source.js";
import { deadPort } from "./git-servers.js";
import { unlessRequired } from "./required.js";
import { type Ending, findProgram, startServer, whyNoPrograms } from "./servers.js";

/** Why there are no registries here, or undefined. */
export function whyNoRegistry(): string | undefined {
  return unlessRequired("oci", whyNoPrograms("docker-registry", "htpasswd", "skopeo", "openssl"));
}

/** Who may do what. */
export type RegistryAuth = "none" | "basic" | "token";

/** A registry that listens. */
export interface RegistryServer {
  /** `127.0.0.1:port` */
  place: string;
  /** Scopes that the token server was asked for, and by whom. */
  tokens: { user: string | undefined; scope: string }[];
}

export const USER = "reader";
export const PASSWORD = "pass:wörd";

function base64url(value: string | Buffer): string {
  return Buffer.from(value).toString("base64url");
}

function userOf(request: IncomingMessage): string | undefined {
  const [, encoded] = /^Basic (.*)$/.exec(request.headers.authorization ?? "") ?? [];
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded ?? "", "base64").toString()) ?? [];
  return password === PASSWORD ? user : undefined;
}

/** libtrust's name for a key: the first 30 bytes of the SHA-256 of its DER, in groups of base32. */
async function keyId(certificate: string): Promise<string> {
  const { createHash } = await import("node:crypto");
  const key = createPublicKey(
    new X509Certificate(readFileSync(certificate)).publicKey.export({ type: "spki", format: "pem" }),
  );
  const digest = createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 30);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const byte of digest) bits += byte.toString(2).padStart(8, "0");
  const letters = bits.match(/.{5}/g)!.map((five) => alphabet[Number.parseInt(five, 2)]);
  return letters.join("").match(/.{4}/g)!.join(":");
}

/** Gives tokens for whatever is asked, to the user above; pulling is for everybody. */
async function startTokenServer(
  t: Ending,
  folder: string,
  tokens: RegistryServer["tokens"],
): Promise<string> {
  const [key, certificate] = [join(folder, "token.key"), join(folder, "token.crt")];
  const make = "req -x509 -newkey rsa:2048 -nodes -subj /CN=tokens -days 2 -keyout token.key -out token.crt";
  execFileSync("openssl", make.split(" "), { cwd: folder, stdio: "ignore" });
  const header = base64url(JSON.stringify({ typ: "JWT", alg: "RS256", kid: await keyId(certificate) }));
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url!, "http://host");
    const scope = searchParams.get("scope") ?? "";
    const user = userOf(request);
    tokens.push({ user, scope });
    if (request.headers.authorization !== undefined && user === undefined) {
      response.writeHead(401).end();
      return;
    }
    const [type, name, actions = ""] = scope.split(":");
    const allowed = actions.split(",").filter((action) => action === "pull" || user !== undefined);
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      ...{ iss: "docteur tests", sub: user ?? "", aud: searchParams.get("service") },
      ...{ exp: now + 300, nbf: now - 10, iat: now, jti: String(tokens.length) },
      access: [{ type, name, actions: allowed }],
    };
    const signed = `${header}.${base64url(JSON.stringify(claims))}`;
    const signature = createSign("RSA-SHA256")
      .update(signed)
      .sign(createPrivateKey(readFileSync(key)));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ token: `${signed}.${base64url(signature)}` }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
}

/** Starts a registry whose content is in a folder of its own. */
export async function startRegistry(
  t: Ending,
  parent: string,
  auth: RegistryAuth = "none",
): Promise<RegistryServer> {
  const port = await deadPort();
  const folder = join(parent, `registry-${port}`);
  mkdirSync(folder);
  const tokens: RegistryServer["tokens"] = [];
  const lines = [
    "version: 0.1",
    "log: { level: error, accesslog: { disabled: true } }",
    `storage: { filesystem: { rootdirectory: ${folder} } }`,
    `http: { addr: "127.0.0.1:${port}", secret: tests }`,
  ];
  if (auth === "basic") {
    const users = execFileSync(findProgram("htpasswd")!, ["-nbB", "-C", "4", USER, PASSWORD]);
    writeFileSync(join(folder, "htpasswd"), users);
    lines.push(`auth: { htpasswd: { realm: tests, path: ${folder}/htpasswd } }`);
  }
  if (auth === "token") {
    const realm = await startTokenServer(t, folder, tokens);
    lines.push(
      `auth: { token: { realm: "${realm}", service: tests, issuer: docteur tests, rootcertbundle: ${folder}/token.crt } }`,
    );
  }
  writeFileSync(join(folder, "config.yml"), `${lines.join("\n")}\n`);
  await startServer(t, port, "docker-registry", ["serve", join(folder, "config.yml")]);
  return { place: `127.0.0.1:${port}`, tokens };
}

/** Writes a configuration of docker's. @returns its folder, for DOCKER_CONFIG */
export function dockerConfig(parent: string, config: object): string {
  const folder = join(parent, "docker");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  return folder;
}

/** An entry of that configuration, as `docker login` writes it. */
export function loginOf(user = USER, password = PASSWORD): { auth: string } {
  return { auth: Buffer.from(`${user}:${password}`).toString("base64") };
}

/** Puts bytes into an open registry as an artifact's layer, tag `latest`, by requests of our own. */
export async function putArtifact(
  place: string,
  name: string,
  bytes: Uint8Array,
  layer: { mediaType?: string } = {},
): Promise<void> {
  const put = async (content: Uint8Array): Promise<{ digest: string; size: number }> => {
    const digest = await digestOf(content);
    const begun = await fetch(`http://${place}/v2/${name}/blobs/uploads/`, { method: "POST" });
    const url = new URL(begun.headers.get("location")!, `http://${place}`);
    url.searchParams.set("digest", digest);
    const done = await fetch(url, { method: "PUT", body: new Uint8Array(content) });
    if (done.status !== 201) throw new Error(`${done.status}: ${await done.text()}`);
    return { digest, size: content.length };
  };
  const [config, image] = [await put(Buffer.from("{}")), await put(bytes)];
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config: { mediaType: "application/vnd.oci.empty.v1+json", ...config },
    layers: [{ mediaType: LAYER_TYPE, ...image, ...layer }],
  };
  const response = await fetch(`http://${place}/v2/${name}/manifests/latest`, {
    method: "PUT",
    headers: { "content-type": MANIFEST_TYPE },
    body: JSON.stringify(manifest),
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
}
