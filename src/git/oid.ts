/** Object ids: the 20 bytes of a SHA-1, and their hexadecimal form. */
import { DocteurError } from "../errors.js";

/** Bytes of an id. */
export const OID_LEN = 20;

/** A SHA-1 in progress, in the shape of `node:crypto`'s hashes. */
export interface Sha1 {
  update(bytes: Uint8Array): unknown;
  /** 20 bytes. */
  digest(): Uint8Array;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** The hexadecimal form of an object id's 20 bytes. */
export function hexOid(bytes: Uint8Array): string {
  let hex = "";
  for (let i = 0; i < OID_LEN; i++) hex += HEX[bytes[i]!];
  return hex;
}

/** The 20 bytes of an object id. @throws DocteurError if the text is not an object id */
export function oidBytes(hex: string): Uint8Array {
  if (!/^[0-9a-f]{40}$/i.test(hex)) throw new DocteurError("InvalidArgument", `not an object id: ${hex}`);
  return Uint8Array.from(hex.match(/../g)!, (digits) => Number.parseInt(digits, 16));
}
