/** A connection as a stream of bytes that is read in exact amounts, in the clear at first and then perhaps over TLS. */
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { getSystemErrorMap } from "node:util";
import { DocteurError, type ErrorCode } from "../../errors.js";
import { systemCode } from "../../node/io-error.js";
import { TransientError } from "../range-source.js";
import { type NbdAddress, type NbdTls, sniName } from "./address.js";

/** Bytes that may wait to be read before the server is asked to pause. */
const WAITING_MAX = 1 << 20;

/** Milliseconds that a server has to close a connection that is over. */
const GOODBYE_TIME = 1000;

/** Codes of connections that cannot be made, however often one tries. */
const UNREACHABLE = new Set(["ENOTFOUND", "ENOENT", "EACCES", "EINVAL", "ENOTSOCK"]);

/** A failure in the system's words. Where a name has several addresses, it is an `AggregateError` without any. */
function reasonOf(cause: Error & { errno?: number; errors?: Error[] }): string {
  const { errno, message }: Error & { errno?: number } = cause.errors?.[0] ?? cause;
  return getSystemErrorMap().get(errno ?? 0)?.[1] ?? message;
}

/** A final error of a server's. */
export function nbdError(
  { name }: NbdAddress,
  code: ErrorCode,
  what: string,
  where: { hint?: string | undefined; cause?: unknown } = {},
): DocteurError {
  return new DocteurError(code, `${name}: ${what}`, { url: name, ...where });
}

/** A server that does not keep to the protocol. Asking again does not help. */
export function protocolError(address: NbdAddress, defect: string): DocteurError {
  return nbdError(address, "Network", `the server breaks the NBD protocol: ${defect}`);
}

/** Reads and writes bytes of one connection. One read at a time. */
export class Wire {
  readonly #address: NbdAddress;
  #socket: Socket;
  #chunks: Buffer[] = [];
  #waitingLen = 0;
  /** Why nothing comes any more. */
  #failure: Error | undefined;
  /** Wakes the read that waits for bytes. */
  #wake: (() => void) | undefined;
  /** Ends the start of TLS. */
  #onFailure: ((reason: Error) => void) | undefined;

  /** Connects. Bytes that are written before that has come about wait; reads reject where it fails. */
  constructor(address: NbdAddress) {
    this.#address = address;
    this.#socket = connectTcp({ ...address.place, noDelay: true });
    this.#attach(this.#socket);
  }

  #attach(socket: Socket): void {
    socket.on("data", (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#waitingLen += chunk.length;
      if (this.#waitingLen > WAITING_MAX) socket.pause();
      this.#wake?.();
    });
    socket.on("error", (cause) => this.fail(this.#explain(cause)));
    socket.on("timeout", () =>
      this.fail(new TransientError(`no answer within ${(socket.timeout ?? 0) / 1000} seconds`)),
    );
    socket.on("close", () => this.fail(new TransientError("the server closed the connection")));
    socket.on("end", () => this.fail(new TransientError("the server closed the connection")));
  }

  #explain(cause: Error): Error {
    const reason = reasonOf(cause);
    return UNREACHABLE.has(systemCode(cause) ?? "")
      ? nbdError(this.#address, "Network", reason, { cause })
      : new TransientError(reason, { cause });
  }

  /** Ends the connection at once. Reads reject with the reason of the first call. */
  fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#socket.destroy();
    this.#wake?.();
    this.#onFailure?.(reason);
  }

  /** Calls `fail` once the connection has been still for some time; 0 milliseconds end that. */
  failWhenStill(milliseconds: number): void {
    this.#socket.setTimeout(milliseconds);
    // A connection that waits for nothing does not keep the process alive.
    if (milliseconds === 0) this.#socket.unref();
    else this.#socket.ref();
  }

  write(bytes: Uint8Array): void {
    if (this.#failure === undefined) this.#socket.write(bytes);
  }

  /** Fills `target`. @throws why the connection ended before that */
  async read(target: Uint8Array): Promise<void> {
    for (let done = 0; done < target.length; ) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) {
        await this.#more();
        continue;
      }
      const part = chunk.subarray(0, target.length - done);
      target.set(part, done);
      done += part.length;
      this.#waitingLen -= part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
      if (this.#waitingLen <= WAITING_MAX) this.#socket.resume();
    }
  }

  async #more(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  /** The next bytes. @param length of a header or a message, not of content */
  async take(length: number): Promise<Buffer> {
    const bytes = Buffer.alloc(length);
    await this.read(bytes);
    return bytes;
  }

  /**
   * Goes on over TLS.
   * @throws DocteurError `Network` where the server cannot be trusted, or has sent what should have come over TLS
   */
  async startTls(tls: NbdTls): Promise<void> {
    if (this.#waitingLen > 0) throw protocolError(this.#address, "bytes in the clear after the start of TLS");
    const plain = this.#socket;
    plain.removeAllListeners();
    const host = "host" in this.#address.place ? this.#address.place.host : tls.servername;
    const options = { ...tls, socket: plain, servername: sniName(tls), host };
    await new Promise<void>((resolve, reject) => {
      const secure = connectTls(options, resolve);
      this.#socket = secure;
      this.#onFailure = reject;
      secure.on("error", (cause) => this.fail(this.#explainTls(cause)));
      this.#attach(secure);
    });
    this.#onFailure = undefined;
  }

  #explainTls(cause: Error): Error {
    const code = systemCode(cause) ?? "";
    if (/^(?:ECONN|EPIPE|ETIMEDOUT)/.test(code)) return this.#explain(cause);
    return nbdError(this.#address, "Network", `cannot trust the server: ${cause.message}`, {
      hint: "tls-certificates=FOLDER gives the authority's certificate, tls-hostname=NAME the server's name",
      cause,
    });
  }

  /** Sends the last bytes and closes. */
  end(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    this.#failure = nbdError(this.#address, "Closed", "the source is closed");
    this.#socket.removeAllListeners("data").removeAllListeners("timeout");
    this.#socket.resume();
    this.#socket.setTimeout(GOODBYE_TIME, () => this.#socket.destroy());
    this.#socket.unref();
    this.#socket.end(bytes);
    this.#wake?.();
  }
}
