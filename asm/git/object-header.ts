/** The header that git hashes before an object's content: "KIND SIZE" and a NUL. */
import { Kind } from "./entry";

/** The header that `objectHeader` wrote. */
export const header: usize = memory.data(32, 8);

/**
 * Writes an object's header.
 * @param size bytes of the object's content
 * @returns the header's length in bytes
 */
export function objectHeader(kind: u32, size: u64): u32 {
  let ptr = header;
  if (kind == Kind.COMMIT) {
    store<u64>(ptr, 0x20_7469_6d6d_6f63); // "commit "
    ptr += 7;
  } else if (kind == Kind.TREE) {
    store<u64>(ptr, 0x20_6565_7274); // "tree "
    ptr += 5;
  } else if (kind == Kind.BLOB) {
    store<u64>(ptr, 0x20_626f_6c62); // "blob "
    ptr += 5;
  } else {
    store<u32>(ptr, 0x2067_6174); // "tag "
    ptr += 4;
  }
  let digits: usize = 1;
  for (let rest = size; rest >= 10; rest /= 10) digits++;
  let rest = size;
  for (let at = ptr + digits; at > ptr; rest /= 10) store<u8>(--at, 0x30 + <u32>(rest % 10));
  ptr += digits;
  store<u8>(ptr++, 0);
  return <u32>(ptr - header);
}
