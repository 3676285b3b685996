/** The page that lists the images of a server with several. */
import { createHash } from "node:crypto";
import { printable } from "../../src/text/printable.js";
import type { LiveImage } from "./live-image.js";

const STYLE = `:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.25rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}
td{overflow-wrap:anywhere}
`;

/** The field `Content-Security-Policy` of the page: nothing but its own style. */
export const INDEX_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'`;

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

const escaped = (text: string): string => printable(text).replace(/[&<>"]/g, (found) => ENTITIES[found]!);

function row({ name, volume }: LiveImage, withPage: boolean): string {
  const { oid, date, message } = volume.commit;
  const segment = encodeURIComponent(name);
  const links = [`<a href="./${segment}/">${escaped(name)}/</a>`];
  const look = withPage ? `<a href="./-/index.html#image=${segment}.img">browse</a>` : "";
  const title = escaped(message.split("\n", 1)[0]!);
  const time = date === null ? "" : date.toISOString().slice(0, 16).replace("T", " ");
  return `<tr><td>${links}</td><td>${time}</td><td>${title}</td><td title="${oid}">${oid.slice(0, 10)}</td><td>${look}</td></tr>\n`;
}

/** @param withPage whether the browser page shows the images that are files */
export function indexPage(images: readonly LiveImage[], withPage: boolean): string {
  const rows = images.map((image) => row(image, withPage && image.path !== undefined)).join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Images</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>Images</h1>
<table>
<thead><tr><th scope="col">Name</th><th scope="col">Date (UTC)</th><th scope="col">Message</th><th scope="col">Commit</th><th></th></tr></thead>
<tbody>
${rows}</tbody>
</table>
</main>
</body>
</html>
`;
}
