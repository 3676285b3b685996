/** An object of S3, or of a service that speaks its protocol, as a source of ranges: signed requests over HTTP. */
import { DocteurError } from "../../errors.js";
import { readBody } from "../http/answer.js";
import { httpError } from "../http/failures.js";
import { type HttpOptions, openHttp } from "../http.js";
import type { RangeSource } from "../range-source.js";
import { redacted } from "../redact.js";
import { parseS3Url, s3Address } from "./address.js";
import type { S3Keys, S3Settings } from "./settings.js";

/** Bytes of an error's text. */
const ERROR_MAX = 1 << 16;

/** Statuses of refusals that S3 explains, 301 and 307 where they lead nowhere; all others mean what they mean elsewhere. */
const EXPLAINED = new Set([301, 307, 400, 401, 403, 404, 405]);

/**
 * Errors of keys that are wrong, old or without the permission (Amazon S3 API Reference, "Error responses"); the last is
 * versitygw's.
 */
const DENIED =
  /^(?:AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|RequestTimeTooSkewed|AllAccessDisabled|AccountProblem|InvalidSecurity|TokenRefreshRequired|XAdminUserNotFound)/;

/** The text of an element. */
function element(xml: string, name: string): string | undefined {
  const [, text] = new RegExp(`<${name}>([^<]{1,300})</${name}>`).exec(xml) ?? [];
  return text?.replace(
    /&(lt|gt|quot|apos|amp);/g,
    (_, entity) => ({ lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" })[entity as string]!,
  );
}

/** Signs requests. @throws DocteurError `InvalidArgument` where the package that does it is missing */
async function loadSigner(): Promise<typeof import("aws4fetch").AwsV4Signer> {
  try {
    return (await import("aws4fetch")).AwsV4Signer;
  } catch (cause) {
    throw new DocteurError(
      "InvalidArgument",
      "signed requests of S3 need the package aws4fetch, which is not installed",
      {
        hint: "npm install aws4fetch",
        cause,
      },
    );
  }
}

/** Sends signed requests, and explains refusals. */
class S3Fetch {
  readonly #name: string;
  readonly #address: URL;
  readonly #settings: S3Settings;
  readonly #fetch: typeof globalThis.fetch;

  constructor(name: string, address: URL, settings: S3Settings, fetch: typeof globalThis.fetch) {
    this.#name = name;
    this.#address = address;
    this.#settings = settings;
    this.#fetch = fetch;
  }

  readonly fetch = async (url: URL, init: RequestInit): Promise<Response> => {
    // Where a redirect leads elsewhere, it brings its own signature, or needs none.
    if (url.origin !== this.#address.origin) return this.#fetch(url, init);
    const { keys } = this.#settings;
    const headers =
      keys === undefined ? init.headers : await this.#sign(keys, url, new Headers(init.headers));
    const response = await this.#fetch(url, { ...init, headers: headers ?? {} });
    if (EXPLAINED.has(response.status) && !response.headers.has("location"))
      throw await this.#refusal(response);
    return response;
  };

  async #sign(keys: S3Keys, url: URL, headers: Headers): Promise<Headers> {
    const Signer = await loadSigner();
    // Proxies may change it.
    const encoding = headers.get("accept-encoding");
    headers.delete("accept-encoding");
    const signer = new Signer({
      ...{ method: "GET", url: url.href, headers, service: "s3", region: this.#settings.region },
      ...{ accessKeyId: keys.accessKeyId, secretAccessKey: keys.secretAccessKey },
      ...(keys.sessionToken === undefined ? {} : { sessionToken: keys.sessionToken }),
    });
    const signed = (await signer.sign()).headers;
    if (encoding !== null) signed.set("accept-encoding", encoding);
    return signed;
  }

  async #refusal(response: Response): Promise<DocteurError> {
    const { region, keys } = this.#settings;
    const { status } = response;
    const body = await readBody(this.#name, response, ERROR_MAX).catch(() => undefined);
    const xml = new TextDecoder().decode(body);
    const code = element(xml, "Code") ?? "";
    const said = [code, element(xml, "Message")].filter((text) => text).join(": ");
    const what = `the service answers ${status}${said === "" ? "" : `, ${said}`}`;
    const other = response.headers.get("x-amz-bucket-region") ?? element(xml, "Region") ?? region;
    if (other !== region && /^[a-z0-9-]+$/.test(other))
      return httpError("Io", this.#name, what, {
        hint: `the bucket is in another region: AWS_REGION=${other}`,
      });
    const isDenied = DENIED.test(code) || status === 401 || status === 403;
    if (!isDenied) return httpError("Io", this.#name, what);
    const hint =
      keys === undefined
        ? "the request was not signed: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, give keys"
        : undefined;
    return httpError("AccessDenied", this.#name, what, { hint });
  }
}

/**
 * Opens an object.
 * @param url `s3://bucket/key`
 * @param settings region, endpoint and keys
 * @throws DocteurError
 */
export async function openS3(url: URL, options: HttpOptions, settings: S3Settings): Promise<RangeSource> {
  const { region, endpoint } = settings;
  const address = s3Address(parseS3Url(url), region, endpoint);
  const name = redacted(url);
  const sender = new S3Fetch(name, address, settings, options.fetch ?? globalThis.fetch);
  const fetch = sender.fetch as typeof globalThis.fetch;
  const source = await openHttp(address, { ...options, headers: undefined, sign: undefined, fetch });
  const { size, identity, prefetched } = source;
  return {
    ...{ size, name, identity, prefetched },
    read: (offset, length, signal) => source.read(offset, length, signal),
    readParts: source.readParts?.bind(source),
    close: () => source.close?.(),
  };
}
