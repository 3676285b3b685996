/** The newstyle handshake: from a fresh connection to an export that can be read. */
import { TransientError } from "../range-source.js";
import type { NbdAddress } from "./address.js";
import {
  encodeGo,
  encodeOption,
  HANDSHAKE,
  INFO,
  INIT_MAGIC,
  OLDSTYLE_MAGIC,
  OPTION,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  REPLY,
} from "./protocol.js";
import { nbdError, protocolError, type Wire } from "./wire.js";

/** What a server says of an export. */
export interface NbdExport {
  /** Bytes. */
  size: number;
  /** Offsets and lengths of requests are multiples of it, save at the end of the export. */
  blockMin: number;
  /** Bytes of a request at the most: a multiple of `blockMin`. */
  blockMax: number;
  /** Whether replies come in chunks. */
  isStructured: boolean;
}

/** Bytes of a reply's data at the most: texts have 4,096, and infos are shorter. */
const REPLY_MAX = 8192;
/** Characters of a server's text that are shown. */
const TEXT_MAX = 200;
/** Replies to one option at the most. */
const REPLIES_MAX = 64;
/** "The minimum block size … MUST be a power of 2 … and no larger than 2^16" (doc/proto.md, block size constraints). */
const BLOCK_MIN_MAX = 1 << 16;
/** Where a server names no limits, clients "SHOULD" keep to these. */
const BLOCK_MIN_DEFAULT = 512;
const BLOCK_MAX_DEFAULT = 1 << 25;
/** Zeros behind the reply to EXPORT_NAME. */
const ZEROES_LEN = 124;

/** The texts of errors, where the server gives none. */
const REFUSALS: Readonly<Record<number, string>> = {
  [REPLY.ERR_POLICY]: "the server's policy forbids it",
  [REPLY.ERR_INVALID]: "the server calls the request invalid",
  [REPLY.ERR_PLATFORM]: "the server's platform does not support it",
  [REPLY.ERR_TLS_REQD]: "the server requires TLS",
  [REPLY.ERR_UNKNOWN]: "the server has no such export",
  [REPLY.ERR_BLOCK_SIZE_REQD]: "the server requires its block sizes",
};

interface OptionReply {
  type: number;
  data: Buffer;
}

/** One handshake. */
class Handshake {
  readonly #wire: Wire;
  readonly #address: NbdAddress;

  constructor(wire: Wire, address: NbdAddress) {
    this.#wire = wire;
    this.#address = address;
  }

