/**
 * Requests to one repository of a registry, by the OCI Distribution Specification 1.1, with whatever the registry asks
 * for: nothing, Basic authentication, or a token (CNCF Distribution, "Token Authentication Specification").
 */
import { abortable } from "../../abort.js";
import { DocteurError } from "../../errors.js";
import { dropBody, readBody } from "../http/answer.js";
import { fetchError, httpError, statusError } from "../http/failures.js";
import { redacted } from "../redact.js";
import { PATIENCE, type Patience, retrying } from "../remote/retry.js";
import { type Challenge, parseChallenges } from "./challenge.js";
import type { Credentials, FindCredentials } from "./credentials.js";
import { formatReference, type OciReference } from "./reference.js";

/** What is done with a repository: it is in the tokens that are asked for. */
export type RegistryAccess = "pull" | "pull,push";

/** How requests are sent. */
export interface RegistryOptions {
  /** Sends requests, in place of the engine's `fetch`. */
  fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds that one try of a request may take, beside what its bytes take. */
  timeout?: number | undefined;
  /** Further tries of a request that failed and may succeed later. */
  retries?: number | undefined;
}

/** A request; its body is sent as often as there are tries. */
export interface RegistryRequest {
  method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH";
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array<ArrayBuffer> | (() => ReadableStream<Uint8Array>) | undefined;
  signal: AbortSignal;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const REDIRECTS_MAX = 5;
/** Bytes of an error's text, and of a token server's answer. */
const ERROR_MAX = 1 << 16;
const TOKEN_MAX = 1 << 20;
/** Characters of a registry's text that are shown. */
const SHOWN_MAX = 200;

function basic(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Speaks to a registry about one repository. */
export class Registry {
  /** The reference, for messages. */
  readonly name: string;
  readonly #reference: OciReference;
  readonly #access: RegistryAccess;
  readonly #find: FindCredentials;
  readonly #fetch: typeof globalThis.fetch;
  readonly #patience: Patience;
  /** The `Authorization` that the registry took last, or has asked for. */
  #authorization: string | undefined;
  #login: Promise<string> | undefined;

  constructor(
    reference: OciReference,
    access: RegistryAccess,
    find: FindCredentials,
    options: RegistryOptions = {},
  ) {
    const { fetch = globalThis.fetch, timeout = PATIENCE.timeout, retries = PATIENCE.retries } = options;
    this.name = formatReference(reference);
    this.#reference = reference;
    this.#access = access;
    this.#find = find;
    this.#fetch = fetch;
    this.#patience = { timeout, retries };
  }

  /** The URL of something in the repository. @param path such as `manifests/latest` */
  url(path: string): URL {
    const { origin, repository } = this.#reference;
    return new URL(`${origin}/v2/${repository}/${path}`);
  }

  /**
   * `fetch` with authorization, for requests to the registry's origin; others are sent as they are.
   * @throws DocteurError `AccessDenied` where the registry refuses whatever we have, `Network` for a token server that
   *   cannot be trusted with it
   */
  readonly fetch = async (url: URL, init: RequestInit): Promise<Response> => {
    if (url.origin !== this.#reference.origin) return this.#fetch(url, init);
    const sent = this.#authorization;
    const response = await this.#send(url, init, sent);
    if (response.status !== 401) return response;
    dropBody(response);
    // Another request may have logged in meanwhile.
    if (sent === this.#authorization) {
      // For all requests that need it, whichever of them is aborted.
      this.#login ??= this.#logIn(response).finally(() => {
        this.#login = undefined;
      });
      this.#authorization = await abortable(this.#login, init.signal ? [init.signal] : []);
    }
    const again = await this.#send(url, init, this.#authorization);
    if (again.status !== 401) return again;
    dropBody(again);
    throw this.#denied("the registry refuses the credentials");
  };

  #send(url: URL, init: RequestInit, authorization: string | undefined): Promise<Response> {
    const headers = new Headers(init.headers);
    if (authorization !== undefined) headers.set("authorization", authorization);
    return this.#fetch(url, { ...init, headers, redirect: "manual" });
  }

