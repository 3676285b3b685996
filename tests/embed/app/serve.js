/** Serves an image by the server of Deno or Bun: prints its origin. The argument is the image's path. */
import process from "node:process";
import { open } from "docteur";
import { createHandler } from "docteur/http";

const handler = createHandler(await open(process.argv[2]), { listing: true });
const place = { hostname: "127.0.0.1", port: 0 };
const { port } =
  "Deno" in globalThis
    ? Deno.serve({ ...place, onListen() {} }, handler).addr
    : Bun.serve({ ...place, fetch: handler });
console.log(`http://127.0.0.1:${port}`);