  /** Reads the greeting, and answers it. @returns the flags that both sides have set */
  async greet(): Promise<number> {
    const greeting = await this.#wire.take(16);
    if (greeting.readBigUInt64BE(0) !== INIT_MAGIC)
      throw nbdError(this.#address, "Network", "not an NBD server");
    const style = greeting.readBigUInt64BE(8);
    if (style === OLDSTYLE_MAGIC)
      throw nbdError(
        this.#address,
        "Network",
        "the server speaks the oldstyle handshake only, which the protocol has given up",
      );
    if (style !== OPTION_MAGIC) throw protocolError(this.#address, "wrong magic number in the greeting");
    const flags =
      (await this.#wire.take(2)).readUInt16BE(0) & (HANDSHAKE.FIXED_NEWSTYLE | HANDSHAKE.NO_ZEROES);
    const answer = Buffer.alloc(4);
    answer.writeUInt32BE(flags, 0);
    this.#wire.write(answer);
    return flags;
  }

  /** Sends an option. @returns its replies, the final one last: REP_ACK or an error */
  async ask(option: number, data?: Uint8Array): Promise<OptionReply[]> {
    this.#wire.write(encodeOption(option, data));
    const replies: OptionReply[] = [];
    for (;;) {
      const reply = await this.#reply(option);
      replies.push(reply);
      if (reply.type === REPLY.ACK || reply.type >= 0x80000000) return replies;
      if (replies.length === REPLIES_MAX) throw protocolError(this.#address, "too many replies to an option");
    }
  }

  async #reply(option: number): Promise<OptionReply> {
    const head = await this.#wire.take(20);
    if (head.readBigUInt64BE(0) !== OPTION_REPLY_MAGIC)
      throw protocolError(this.#address, "wrong magic number in a reply to an option");
    if (head.readUInt32BE(8) !== option)
      throw protocolError(
        this.#address,
        `a reply to option ${head.readUInt32BE(8)}, which was not asked for`,
      );
    const length = head.readUInt32BE(16);
    if (length > REPLY_MAX) throw protocolError(this.#address, `a reply of ${length} bytes to an option`);
    return { type: head.readUInt32BE(12), data: await this.#wire.take(length) };
  }

  /** The error that a refusal stands for. */
  refused({ type, data }: OptionReply): Error {
    const said =
      data.length > 0 ? data.toString().slice(0, TEXT_MAX) : (REFUSALS[type] ?? `error ${type - 0x80000000}`);
    if (type === REPLY.ERR_SHUTDOWN) return new TransientError(`the server shuts down: ${said}`);
    const message = `cannot open the export: ${said}`;
    if (type === REPLY.ERR_UNKNOWN) return nbdError(this.#address, "Io", message);
    if (type === REPLY.ERR_POLICY) return nbdError(this.#address, "AccessDenied", message);
    if (type !== REPLY.ERR_TLS_REQD) return nbdError(this.#address, "Network", message);
    const hint = this.#address.tls === undefined ? "use the scheme nbds: or nbds+unix:" : undefined;
    return nbdError(this.#address, "AccessDenied", message, { hint });
  }

  async startTls(isFixed: boolean): Promise<void> {
    const tls = this.#address.tls;
    if (tls === undefined) return;
    const final = isFixed ? (await this.ask(OPTION.STARTTLS)).at(-1)! : undefined;
    if (final?.type !== REPLY.ACK)
      throw nbdError(this.#address, "Network", "the server does not offer TLS", {
        hint: "the schemes nbd: and nbd+unix: go without",
      });
    await this.#wire.startTls(tls);
  }

  /** Enters transmission by NBD_OPT_GO. @returns undefined where the server does not know that option */
  async go(): Promise<Omit<NbdExport, "isStructured"> | undefined> {
    const replies = await this.ask(OPTION.GO, encodeGo(this.#address.exportName, [INFO.BLOCK_SIZE]));
    const final = replies.pop()!;
    if (final.type === REPLY.ERR_UNSUP) return undefined;
    if (final.type !== REPLY.ACK) throw this.refused(final);
    let size: number | undefined;
    let blocks: [min: number, max: number] = [BLOCK_MIN_DEFAULT, BLOCK_MAX_DEFAULT];
    for (const { type, data } of replies) {
      if (type !== REPLY.INFO || data.length < 2)
        throw protocolError(this.#address, "an unknown reply to NBD_OPT_GO");
      const info = data.readUInt16BE(0);
      if (info === INFO.EXPORT) size = this.#size(data, 12);
      else if (info === INFO.BLOCK_SIZE) blocks = this.#blockSizes(data);
    }
    if (size === undefined) throw protocolError(this.#address, "NBD_OPT_GO was not told the export's size");
    return { size, blockMin: blocks[0], blockMax: blocks[1] };
  }

  #size(data: Buffer, length: number): number {
    const size = data.length === length ? Number(data.readBigUInt64BE(2)) : Number.NaN;
    if (Number.isSafeInteger(size)) return size;
    throw protocolError(this.#address, "the export's size is malformed, or 2^53 and more");
  }

  #blockSizes(data: Buffer): [min: number, max: number] {
    const [min, max] = data.length === 14 ? [data.readUInt32BE(2), data.readUInt32BE(10)] : [0, 0];
    const isPower = min > 0 && (min & (min - 1)) === 0;
    if (!isPower || min > BLOCK_MIN_MAX || max < min)
      throw protocolError(this.#address, `block sizes from ${min} to ${max}`);
    return [min, max - (max % min)];
  }

  /** Enters transmission by NBD_OPT_EXPORT_NAME, to which a server that refuses hangs up. */
  async enterByName(flags: number): Promise<Omit<NbdExport, "isStructured">> {
    this.#wire.write(encodeOption(OPTION.EXPORT_NAME, this.#address.exportName));
    const zeroes = flags & HANDSHAKE.NO_ZEROES ? 0 : ZEROES_LEN;
    const answer = await this.#wire.take(10 + zeroes).catch((cause: unknown) => {
      if (!(cause instanceof TransientError)) throw cause;
      throw nbdError(this.#address, "Io", "the server hung up instead of opening the export", {
        hint: "it has no such export, or does not let this machine in",
        cause,
      });
    });
    const info = Buffer.concat([Buffer.alloc(2), answer.subarray(0, 10)]);
    return { size: this.#size(info, 12), blockMin: BLOCK_MIN_DEFAULT, blockMax: BLOCK_MAX_DEFAULT };
  }
}

/**
 * Opens the export of an address.
 * @param wire a fresh connection; it is in the transmission phase then
 * @throws DocteurError `Network` for a server that is none or breaks the protocol, `AccessDenied` and `Io` for one
 *   that refuses the export; TransientError where the connection breaks
 */
export async function openExport(wire: Wire, address: NbdAddress): Promise<NbdExport> {
  const handshake = new Handshake(wire, address);
  const flags = await handshake.greet();
  const isFixed = (flags & HANDSHAKE.FIXED_NEWSTYLE) !== 0;
  await handshake.startTls(isFixed);
  if (!isFixed) return { ...(await handshake.enterByName(flags)), isStructured: false };
  const structured = (await handshake.ask(OPTION.STRUCTURED_REPLY)).at(-1)!;
  if (structured.type === REPLY.ERR_TLS_REQD || structured.type === REPLY.ERR_SHUTDOWN)
    throw handshake.refused(structured);
  const found = (await handshake.go()) ?? (await handshake.enterByName(flags));
  return { ...found, isStructured: structured.type === REPLY.ACK };
}
