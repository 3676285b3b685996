/**
 * Requests of one file: its address, which may be signed anew or lead on to another place, and the caller's headers,
 * which go to nobody but the host that they are for.
 */
import { invalid, shown } from "../../arguments.js";
import { redacted } from "../redact.js";
import { dropBody } from "./answer.js";
import { fetchError, httpError } from "./failures.js";

/** Headers, in the forms that `fetch` takes. */
export type HeadersLike = Headers | Readonly<Record<string, string>> | [name: string, value: string][];

/** Headers of requests, or what gives them for each. */
export type HeadersOption = HeadersLike | ((url: URL) => HeadersLike | Promise<HeadersLike>);

/** Gives the address to read from, such as one that is signed for a while. */
export type Sign = (url: URL) => string | URL | Promise<string | URL>;

/** How requests are sent. */
export interface TransportOptions {
  /** Sends requests, in place of the engine's `fetch`. It must leave redirects to its caller if it is asked to. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Headers of every request, or a function that gives them. They go to the origin of the image's URL alone. */
  headers?: HeadersOption | undefined;
  /**
   * Gives the address to read from in place of the image's URL: one that is signed for a while. It is called when
   * the image is opened, and again when the server refuses the address that it gave last.
   */
  sign?: Sign | undefined;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const REDIRECTS_MAX = 10;
/** Statuses of an address that has expired. */
const EXPIRED = new Set([400, 401, 403, 404, 410]);

/** The origin of the page or worker that this runs in; undefined outside of browsers. */
function pageOrigin(): string | undefined {
  return (globalThis as { location?: Location }).location?.origin;
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** An `Authorization` of a user and a password (RFC 7617), and the URL without them, which `fetch` refuses. */
function takeCredentials(url: URL): { plain: URL; basic: string | undefined } {
  const plain = new URL(url);
  if (url.username === "" && url.password === "") return { plain, basic: undefined };
  plain.username = "";
  plain.password = "";
  const text = `${unescaped(url.username)}:${unescaped(url.password)}`;
  const binary = String.fromCharCode(...new TextEncoder().encode(text));
  return { plain, basic: `Basic ${btoa(binary)}` };
}

export class Transport {
  /** The address in messages, without credentials. */
  readonly name: string;
  readonly #url: URL;
  readonly #basic: string | undefined;
  readonly #options: TransportOptions;
  /** The signed address, while it holds. */
  #signed: Promise<URL> | undefined;
  /** Where the server has sent us, while that holds. */
  #target: URL | undefined;

  /** @param url `http:` or `https:` */
  constructor(url: URL, options: TransportOptions) {
    const { plain, basic } = takeCredentials(url);
    plain.hash = "";
    this.#url = plain;
    this.#basic = basic;
    this.name = redacted(plain);
    this.#options = options;
  }

  /** The address that was given, without credentials. */
  get url(): URL {
    return this.#url;
  }

  /** Whether a browser would ask the server for its leave first, were a request not of the simplest form. */
  get isCrossOrigin(): boolean {
    const origin = pageOrigin();
    return origin !== undefined && origin !== this.#url.origin;
  }

  /**
   * Sends a request.
   * @param headers those of this request
   * @returns the answer, which may be of any status but a redirect
   * @throws `TransientError` or `DocteurError`
   */
  async get(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    const isKnown = this.#target !== undefined || this.#signed !== undefined;
    const response = await this.#follow(headers, signal);
    if (!isKnown || !EXPIRED.has(response.status)) return response;
    // The address that was found earlier does not hold any more: this is the way to it again.
    dropBody(response);
    this.#target = undefined;
    this.#signed = undefined;
    return this.#follow(headers, signal);
  }

  async #follow(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    let url = this.#target ?? (await this.#start());
    for (let count = 0; count <= REDIRECTS_MAX; count++) {
      const response = await this.#send(url, headers, signal);
      if (response.type === "opaqueredirect") throw this.#hiddenRedirect();
      const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
      if (location === null) {
        if (response.redirected && response.url !== "") url = new URL(response.url);
        if (response.ok && (count > 0 || response.redirected)) this.#target = url;
        return response;
      }
      dropBody(response);
      url = this.#next(location, url);
    }
    throw httpError("Io", this.name, `the server redirects more than ${REDIRECTS_MAX} times`);
  }

  /** The address to begin at. */
  async #start(): Promise<URL> {
    const { sign } = this.#options;
    if (sign === undefined) return this.#url;
    this.#signed ??= this.#sign(sign);
    const signed = this.#signed;
    return signed.catch((error: unknown) => {
      if (this.#signed === signed) this.#signed = undefined;
      throw error;
    });
  }

  async #sign(sign: Sign): Promise<URL> {
    const given: unknown = await sign(new URL(this.#url));
    let url: URL;
    try {
      url = new URL(String(given), this.#url);
    } catch {
      throw invalid(`${this.name}: the option sign gave ${shown(given)}, which is not a URL`);
    }
    if (url.protocol === "http:" || url.protocol === "https:") return url;
    throw invalid(`${this.name}: the option sign gave a URL of ${url.protocol}`);
  }

  /** Where a redirect leads. */
  #next(location: string, from: URL): URL {
    let url: URL | undefined;
    try {
      url = takeCredentials(new URL(location, from)).plain;
    } catch {
      // Said below.
    }
    if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:"))
      throw httpError("Io", this.name, "the server redirects to something that is not an HTTP address");
    if (from.protocol === "https:" && url.protocol === "http:")
      throw httpError("Network", this.name, `the server redirects from https to ${redacted(url)}`);
    return url;
  }

  /** Browsers do not tell where a redirect leads, and would send the caller's headers there. */
  #hiddenRedirect(): Error {
    return httpError("Io", this.name, "the server redirects, and the headers might get to another origin", {
      hint: "open the address that it redirects to, or give a fetch of your own",
    });
  }

  /** The caller's headers, for a URL that may have them. */
  async #secrets(url: URL): Promise<Headers> {
    if (url.origin !== this.#url.origin) return new Headers();
    const { headers } = this.#options;
    const given = typeof headers === "function" ? await headers(new URL(url)) : headers;
    let secrets: Headers;
    try {
      secrets = new Headers(given as Record<string, string>);
    } catch {
      // The engine's own message may hold the value.
      throw invalid(`${this.name}: the option headers holds what is not a header`);
    }
    if (this.#basic !== undefined && !secrets.has("authorization")) secrets.set("authorization", this.#basic);
    return secrets;
  }

  async #send(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response> {
    const all = await this.#secrets(url);
    let hasSecrets = false;
    all.forEach(() => {
      hasSecrets = true;
    });
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    const inBrowser = pageOrigin() !== undefined;
    const { fetch = globalThis.fetch } = this.#options;
    const init: RequestInit = {
      headers: all,
      signal,
      redirect: inBrowser && !hasSecrets ? "follow" : "manual",
    };
    // Browsers serve the ranges of one file one after the other while their cache is at work.
    if (inBrowser) init.cache = "no-store";
    else all.set("accept-encoding", "identity");
    try {
      return await fetch(url, init);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      // The next try takes the whole way again.
      this.#target = undefined;
      throw fetchError(this.name, error);
    }
  }
}
