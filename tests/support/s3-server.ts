/** An S3 server on this machine: versitygw, which serves each folder of a folder as a bucket. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AwsClient } from "aws4fetch";
import { deadPort } from "./git-servers.js";
import { unlessRequired } from "./required.js";
import { type Ending, startServer, whyNoPrograms } from "./servers.js";

/** Why there is no S3 server here, or undefined. */
export function whyNoS3(): string | undefined {
  return unlessRequired("s3", whyNoPrograms("versitygw"));
}

export const REGION = "eu-test-1";
export const KEYS = { accessKeyId: "TESTKEY", secretAccessKey: "test/secret+key" };

/** A server that listens. */
export interface S3Server {
  endpoint: string;
  /** Each folder in it is a bucket, each file below that an object. */
  data: string;
}

/** Starts a server. @param folder for its files */
export async function startS3Server(t: Ending, folder: string): Promise<S3Server> {
  const port = await deadPort();
  const [data, meta] = [join(folder, "data"), join(folder, "meta")];
  mkdirSync(data);
  mkdirSync(meta);
  const args = ["--quiet", "--port", `127.0.0.1:${port}`, "--region", REGION, "--keep-alive"];
  const keys = ["--access", KEYS.accessKeyId, "--secret", KEYS.secretAccessKey];
  await startServer(t, port, "versitygw", [...args, ...keys, "posix", "--sidecar", meta, data]);
  return { endpoint: `http://127.0.0.1:${port}`, data };
}

/** Sends a signed request of the server's owner. */
export async function ownerRequest(path: string, { endpoint }: S3Server, init: RequestInit): Promise<void> {
  const client = new AwsClient({ ...KEYS, region: REGION, service: "s3" });
  const response = await client.fetch(`${endpoint}/${path}`, init);
  if (!response.ok) throw new Error(`${path}: ${response.status}: ${await response.text()}`);
}
