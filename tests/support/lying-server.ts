/** A smart HTTP server (gitprotocol-http, gitprotocol-v2) that says whatever a test wants of it. */
import type { ServerResponse } from "node:http";
import type { HttpOptions } from "./git-servers.js";

/** A line of the protocol (gitprotocol-common, pkt-line). */
export function pkt(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string, "latin1");
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}

/** A line of a band: 1 is the pack, 2 progress, 3 an error. */
export function band(number: number, content: string | Buffer): Buffer {
  return pkt(Buffer.concat([Buffer.of(number), Buffer.from(content as string, "latin1")]));
}

export const FLUSH = Buffer.from("0000");
const CAPABILITIES = Buffer.concat([
  pkt("# service=git-upload-pack\n"),
  FLUSH,
  ...["version 2\n", "ls-refs=unborn\n", "fetch=shallow\n", "object-format=sha1\n"].map(pkt),
  FLUSH,
]);

/** What a server answers; each ends the response, or does not. */
export interface Lies {
  /** The advertisement. */
  hello?: (response: ServerResponse) => void;
  refs?: (response: ServerResponse) => void;
  fetch?: (response: ServerResponse) => void;
}

/** Sends parts for as long as somebody reads them. */
export async function sendAll(response: ServerResponse, parts: Iterable<Buffer>): Promise<void> {
  for (const part of parts) {
    if (response.destroyed || response.socket?.destroyed !== false) return;
    if (!response.write(part))
      await new Promise<void>((done) => {
        response.once("drain", done);
        response.once("close", done);
      });
    await new Promise(setImmediate);
  }
  response.end();
}

/** Sends something over and over. */
export function* endless(part: Buffer): Generator<Buffer> {
  for (;;) yield part;
}

/** The server's part of `startHttpServer`. @param head the id that HEAD is said to have */
export function lying(head: string, { hello, refs, fetch }: Lies): Pick<HttpOptions, "intercept"> {
  return {
    intercept: (request, response) => {
      response.setMaxListeners(0).on("error", () => undefined);
      if (request.method === "GET") {
        response.setHeader("content-type", "application/x-git-upload-pack-advertisement");
        if (hello === undefined) response.end(CAPABILITIES);
        else hello(response);
        return true;
      }
      let body = "";
      request.setEncoding("latin1").on("data", (text: string) => {
        body += text;
      });
      request.once("end", () => {
        response.setHeader("content-type", "application/x-git-upload-pack-result");
        if (!body.includes("command=ls-refs")) fetch?.(response);
        else if (refs === undefined) response.end(Buffer.concat([pkt(`${head} HEAD\n`), FLUSH]));
        else refs(response);
      });
      return true;
    },
  };
}
