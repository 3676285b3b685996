/** NBD URLs, by NetworkBlockDevice/nbd, doc/uri.md: where the server is, which export, and whether TLS is required. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import { invalid } from "../../arguments.js";
import { ioError, systemCode } from "../../node/io-error.js";
import { NBD_PORT } from "./protocol.js";

/** How a server is known over TLS, as node:tls takes it. */
export interface NbdTls {
  /** The name that its certificate must have. */
  servername: string;
  /** Whether a certificate of an unknown authority is refused. */
  rejectUnauthorized: boolean;
  /** The authority's certificate, and this client's own with its key: PEM. */
  ca?: Buffer | undefined;
  cert?: Buffer | undefined;
  key?: Buffer | undefined;
}

/** What an NBD URL stands for. */
export interface NbdAddress {
  /** The URL, for messages. */
  name: string;
  /** Where to connect: a host and a port, or the path of a Unix domain socket. */
  place: { host: string; port: number } | { path: string };
  /** The export's name in UTF-8; empty for the server's default export. */
  exportName: Uint8Array;
  tls: NbdTls | undefined;
}

/** Whether the scheme is for TCP or a Unix domain socket, and whether it requires TLS. */
const SCHEMES: Readonly<Record<string, { isUnix: boolean; isTls: boolean }>> = {
  "nbd:": { isUnix: false, isTls: false },
  "nbds:": { isUnix: false, isTls: true },
  "nbd+unix:": { isUnix: true, isTls: false },
  "nbds+unix:": { isUnix: true, isTls: true },
};

/** "A string MUST be no longer than 4096 bytes" (doc/proto.md, conventions). */
const STRING_MAX = 4096;

const PARAMETERS = ["socket", "tls-type", "tls-hostname", "tls-verify-peer", "tls-certificates"];

function decode(url: URL, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw invalid(`not an NBD URL: ${url.href}: ${part} is not percent-encoded UTF-8`, undefined, cause);
  }
}

/** The query's parameters. A plus is a plus: these are URIs, not forms. */
function readQuery(url: URL): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of url.search.slice(1).split("&")) {
    if (pair === "") continue;
    const [, name, value] = /^([^=]*)=?(.*)$/s.exec(pair)!;
    const decoded = decode(url, name!);
    if (!PARAMETERS.includes(decoded) || query.has(decoded))
      throw invalid(
        `not an NBD URL: ${url.href}: ${query.has(decoded) ? `${decoded} is given twice` : `unknown parameter ${decoded}`}`,
        `the parameters are ${PARAMETERS.join(", ")}`,
      );
    query.set(decoded, decode(url, value!));
  }
  return query;
}

/** A file of the folder that `tls-certificates` names; undefined where it is optional and not there. */
function readCertificate(folder: string, file: string, isOptional: boolean): Buffer | undefined {
  const path = join(folder, file);
  try {
    return readFileSync(path);
  } catch (cause) {
    if (isOptional && systemCode(cause) === "ENOENT") return undefined;
    throw ioError("read", path, cause);
  }
}

function readTls(url: URL, query: Map<string, string>, host: string): NbdTls {
  const type = query.get("tls-type") ?? "x509";
  if (type !== "x509")
    throw invalid(`cannot open ${url.href}: tls-type=${type}: only certificates (x509) are supported`);
  const verify = query.get("tls-verify-peer") ?? "1";
  if (verify !== "0" && verify !== "1")
    throw invalid(`not an NBD URL: ${url.href}: tls-verify-peer is 0 or 1`);
  const tls: NbdTls = { servername: query.get("tls-hostname") ?? host, rejectUnauthorized: verify === "1" };
  const folder = query.get("tls-certificates");
  if (folder === undefined) return tls;
  tls.ca = readCertificate(folder, "ca-cert.pem", false);
  tls.cert = readCertificate(folder, "client-cert.pem", true);
  tls.key = tls.cert && readCertificate(folder, "client-key.pem", false);
  return tls;
}

/** Whether a URL is of an NBD server. */
export function isNbdUrl(url: URL): boolean {
  return Object.hasOwn(SCHEMES, url.protocol);
}

/**
 * Reads an NBD URL: `nbd://host:port/export`, `nbds://…` for TLS, `nbd+unix:///export?socket=PATH`, `nbds+unix://…`.
 * Parameters for TLS are `tls-hostname`, `tls-verify-peer` and, as in libnbd, `tls-certificates`, a folder with
 * `ca-cert.pem`, and `client-cert.pem` and `client-key.pem` where the server asks for them.
 * @throws DocteurError `InvalidArgument` for any other URL, `Io` for certificates that cannot be read
 */
export function parseNbdUrl(url: URL): NbdAddress {
  const scheme = SCHEMES[url.protocol]!;
  const query = readQuery(url);
  const host = decode(url, url.hostname).replace(/^\[(.*)\]$/, "$1");
  const socket = query.get("socket");
  if (url.username !== "" || url.password !== "")
    throw invalid(
      `cannot open ${url.protocol} URLs with a user name`,
      "TLS by pre-shared keys is not supported",
    );
  if (scheme.isUnix !== (socket !== undefined && socket !== "") || scheme.isUnix !== (host === ""))
    throw invalid(
      `not an NBD URL: ${url.href}`,
      scheme.isUnix
        ? `write ${url.protocol}///EXPORT?socket=PATH`
        : `write ${url.protocol}//HOST:PORT/EXPORT, or ${url.protocol.replace(":", "+unix:")}///EXPORT?socket=PATH`,
    );
  const exportName = new TextEncoder().encode(decode(url, url.pathname.replace(/^\//, "")));
  if (exportName.length > STRING_MAX || exportName.includes(0))
    throw invalid(`not an NBD URL: an export's name has at most ${STRING_MAX} bytes, and no zero byte`);
  const port = url.port === "" ? NBD_PORT : Number(url.port);
  return {
    name: url.href,
    place: scheme.isUnix ? { path: socket! } : { host, port },
    exportName,
    tls: scheme.isTls ? readTls(url, query, scheme.isUnix ? "localhost" : host) : undefined,
  };
}

/** The name to ask a server for by TLS's own means (SNI), which knows no addresses. */
export function sniName(tls: NbdTls): string {
  return isIP(tls.servername) === 0 ? tls.servername : "";
}
