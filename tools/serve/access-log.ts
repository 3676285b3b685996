/** The access log: a line for each request, in which nothing that a client sends ends the line or looks like another field. */
import { write } from "node:fs";
import { printable, printableJson } from "../../src/text/printable.js";

/** Forms of the log. */
export const LOG_FORMS = ["combined", "json", "none"] as const;
export type LogForm = (typeof LOG_FORMS)[number];

/** A request, as the log tells of it. */
export interface Logged {
  time: Date;
  /** The address of the client, if the connection still has one. */
  remote: string | undefined;
  method: string;
  /** As the request has it: a path with its query. */
  url: string;
  /** "HTTP/1.1" */
  protocol: string;
  status: number;
  /** Bytes of the body that were sent. */
  bodyBytes: number;
  milliseconds: number;
  referrer: string | undefined;
  agent: string | undefined;
  /** Whether the client left before it had all. */
  isAborted: boolean;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const two = (value: number): string => String(value).padStart(2, "0");

/** A time as the Common Log Format has it, in UTC. */
function logTime(time: Date): string {
  const day = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]}/${time.getUTCFullYear()}`;
  return `${day}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000`;
}

/** A value between quotes: quotes, backslashes and everything that is not visible ASCII are escapes, as nginx has them. */
export function quotedField(text: string | undefined): string {
  if (text === undefined || text === "") return '"-"';
  const escaped = text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, (character) =>
    Array.from(
      Buffer.from(character),
      (byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    ).join(""),
  );
  return `"${escaped}"`;
}

/** A line of the Combined Log Format. */
export function combinedLine(logged: Logged): string {
  const { time, remote = "-", method, url, protocol, status, bodyBytes, referrer, agent } = logged;
  const request = quotedField(`${method} ${url} ${protocol}`);
  return `${remote} - - [${logTime(time)}] ${request} ${status} ${bodyBytes} ${quotedField(referrer)} ${quotedField(agent)}\n`;
}

/** A line of JSON: docs/schemas/serve-log.json describes it. */
export function jsonLine(logged: Logged): string {
  const { time, isAborted, milliseconds, ...rest } = logged;
  const fields = { ...rest, milliseconds: Math.round(milliseconds * 1000) / 1000, aborted: isAborted };
  return `${printableJson({ time: time.toISOString(), ...fields })}\n`;
}

/** Characters that wait to be written, at most; lines beyond them are dropped. */
const WAITING_MAX = 1 << 20;
/** Milliseconds before a write is tried again that a full pipe refused. */
const RETRY_MS = 50;

/** Writes lines to a descriptor without ever waiting for its reader: a log that nobody reads must not stop the server. */
export class LogWriter {
  readonly #fd: number;
  #lines: string[] = [];
  #waiting = 0;
  #isWriting = false;
  #isBroken = false;
  #dropped = 0;
  #idle: (() => void)[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Lines that were dropped. */
  get dropped(): number {
    return this.#dropped;
  }

  line(text: string): void {
    if (this.#isBroken || this.#waiting + text.length > WAITING_MAX) {
      this.#dropped++;
      return;
    }
    this.#lines.push(text);
    this.#waiting += text.length;
    if (!this.#isWriting) {
      this.#isWriting = true;
      // Lines of one turn of the event loop go out together.
      setImmediate(() => this.#writeAll());
    }
  }

  /** Waits until everything is written, or given up. */
  flushed(): Promise<void> {
    return this.#isWriting ? new Promise((resolve) => this.#idle.push(resolve)) : Promise.resolve();
  }

  #writeAll(): void {
    const bytes = Buffer.from(this.#lines.join(""));
    this.#lines = [];
    this.#waiting = 0;
    if (bytes.length > 0) {
      this.#write(bytes);
      return;
    }
    this.#isWriting = false;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #write(bytes: Buffer): void {
    write(this.#fd, bytes, 0, bytes.length, null, (error, count) => {
      if (error?.code === "EAGAIN") {
        setTimeout(() => this.#write(bytes), RETRY_MS).unref();
        return;
      }
      if (error !== null) {
        // Nobody reads the log any more. The server goes on.
        this.#isBroken = true;
        this.#writeAll();
      } else if (count < bytes.length) this.#write(bytes.subarray(count));
      else this.#writeAll();
    });
  }
}

/** The function that writes a form of the log; undefined for none. */
export function lineWriter(form: LogForm, writer: LogWriter): ((logged: Logged) => void) | undefined {
  if (form === "none") return undefined;
  const format = form === "json" ? jsonLine : combinedLine;
  return (logged) => writer.line(format(logged));
}

/** A message of the server among the lines of its log. */
export function messageLine(form: LogForm, text: string): string {
  if (form === "json") return `${printableJson({ time: new Date().toISOString(), message: text })}\n`;
  return `docteur: ${printable(text)}\n`;
}
