/** What tests of HTTP share: an image, and ways in which a server answers. */
import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { openHttp } from "../../src/devices/http.js";
import { type DocteurError, type OpenOptions, open } from "../../src/index.js";
import { ManualClock } from "./manual-clock.js";
import { type Behaviour, type RangeServer, rangeOf, startServer } from "./range-server.js";
import { type RichImage, richImage } from "./rich-image.js";

export const RICH = richImage(300_000);
export const IMAGE = RICH.image;

/** Reads all files of an image at a URL, and compares them. */
export async function readAll(url: string | URL, { files }: RichImage, options?: OpenOptions): Promise<void> {
  const volume = await open(url, options);
  for (const [path, content] of files) assert.deepEqual(Buffer.from(await volume.get(path)), content, path);
  await volume.close();
}

/** What opening a file ends with. */
export async function refusal(
  t: { after(end: () => void): void },
  behaviour: Behaviour,
  options: OpenOptions = {},
): Promise<{ error: DocteurError; server: RangeServer }> {
  const server = await startServer(t, IMAGE);
  server.behaviour = behaviour;
  const clock = new ManualClock({ isEager: true });
  const error = await openHttp(new URL(server.url), options, clock).then(
    () => assert.fail("it opens"),
    (caught: DocteurError) => caught,
  );
  assert.equal(error.name, "DocteurError");
  assert.equal(error.url, server.url);
  assert.ok(error.message.startsWith(`${server.url}: `), error.message);
  return { error, server };
}

/** Answers with a status. */
export const status =
  (code: number, headers: Record<string, string> = {}): Behaviour =>
  (_, response) => {
    response.writeHead(code, headers).end("what the server says");
    return true;
  };

/** Answers a range with what `change` makes of the right answer. */
export function answering(
  change: (answer: { status: number; headers: Record<string, string>; body: Uint8Array }) => void,
  isFor: (request: IncomingMessage) => boolean = () => true,
): Behaviour {
  return (request: IncomingMessage, response: ServerResponse, server) => {
    const range = rangeOf(request.headers.range, server.content.length);
    if (range === undefined || !isFor(request)) return false;
    const { first, end } = range;
    const place = `bytes ${first}-${end - 1}/${server.content.length}`;
    const answer = {
      status: 206,
      headers: { etag: server.etag ?? "", "content-range": place },
      body: server.content.subarray(first, end),
    };
    change(answer);
    response.writeHead(answer.status, answer.headers).end(answer.body);
    return true;
  };
}
