/** `docteur serve`: images as web sites, as directories of WebDAV, and in the browser page. */
import { basename } from "node:path";
import { createHandler, type HandlerOptions } from "../../src/http/index.js";
import { createWebDav } from "../../src/webdav/index.js";
import { type Command, parse, parseCount, parseSize, parseWord, usageError } from "../cli/arguments.js";
import { EXIT, exitHelp } from "../cli/exit.js";
import { IMAGE_OPTIONS, imageHelp, imageOptions } from "../cli/image-options.js";
import { flush, print } from "../cli/output.js";
import { LOG_FORMS } from "../serve/access-log.js";
import { type NamedSource, serve } from "../serve/serve.js";

const HELP = `usage: docteur serve [OPTION]... IMAGE...
       docteur serve [OPTION]... NAME=IMAGE...

Serves the files of IMAGE over HTTP: a directory by its index file or by a
listing, with ranges, ETags and files that were compressed beforehand. One image
lies at /. Several lie at /NAME/ each; NAME is by default the image's file name
without .img.

Prints the address on standard output, and a line for each request on standard
error. Nobody but this machine is served, unless --host says so. There are also:

  /-/       a page that shows images in the browser, and the images themselves
  /healthz  says "ok"
  /metrics  counters for Prometheus

WebDAV is answered, too, so that file managers, rclone and davfs2 can mount the
images, read-only; docteur mount does that in one go.

On SIGHUP, or with --watch when an image is replaced, requests under way end
with the old image and later ones get the new one. A new image that is damaged
is refused, and the old one stays. Replace the file by renaming another over
it, as docteur make does. SIGTERM and SIGINT end the server: requests under way
end first, and a second signal breaks them off.

IMAGE is a file or a URL, such as https://host/disk.img (docs/DEVICES.md). Of
an image at a URL, only the parts that are needed are fetched, and the page
does not show it.

Options:
      --host ADDRESS     the address to listen on (default: 127.0.0.1)
  -p, --port N           the port (default: 8080); 0 takes a free one
      --base PATH        serve below this path of URLs (default: /)
      --index NAME       the file that stands for its directory (default:
                         index.html); an empty NAME turns this off
      --not-found PATH   the file that is sent if there is nothing at a path
                         (default: /404.html)
      --no-clean-urls    do not find about.html at /about
      --no-listing       do not list directories
      --dotfiles         serve names that begin with a dot
      --cache-control VALUE
                         the field Cache-Control of files (default: no-cache)
      --cors ORIGIN      let scripts of ORIGIN read the answers, or of all with
                         "*"; can be given many times
      --add-header "NAME: VALUE"
                         a header field of every answer; can be given many times
      --allow-host NAME  answer on the loopback to this name, too; can be given
                         many times
      --log FORM         combined, json or none (default: combined)
      --watch            look every second whether a file was replaced, and
                         every minute for images at URLs
      --grace SECONDS    time that requests have to end when the server ends
                         (default: 10)
      --max-connections N
                         connections at a time; more are closed (default: 20000)
      --hot SIZE         memory for small files and paths that are asked for
                         often, for each image (default: 16M)
      --no-page          no page at /-/, and no images to download
      --no-dav           no WebDAV
      --no-metrics       no /metrics
${imageHelp(25)}
  -h, --help             print this help

${exitHelp([0, 4, 8, 10, 11, 16])}

Examples:
  docteur serve site.img
  docteur serve --watch --port 8000 v1=docs-1.img v2=docs-2.img`;

const OPTIONS = {
  ...IMAGE_OPTIONS,
  host: { type: "string" },
  port: { type: "string", short: "p" },
  base: { type: "string" },
  index: { type: "string" },
  "not-found": { type: "string" },
  "no-clean-urls": { type: "boolean" },
  "no-listing": { type: "boolean" },
  dotfiles: { type: "boolean" },
  "cache-control": { type: "string" },
  cors: { type: "string", multiple: true },
  "add-header": { type: "string", multiple: true },
  "allow-host": { type: "string", multiple: true },
  log: { type: "string", choices: LOG_FORMS },
  watch: { type: "boolean" },
  grace: { type: "string" },
  "max-connections": { type: "string" },
  hot: { type: "string" },
  "no-page": { type: "boolean" },
  "no-dav": { type: "boolean" },
  "no-metrics": { type: "boolean" },
} as const;

