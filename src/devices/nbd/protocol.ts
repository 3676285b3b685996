/**
 * The numbers and messages of the NBD protocol that a client which only reads needs. All integers are big-endian.
 * Source: NetworkBlockDevice/nbd, doc/proto.md, whose names for them are in the comments.
 */

/** The port that IANA gave to NBD. */
export const NBD_PORT = 10809;

/** The first eight bytes of every server: "NBDMAGIC". */
export const INIT_MAGIC = 0x4e42444d41474943n;
/** "IHAVEOPT": what follows in the newstyle handshake, and what begins each option. */
export const OPTION_MAGIC = 0x49484156454f5054n;
/** What follows in the oldstyle handshake (`cliserv_magic`). */
export const OLDSTYLE_MAGIC = 0x00420281861253n;
/** Begins each reply to an option. */
export const OPTION_REPLY_MAGIC = 0x3e889045565a9n;
/** Begins each request, simple reply and chunk of a structured reply. */
export const REQUEST_MAGIC = 0x25609513;
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const CHUNK_MAGIC = 0x668e33ef;

/** Handshake flags of the server's, and of the client's: bits 0 and 1 mean what they mean there. */
export const HANDSHAKE = { FIXED_NEWSTYLE: 1, NO_ZEROES: 2 } as const;

/** Option types (`NBD_OPT_…`). */
export const OPTION = { EXPORT_NAME: 1, ABORT: 2, STARTTLS: 5, GO: 7, STRUCTURED_REPLY: 8 } as const;

/** Types of replies to options (`NBD_REP_…`). Bit 31 marks errors. */
export const REPLY = {
  ACK: 1,
  INFO: 3,
  ERR_UNSUP: 0x80000001,
  ERR_POLICY: 0x80000002,
  ERR_INVALID: 0x80000003,
  ERR_PLATFORM: 0x80000004,
  ERR_TLS_REQD: 0x80000005,
  ERR_UNKNOWN: 0x80000006,
  ERR_SHUTDOWN: 0x80000007,
  ERR_BLOCK_SIZE_REQD: 0x80000008,
} as const;

/** What a reply of type `REPLY.INFO` tells (`NBD_INFO_…`). */
export const INFO = { EXPORT: 0, BLOCK_SIZE: 3 } as const;

/** Request types (`NBD_CMD_…`). */
export const COMMAND = { READ: 0, DISC: 2 } as const;

/** Types of chunks (`NBD_REPLY_TYPE_…`). Bit 15 marks errors. */
export const CHUNK = {
  NONE: 0,
  OFFSET_DATA: 1,
  OFFSET_HOLE: 2,
  ERROR: 0x8001,
  ERROR_OFFSET: 0x8002,
} as const;
export const CHUNK_IS_ERROR = 0x8000;
/** Marks the last chunk of a reply (`NBD_REPLY_FLAG_DONE`). */
export const CHUNK_IS_LAST = 1;

/** Error numbers of replies, which are Linux's whatever the system. */
export const ERRNO: Readonly<Record<number, string>> = {
  1: "EPERM, operation not permitted",
  5: "EIO, input/output error",
  12: "ENOMEM, the server lacks memory",
  22: "EINVAL, invalid argument",
  28: "ENOSPC, no space left",
  75: "EOVERFLOW, value too large",
  95: "ENOTSUP, operation not supported",
  108: "ESHUTDOWN, the server shuts down",
};
/** Those that may not come again: of the storage behind the server, its memory, and its end. */
export const PASSING_ERRNOS: ReadonlySet<number> = new Set([5, 12, 108]);

/** Bytes of a request, and of the heads of replies behind their magic. */
export const REQUEST_LEN = 28;
export const SIMPLE_REPLY_REST = 12;
export const CHUNK_REST = 16;

/** An option with its data. */
export function encodeOption(option: number, data: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(OPTION_MAGIC, 0);
  head.writeUInt32BE(option, 8);
  head.writeUInt32BE(data.length, 12);
  return Buffer.concat([head, data]);
}

/** The data of `OPTION.GO`: the export's name, and the infos that are asked for. */
export function encodeGo(exportName: Uint8Array, infos: readonly number[]): Buffer {
  const data = Buffer.alloc(4 + exportName.length + 2 + 2 * infos.length);
  data.writeUInt32BE(exportName.length, 0);
  data.set(exportName, 4);
  let at = 4 + exportName.length;
  at = data.writeUInt16BE(infos.length, at);
  for (const info of infos) at = data.writeUInt16BE(info, at);
  return data;
}

/** A request without data. @param cookie comes back in the reply; the protocol's "handle" */
export function encodeRequest(command: number, cookie: bigint, offset: number, length: number): Buffer {
  const request = Buffer.alloc(REQUEST_LEN);
  request.writeUInt32BE(REQUEST_MAGIC, 0);
  request.writeUInt16BE(command, 6);
  request.writeBigUInt64BE(cookie, 8);
  request.writeBigUInt64BE(BigInt(offset), 16);
  request.writeUInt32BE(length, 24);
  return request;
}
