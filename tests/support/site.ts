/** Images as web sites: a handler over files in memory, and servers of node:http over handlers. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { createHandler, type Handler, type HandlerOptions } from "../../src/http/index.js";
import { open, type Volume } from "../../src/index.js";
import { type MemoryFiles, makeImage } from "../../src/make/index.js";
import type { Ending } from "./servers.js";

/** The date of the images' commit, and as a field of HTTP. */
export const SITE_DATE = "2024-06-07T08:09:10Z";
export const SITE_MODIFIED = "Fri, 07 Jun 2024 08:09:10 GMT";

/** Opens an image of files. */
export async function volumeOf(files: MemoryFiles, date: string = SITE_DATE): Promise<Volume> {
  const { image } = await makeImage(files, { date });
  return open(image);
}

/** Asks a handler. */
export type Ask = (path: string, fields?: Record<string, string>, method?: string) => Promise<Response>;

/** A handler over files, and how to ask it. @param options of the handler */
export async function siteOf(
  files: MemoryFiles,
  options: HandlerOptions = {},
): Promise<{ volume: Volume; handler: Handler; ask: Ask; errors: unknown[] }> {
  const volume = await volumeOf(files);
  const errors: unknown[] = [];
  const handler = createHandler(volume, { onError: (error) => errors.push(error), ...options });
  const ask: Ask = (path, headers = {}, method = "GET") =>
    handler(new Request(`http://site.example${path}`, { method, headers }));
  return { volume, handler, ask, errors };
}

/** Serves on the loopback, until a test ends. @returns the origin, without a slash at its end */
export async function listen(t: Ending, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