  #denied(what: string, hint = `docker login ${this.#reference.registry}`): DocteurError {
    return httpError("AccessDenied", this.name, what, { hint });
  }

  /** What a challenge is answered with. */
  async #logIn(response: Response): Promise<string> {
    const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
    const credentials = await this.#find(this.#reference.registry);
    const bearer = challenges.find(({ scheme }) => scheme === "bearer");
    if (bearer !== undefined) return `Bearer ${await this.#token(bearer, credentials)}`;
    if (!challenges.some(({ scheme }) => scheme === "basic"))
      throw this.#denied("the registry asks for an authentication that docteur does not know");
    if (credentials === undefined) throw this.#denied("the registry asks for credentials");
    if ("identityToken" in credentials) throw this.#denied("the registry takes no token");
    return basic(credentials.username, credentials.password);
  }

  /** Where tokens are given out. */
  #realm(challenge: Challenge): URL {
    let realm: URL | undefined;
    try {
      realm = new URL(challenge.parameters.get("realm") ?? "");
    } catch {
      // Said below.
    }
    const isSecure = realm?.protocol === "https:";
    // What may be read on the way to the registry may be read on the way to its token server.
    if (
      realm !== undefined &&
      (isSecure || (realm.protocol === "http:" && this.#reference.origin.startsWith("http:")))
    )
      return realm;
    const where = realm === undefined ? "that has no address" : `that is not secure: ${redacted(realm)}`;
    throw httpError("Network", this.name, `the registry sends us to a token server ${where}`);
  }

  async #token(challenge: Challenge, credentials: Credentials | undefined): Promise<string> {
    const realm = this.#realm(challenge);
    const query = new URLSearchParams();
    const service = challenge.parameters.get("service");
    if (service !== undefined) query.set("service", service);
    query.set("scope", `repository:${this.#reference.repository}:${this.#access}`);
    const init: RequestInit = { redirect: "error", signal: AbortSignal.timeout(this.#patience.timeout) };
    if (credentials !== undefined && "identityToken" in credentials) {
      query.set("grant_type", "refresh_token");
      query.set("client_id", "docteur");
      query.set("refresh_token", credentials.identityToken);
      init.method = "POST";
      init.body = query;
    } else {
      for (const [name, value] of query) realm.searchParams.append(name, value);
      if (credentials !== undefined)
        init.headers = { authorization: basic(credentials.username, credentials.password) };
    }
    return this.#askForToken(realm, init);
  }

  async #askForToken(realm: URL, init: RequestInit): Promise<string> {
    const name = `${this.name}: the token server ${redacted(realm)}`;
    let response: Response;
    try {
      response = await this.#fetch(realm, init);
    } catch (error) {
      throw fetchError(name, error);
    }
    if (response.status === 401 || response.status === 403) {
      dropBody(response);
      throw this.#denied("the registry's token server refuses us");
    }
    if (!response.ok) {
      dropBody(response);
      throw statusError(name, response);
    }
    const body = await readBody(name, response, TOKEN_MAX);
    const answer = parseJson(new TextDecoder().decode(body));
    const token = answer?.token ?? answer?.access_token;
    // A header holds nothing else.
    if (typeof token === "string" && /^[\x21-\x7e]+$/.test(token)) return token;
    throw httpError("Network", name, "it gives no token");
  }

  /** Does something again where it fails in a way that may pass. @param length bytes that are sent or expected */
  attempts<T>(signal: AbortSignal, length: number, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return retrying({ name: this.name, patience: this.#patience, length, signal, attempt });
  }

  /**
   * Sends a request, again where it fails in a way that may pass.
   * @param path in the repository, or a whole URL that the registry has given
   * @param statuses those of an answer to return; any other is an error
   */
  request(path: string | URL, request: RegistryRequest, statuses: readonly number[]): Promise<Response> {
    return this.attempts(request.signal, 0, (signal) => this.once(path, { ...request, signal }, statuses));
  }

  /** Sends a request once. @throws TransientError, DocteurError */
  async once(path: string | URL, request: RegistryRequest, statuses: readonly number[]): Promise<Response> {
    const { method = "GET", headers = {}, body = null, signal } = request;
    let url = typeof path === "string" ? this.url(path) : path;
    for (let count = 0; count <= REDIRECTS_MAX; count++) {
      let response: Response;
      try {
        const init: RequestInit = { method, headers, signal, redirect: "manual" };
        if (typeof body === "function") Object.assign(init, { body: body(), duplex: "half" });
        else if (body !== null) init.body = body;
        response = await this.fetch(url, init);
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        throw fetchError(this.name, error);
      }
      if (statuses.includes(response.status)) return response;
      const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
      if (location === null || (method !== "GET" && method !== "HEAD")) throw await this.#refusal(response);
      dropBody(response);
      url = this.resolve(location, url);
    }
    throw httpError("Io", this.name, `the registry redirects more than ${REDIRECTS_MAX} times`);
  }

  /** An address that the registry gives. */
  resolve(location: string, from: URL): URL {
    let url: URL | undefined;
    try {
      url = new URL(location, from);
    } catch {
      // Said below.
    }
    const isFit = url?.protocol === "https:" || (url?.protocol === "http:" && from.protocol === "http:");
    if (url !== undefined && isFit) return url;
    throw httpError("Network", this.name, "the registry gives an address that is not secure, or none");
  }

  /** The error of an answer, with the registry's own words: a list of codes and messages. */
  async #refusal(response: Response): Promise<Error> {
    const general = statusError(this.name, response);
    const body = await readBody(this.name, response, ERROR_MAX).catch(() => undefined);
    const { errors } = parseJson(new TextDecoder().decode(body)) ?? {};
    const first = Array.isArray(errors) ? (errors[0] as { code?: unknown; message?: unknown } | null) : null;
    if (!(general instanceof DocteurError) || typeof first?.code !== "string") return general;
    const { code, hint } = general;
    const text = typeof first.message === "string" ? `: ${first.message}` : "";
    const said = `${first.code}${text}`.slice(0, SHOWN_MAX);
    return httpError(code, this.name, `the registry answers ${response.status}, ${said}`, {
      hint: code === "AccessDenied" ? `docker login ${this.#reference.registry}` : hint,
    });
  }
}
