/** A registry in memory that does what a test tells it to, and otherwise what the OCI Distribution Specification says. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ARTIFACT_TYPE, LAYER_TYPE, MANIFEST_TYPE } from "../../src/devices/oci/artifact.js";
import type { Ending } from "./servers.js";

/** A request as it came, with its body. */
export interface SeenRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingMessage["headers"];
  length: number;
}

/** Answers a request in the place of the usual answer, if it returns true. */
export type Intercept = (
  request: SeenRequest,
  response: ServerResponse,
  body: Buffer,
) => boolean | Promise<boolean>;

/** A registry that listens. */
export interface FakeRegistry {
  /** `127.0.0.1:port` */
  place: string;
  seen: SeenRequest[];
  blobs: Map<string, Buffer>;
  manifests: Map<string, string>;
  intercept: Intercept | undefined;
}

export function digestOfBytes(bytes: Uint8Array | string): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** The manifest of an image. */
export function manifestOf(image: Uint8Array, changes: object = {}): string {
  const layer = { mediaType: LAYER_TYPE, digest: digestOfBytes(image), size: image.length, ...changes };
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOfBytes("{}"), size: 2 };
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    artifactType: ARTIFACT_TYPE,
    config,
    layers: [layer],
  });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

/** Sends a blob, or the range of it that is asked for. */
export function sendBlob(request: SeenRequest, response: ServerResponse, blob: Buffer): void {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  if (first === undefined) {
    response.end(blob);
    return;
  }
  const start = first === "" ? Math.max(0, blob.length - Number(last)) : Number(first);
  const end = first === "" ? blob.length : Math.min(blob.length, Number(last) + 1);
  response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${blob.length}`, etag: '"blob"' });
  response.end(blob.subarray(start, end));
}

/** Starts a registry that holds some images by the tag `latest` of the repository `site`. */
export async function startFakeRegistry(t: Ending, image?: Buffer): Promise<FakeRegistry> {
  const uploads = new Map<string, Buffer>();
  const state: FakeRegistry = {
    place: "",
    seen: [],
    blobs: new Map(),
    manifests: new Map(),
    intercept: undefined,
  };
  if (image !== undefined) {
    state.blobs.set(digestOfBytes(image), image);
    state.manifests.set("latest", manifestOf(image));
  }
  const serve = (request: SeenRequest, response: ServerResponse, body: Buffer): void => {
    const url = new URL(request.url, "http://host");
    const [, kind, name] = /^\/v2\/[a-z/]+\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(url.pathname) ?? [];
    const digest = url.searchParams.get("digest");
    if (kind === "manifests" && request.method === "PUT") {
      state.manifests.set(name!, body.toString());
      response.writeHead(201).end();
    } else if (kind === "manifests" && state.manifests.has(name!)) response.end(state.manifests.get(name!));
    else if (kind === "blobs" && state.blobs.has(name!)) {
      if (request.method === "HEAD") response.end();
      else sendBlob(request, response, state.blobs.get(name!)!);
    } else if (kind === "blobs/uploads" && request.method === "POST") {
      uploads.set(String(uploads.size), Buffer.alloc(0));
      response.writeHead(202, { location: `/v2/site/blobs/uploads/${uploads.size - 1}?state=x` }).end();
    } else if (kind === "blobs/uploads" && uploads.has(name!)) {
      const whole = Buffer.concat([uploads.get(name!)!, body]);
      uploads.set(name!, whole);
      const range = `0-${Math.max(0, whole.length - 1)}`;
      if (request.method === "GET") response.writeHead(204, { location: request.url, range }).end();
      else if (request.method === "PATCH") response.writeHead(202, { location: request.url, range }).end();
      else if (digestOfBytes(whole) !== digest)
        response.writeHead(400).end(JSON.stringify({ errors: [{ code: "DIGEST_INVALID", message: "no" }] }));
      else {
        state.blobs.set(digest, whole);
        response.writeHead(201).end();
      }
    } else response.writeHead(404).end();
  };
  const server = createServer(async (incoming, response) => {
    const body = await bodyOf(incoming).catch(() => undefined);
    if (body === undefined) return;
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, length: body.length };
    state.seen.push(request);
    if (!(await state.intercept?.(request, response, body))) serve(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  state.place = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return state;
}
