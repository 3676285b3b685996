/** Cross-origin requests (the Fetch standard, section 3.2, "CORS protocol"). */
import { type AnswerFields, addToField } from "./answer.js";
import type { Fields } from "./conditions.js";
import type { Settings } from "./options.js";

/** Fields of answers that scripts of other origins may read, beside those that they always may. */
const EXPOSED = "Accept-Ranges, Content-Encoding, Content-Range, ETag";
/** Fields of requests that they may send. */
const ALLOWED = "If-Match, If-Modified-Since, If-None-Match, If-Range, If-Unmodified-Since, Range";
/** Seconds for which a browser may remember that. */
const MAX_AGE = "86400";

/** The methods that a handler answers. */
export const METHODS = "GET, HEAD, OPTIONS";

/** Adds the fields that let the origin of a request read the answer, if it may. */
export function allowOrigin(fields: AnswerFields, request: Fields, { cors }: Pick<Settings, "cors">): void {
  if (cors === undefined) return;
  if (cors === true) {
    fields["access-control-allow-origin"] = "*";
  } else {
    addToField(fields, "vary", "Origin");
    const origin = request.get("origin");
    if (origin === null || !cors.has(origin)) return;
    fields["access-control-allow-origin"] = origin;
  }
  fields["access-control-expose-headers"] = EXPOSED;
}

/** Adds the fields that answer a preflight request. */
export function allowRequest(fields: AnswerFields, request: Fields, { cors }: Pick<Settings, "cors">): void {
  if (cors === undefined || request.get("access-control-request-method") === null) return;
  fields["access-control-allow-methods"] = METHODS;
  fields["access-control-allow-headers"] = ALLOWED;
  fields["access-control-max-age"] = MAX_AGE;
}
