/** A server of the page that is built to dist/page, beside an image at `/disk.img`. */
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { distPath } from "./programs.js";
import { type RangeServer, startServer } from "./range-server.js";

const TYPES: Record<string, string> = { html: "text/html", js: "text/javascript", css: "text/css" };

/** Serves the page and an image until the test ends. */
export async function servePage(t: TestContext, image: Uint8Array): Promise<RangeServer> {
  const server = await startServer(t, image);
  server.behaviour = (request, response) => {
    const { pathname } = new URL(request.url!, server.origin);
    const name = pathname === "/" ? "index.html" : pathname.slice(1);
    const type = TYPES[name.split(".").at(-1)!];
    if (type === undefined) return false;
    response.writeHead(200, { "content-type": type }).end(readFileSync(distPath(`page/${name}`)));
    return true;
  };
  return server;
}
