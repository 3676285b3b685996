/** `docteur/fs` in Chromium: some hundred calls give what they give in Node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { bundle, openPage, whyNoBrowser } from "../support/browser.js";
import { fsImage } from "../support/fs-image.js";
import { distPath } from "../support/programs.js";
import { startServer } from "../support/range-server.js";

const CALLS = distPath("../tests/embed/app/fs-calls.js");

test("calls of docteur/fs", { skip: whyNoBrowser() ?? false }, async (t) => {
  const script = `import { outcomes } from ${JSON.stringify(CALLS)};
globalThis.result = outcomes(new URL("disk.img", location.href).href);`;
  const { outputFiles } = await bundle(script);
  const server = await startServer(t, await fsImage());
  server.behaviour = (request, response) => {
    const answers: Record<string, [string, string]> = {
      "/": ["text/html", "<!doctype html><meta charset=utf-8><script type=module src=page.js></script>"],
      "/page.js": ["text/javascript", outputFiles[0]!.text],
      "/favicon.ico": ["image/x-icon", ""],
    };
    const found = answers[request.url!];
    if (found !== undefined) response.writeHead(200, { "content-type": found[0] }).end(found[1]);
    return found !== undefined;
  };
  const { outcomes } = (await import(pathToFileURL(CALLS).href)) as {
    outcomes(url: string): Promise<Record<string, unknown>>;
  };
  const expected = JSON.parse(JSON.stringify(await outcomes(`${server.origin}/disk.img`)));
  assert.ok(Object.keys(expected).length > 400);
  const { result, complaints } = await openPage(t, `${server.origin}/`);
  assert.deepEqual(complaints, []);
  assert.deepEqual(JSON.parse(JSON.stringify(result)), expected);
});
