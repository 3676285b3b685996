/** An NBD server that does what a test tells it to: it keeps to the protocol where the test says nothing else. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import {
  CHUNK,
  CHUNK_IS_LAST,
  CHUNK_MAGIC,
  HANDSHAKE,
  INFO,
  INIT_MAGIC,
  OPTION,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  REPLY,
  REQUEST_LEN,
  SIMPLE_REPLY_MAGIC,
} from "../../src/devices/nbd/protocol.js";

/** A request as it came. */
export interface FakeRequest {
  command: number;
  cookie: bigint;
  offset: number;
  length: number;
}

/** What the server does in its own way. */
export interface FakeNbdOptions {
  /** Content of the export. */
  content: Buffer;
  /** The greeting, where it is not that of fixed newstyle. */
  greeting?: Buffer;
  /** Replies to an option; undefined for the usual ones. */
  onOption?: (option: number, data: Buffer, socket: Socket) => Buffer | undefined;
  /** Answers a request in the place of the usual answer, if it returns true. */
  onRequest?: (request: FakeRequest, socket: Socket, count: number) => boolean;
  /** Whether structured replies are offered. */
  isStructured?: boolean;
}

/** A server that listens. */
export interface FakeNbdServer {
  url: string;
  /** Connections so far. */
  connections: number;
  /** Requests so far. */
  requests: FakeRequest[];
}

/** The greeting of fixed newstyle. */
export function greeting(first: bigint = INIT_MAGIC, second: bigint = OPTION_MAGIC): Buffer {
  const bytes = Buffer.alloc(18);
  bytes.writeBigUInt64BE(first, 0);
  bytes.writeBigUInt64BE(second, 8);
  bytes.writeUInt16BE(HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES, 16);
  return bytes;
}

/** A reply to an option. */
export function optionReply(option: number, type: number, data: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(20);
  head.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(type, 12);
  head.writeUInt32BE(data.length, 16);
  return Buffer.concat([head, data]);
}

/** What NBD_INFO_EXPORT says. */
export function exportInfo(size: bigint): Buffer {
  const data = Buffer.alloc(12);
  data.writeUInt16BE(INFO.EXPORT, 0);
  data.writeBigUInt64BE(size, 2);
  data.writeUInt16BE(3, 10);
  return data;
}

/** What NBD_INFO_BLOCK_SIZE says. */
export function blockSizeInfo(min: number, preferred: number, max: number): Buffer {
  const data = Buffer.alloc(14);
  data.writeUInt16BE(INFO.BLOCK_SIZE, 0);
  data.writeUInt32BE(min, 2);
  data.writeUInt32BE(preferred, 6);
  data.writeUInt32BE(max, 10);
  return data;
}

/** A chunk of a structured reply. */
export function chunk(cookie: bigint, type: number, payload: Buffer, isLast = false): Buffer {
  const head = Buffer.alloc(20);
  head.writeUInt32BE(CHUNK_MAGIC, 0);
  head.writeUInt16BE(isLast ? CHUNK_IS_LAST : 0, 4);
  head.writeUInt16BE(type, 6);
  head.writeBigUInt64BE(cookie, 8);
  head.writeUInt32BE(payload.length, 16);
  return Buffer.concat([head, payload]);
}

/** A chunk with content. */
export function dataChunk(cookie: bigint, offset: number, data: Buffer, isLast = false): Buffer {
  const place = Buffer.alloc(8);
  place.writeBigUInt64BE(BigInt(offset));
  return chunk(cookie, CHUNK.OFFSET_DATA, Buffer.concat([place, data]), isLast);
}

/** A simple reply. */
export function simpleReply(cookie: bigint, errno: number, data: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  head.writeUInt32BE(errno, 4);
  head.writeBigUInt64BE(cookie, 8);
  return Buffer.concat([head, data]);
}

/** One connection's side of the server. */
class Session {
  readonly #socket: Socket;
  readonly #options: FakeNbdOptions;
  readonly #server: FakeNbdServer;
  #bytes = Buffer.alloc(0);
  #isTransmission = false;
  #hasFlags = false;

  constructor(socket: Socket, options: FakeNbdOptions, server: FakeNbdServer) {
    this.#socket = socket;
    this.#options = options;
    this.#server = server;
    socket
      .on("error", () => undefined)
      .on("data", (piece: Buffer) => {
        this.#bytes = Buffer.concat([this.#bytes, piece]);
        while (this.#step());
      });
    socket.write(options.greeting ?? greeting());
  }

  #take(length: number): Buffer | undefined {
    if (this.#bytes.length < length) return undefined;
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }

  #step(): boolean {
    if (!this.#hasFlags) {
      this.#hasFlags = this.#take(4) !== undefined;
      return this.#hasFlags;
    }
    return this.#isTransmission ? this.#request() : this.#option();
  }

  #option(): boolean {
    if (this.#bytes.length < 16 || this.#bytes.length < 16 + this.#bytes.readUInt32BE(12)) return false;
    const head = this.#take(16)!;
    const option = head.readUInt32BE(8);
    const data = this.#take(head.readUInt32BE(12))!;
    const reply = this.#options.onOption?.(option, data, this.#socket) ?? this.#usual(option);
    this.#isTransmission = option === OPTION.GO || option === OPTION.EXPORT_NAME;
    this.#socket.write(reply);
    return true;
  }

  #usual(option: number): Buffer {
    const ack = optionReply(option, REPLY.ACK);
    if (option === OPTION.STRUCTURED_REPLY)
      return this.#options.isStructured ? ack : optionReply(option, REPLY.ERR_UNSUP);
    if (option !== OPTION.GO) return optionReply(option, REPLY.ERR_UNSUP);
    const info = exportInfo(BigInt(this.#options.content.length));
    return Buffer.concat([optionReply(option, REPLY.INFO, info), ack]);
  }

  #request(): boolean {
    const bytes = this.#take(REQUEST_LEN);
    if (bytes === undefined) return false;
    const request: FakeRequest = {
      command: bytes.readUInt16BE(6),
      cookie: bytes.readBigUInt64BE(8),
      offset: Number(bytes.readBigUInt64BE(16)),
      length: bytes.readUInt32BE(24),
    };
    const count = this.#server.requests.push(request);
    if (this.#options.onRequest?.(request, this.#socket, count)) return true;
    const { cookie, offset, length } = request;
    const data = this.#options.content.subarray(offset, offset + length);
    this.#socket.write(
      this.#options.isStructured ? dataChunk(cookie, offset, data, true) : simpleReply(cookie, 0, data),
    );
    return true;
  }
}

/** Replies to NBD_OPT_GO with these infos. */
export const goWith =
  (...infos: Buffer[]): NonNullable<FakeNbdOptions["onOption"]> =>
  (option) =>
    option !== OPTION.GO
      ? undefined
      : Buffer.concat([
          ...infos.map((info) => optionReply(option, REPLY.INFO, info)),
          optionReply(option, REPLY.ACK),
        ]);

/** Starts a server on the loopback. */
export async function startFakeNbdServer(t: TestContext, options: FakeNbdOptions): Promise<FakeNbdServer> {
  const sockets = new Set<Socket>();
  const state: FakeNbdServer = { url: "", connections: 0, requests: [] };
  const server = createServer((socket) => {
    sockets.add(socket);
    state.connections++;
    new Session(socket, options, state);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  state.url = `nbd://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return state;
}
