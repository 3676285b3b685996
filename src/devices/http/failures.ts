/** What goes wrong over HTTP, in words for people: what may pass is a `TransientError`, all else is final. */
import { DocteurError, type ErrorCode } from "../../errors.js";
import { TransientError } from "../range-source.js";

/** Statuses of servers that are busy, restarting, or behind a proxy that cannot reach them. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529]);

/** Codes of errors that trying again does not help: names that do not exist, and certificates that do not hold. */
const FINAL = /^(?:ENOTFOUND|ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH)/;

/** What Node says of ports that `fetch` does not connect to (Fetch Standard, "Port blocking"). */
const BLOCKED_PORT = "bad port";

/** A final error of a URL. @param name the URL, without credentials */
export function httpError(
  code: ErrorCode,
  name: string,
  what: string,
  where: { hint?: string | undefined; cause?: unknown } = {},
): DocteurError {
  return new DocteurError(code, `${name}: ${what}`, { url: name, ...where });
}

/** A server that sends the whole file where it is asked for a range of it. */
export class RangesIgnored extends DocteurError {
  /** @param name the URL, without credentials */
  constructor(name: string) {
    super("Io", `${name}: the server does not support ranges: it sends the whole file`, {
      url: name,
      hint: "use a server with range support (Accept-Ranges: bytes), or download the image first (open: maxDownload)",
    });
  }
}

/** The image is not the one that was opened. */
export function changed(name: string, how: string): DocteurError {
  const hint = "open it again: volume.reopen()";
  return httpError("ImageChanged", name, `the image has changed since it was opened: ${how}`, { hint });
}

/** Milliseconds that a `Retry-After` asks for: seconds or a date (RFC 9110, section 10.2.3). */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^[0-9]+$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}

/** What a status means that is not a success. */
export function statusError(name: string, response: Response): Error {
  const { status } = response;
  if (PASSING.has(status))
    return new TransientError(`the server answers ${status}`, { retryAfter: retryAfter(response) });
  switch (status) {
    case 401:
      return httpError("AccessDenied", name, "the server asks for credentials (401)", {
        hint: "give them by the option headers, or a user and a password in the URL",
      });
    case 403:
      return httpError("AccessDenied", name, "the server refuses access (403)", {
        hint: "the address may have expired, or may need credentials (option headers or sign)",
      });
    case 404:
    case 410:
      return httpError("Io", name, `there is no such file (${status})`);
    default:
      return httpError("Io", name, `the server answers ${status}`);
  }
}

/** The reason of an error of `fetch`, which itself says nothing but that it failed. */
function reasonOf(error: unknown): { code: string; reason: string } {
  const { cause, message } = error as { cause?: { code?: unknown; message?: unknown }; message?: unknown };
  const code = typeof cause?.code === "string" ? cause.code : "";
  const reason = [cause?.message, code, message].find((text) => typeof text === "string" && text !== "");
  return { code, reason: String(reason ?? error) };
}

/** What an error of `fetch`, or of reading a body, means. */
export function fetchError(name: string, cause: unknown): Error {
  if (cause instanceof DocteurError || cause instanceof TransientError) return cause;
  const { code, reason } = reasonOf(cause);
  if (reason === BLOCKED_PORT)
    return httpError("Network", name, "fetch does not connect to this port", {
      hint: "serve the image on another port",
      cause,
    });
  if (!FINAL.test(code)) return new TransientError(`the connection failed: ${reason}`, { cause });
  const hint = code === "ENOTFOUND" ? "is the host's name right?" : "is the server the one that you mean?";
  return httpError("Network", name, `cannot connect: ${reason}`, { hint, cause });
}