const PORT = 8080;
const GRACE_SECONDS = 10;
const CONNECTIONS = 20000;
/** Names that are not those of an image: of the page, and of what stands beside the images. */
const RESERVED = ["-", ".", "..", "healthz", "metrics"];

/** Reads `NAME=IMAGE`. What looks like a path or a URL has no name in front. */
function namedSource(word: string): NamedSource {
  const [, given, rest] = /^([A-Za-z0-9._~-]+)=(.+)$/s.exec(word) ?? [];
  const source = rest ?? word;
  const path = source.replace(/[?#].*$/s, "").replace(/\/+$/, "");
  const name = given ?? basename(path).replace(/\.img$/, "");
  return { name: name === "" ? "image" : name, source };
}

function sourcesOf(words: readonly string[]): NamedSource[] {
  const sources = words.map(namedSource);
  const seen = new Set<string>();
  for (const { name } of sources) {
    if (seen.has(name)) throw usageError(`two images are named ${name}`, "write NAME=IMAGE");
    if (sources.length > 1 && RESERVED.includes(name))
      throw usageError(`no image can be named ${name}`, "write NAME=IMAGE");
    seen.add(name);
  }
  return sources;
}

/** @throws DocteurError `Usage` */
function headersOf(lines: readonly string[]): Record<string, string> {
  const pairs = lines.map((line): [string, string] => {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/.exec(line) ?? [];
    if (name === undefined)
      throw usageError(
        `--add-header takes a name, a colon and a value: ${line}`,
        "--add-header 'NAME: VALUE'",
      );
    return [name, value!.trimEnd()];
  });
  return Object.fromEntries(pairs);
}

type Values = ReturnType<typeof parse<typeof OPTIONS>>["values"];

/** The options of the handler. */
function handlerOptions(values: Values): HandlerOptions {
  return {
    index: values.index === undefined ? "index.html" : values.index === "" ? false : values.index,
    notFound: values["not-found"] ?? "/404.html",
    extensions: values["no-clean-urls"] ? [] : ["html"],
    listing: values["no-listing"] !== true,
    dotfiles: values.dotfiles === true,
    cacheControl: values["cache-control"] ?? "no-cache",
    cors: values.cors?.includes("*") ? true : (values.cors ?? false),
    headers: headersOf(values["add-header"] ?? []),
    cacheSize: parseSize("--hot", values.hot),
  };
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(
    argv,
    OPTIONS,
    ["IMAGE"],
    argv.map(() => "IMAGE"),
  );
  const sources = sourcesOf(positionals);
  if (sources.length > 1 && values.commit !== undefined) throw usageError("--commit goes with one image");
  const base = values.base ?? "/";
  const log = parseWord("form of log", values.log ?? "combined", LOG_FORMS);
  const options = handlerOptions(values);
  // What the options say is checked before anything is opened.
  const make = values["no-dav"] ? createHandler : createWebDav;
  await serve({
    sources,
    open: imageOptions(values),
    handle: (volume, at, onError) => make(volume, { ...options, base: at, onError }),
    host: values.host ?? "127.0.0.1",
    port: parseCount("--port", values.port, { least: 0, most: 65_535 }) ?? PORT,
    base: `/${base.replace(/^\/+|\/+$/g, "")}/`.replace(/^\/\/$/, "/"),
    withPage: values["no-page"] !== true,
    withMetrics: values["no-metrics"] !== true,
    allowedHosts: values["allow-host"] ?? [],
    maxConnections:
      parseCount("--max-connections", values["max-connections"], { least: 1, most: 1_000_000 }) ??
      CONNECTIONS,
    log,
    watch: values.watch === true,
    graceSeconds: parseCount("--grace", values.grace, { least: 0, most: 86_400 }) ?? GRACE_SECONDS,
    onAddress: (address) => {
      print(`${address}\n`);
      flush();
    },
  });
  return EXIT.ok;
}

export const command: Command = {
  summary: "serve images over HTTP and WebDAV",
  help: HELP,
  options: OPTIONS,
  run,
};
