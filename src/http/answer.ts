/** An answer as the handler makes it, before it is a `Response` or goes out by node:http. */
import type { Chunks } from "./content.js";

/** Header fields by their names in small letters. */
export type AnswerFields = Record<string, string>;

/** The body of an answer. Bytes may be shared with a cache: nobody may change them. */
export type Body = Uint8Array<ArrayBuffer> | Chunks | string | null;

/** Whether a body comes in pieces. */
export function isChunks(body: Body): body is Chunks {
  return typeof body === "object" && body !== null && "next" in body;
}

/** An answer on its way. */
export interface Answer {
  status: number;
  fields: AnswerFields;
  body: Body;
}

const PHRASES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  416: "Range Not Satisfiable",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** Adds a value to a field that is a list. */
export function addToField(fields: AnswerFields, name: string, value: string): void {
  const before = fields[name];
  fields[name] = before === undefined ? value : `${before}, ${value}`;
}

/** An answer that says its status and nothing else. */
export function plain(status: number, more: AnswerFields = {}): Answer {
  const body = `${status} ${PHRASES[status]}\n`;
  const fields = {
    "content-type": "text/plain; charset=utf-8",
    "content-length": String(body.length),
    "cache-control": "no-cache",
    ...more,
  };
  return { status, fields, body };
}
