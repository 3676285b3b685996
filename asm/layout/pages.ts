/**
 * Pages of the layout section in memory. A page is checked when it is read: its checksum covers the PACK's trailer and the
 * page's number, so that no page of another image, and none in another's place, is taken for it.
 *
 *     │ CRC-32 u32 │ bytes used u16 │ level u8 │ 0 │ first child u32 │ records … │
 */
import { LAYOUT } from "../base/features";
import { copyOid } from "../base/bytes";
import { heapAlloc } from "../base/heap";
import { Status } from "../base/status";
import { crc32 } from "../checksum/crc32";
import { blockCopy, blockRequest } from "../device/sector-cache";
import { boundTrailer, firstPage, pageCount, pageSize } from "./footer";

export const RECORDS: u32 = 12;
/** The most pages that are kept, beside the root. */
const KEPT_MAX: u32 = 256;
/** Bytes of a page to an entry of its index, and bytes of an entry (`page-index.ts`). */
const INDEX_SHARE: u32 = 12;
const INDEX_ENTRY: u32 = 7;
/** Readable behind the last page: decoders look for a record's end only now and then. */
const SLACK: u32 = 512;

/** The status of a page that does not hold what it should. The volume then turns to trees; hosts never see it. */
export const BAD_PAGE: i32 = -1;

/** Numbers of the pages that are kept, plus one, u32 each; the root's place is the last. */
// @ts-ignore: decorator
@lazy
const numbers: usize = memory.data((KEPT_MAX + 1) << 2, 8);
/** │ the PACK's trailer 20 │ the page's number u32 │ */
// @ts-ignore: decorator
@lazy
const binding: usize = memory.data(24, 8);

let pages: usize = 0;
/** An index for each place. */
let indexes: usize = 0;
let indexSize: u32 = 0;
/** Places for pages less one: a power of two less one. */
let mask: u32 = 0;

/**
 * Takes memory for pages: as many as there are, or as the limit has room for.
 * @param limit bytes
 * @returns whether there is memory for two pages
 */
export function pagesInit(limit: u32): bool {
  if (!LAYOUT) return false;
  const size = pageSize();
  let kept: u32 = KEPT_MAX;
  indexSize = (4 + indexRoom() * INDEX_ENTRY + 3) & ~3;
  while (kept > 1 && (kept * (size + indexSize) > limit || kept >> 1 >= pageCount())) kept >>= 1;
  pages = heapAlloc((kept + 1) * (size + indexSize) + SLACK);
  if (!pages) return false;
  indexes = pages + (kept + 1) * size + SLACK;
  mask = kept - 1;
  memory.fill(numbers, 0, (KEPT_MAX + 1) << 2);
  copyOid(binding, boundTrailer());
  return true;
}

/** Where a page lies, after `pageRead` returned OK, until the next page is read. */
export let page: usize = 0;

/** Where its index lies. It is zero at first. */
export let pageIndex: usize = 0;

/** Entries that an index has room for. */
export function indexRoom(): u32 {
  return pageSize() / INDEX_SHARE;
}

/** @param ahead pages that are asked for together with it, if the device is slow */
export function pageRead(number: u32, ahead: u32): i32 {
  const size = pageSize();
  const isRoot = number == pageCount() - 1;
  const place = isRoot ? mask + 1 : number & mask;
  page = pages + place * size;
  pageIndex = indexes + place * indexSize;
  if (load<u32>(numbers + (place << 2)) == number + 1) return Status.OK;
  store<u32>(numbers + (place << 2), 0);
  const offset = firstPage() + <u64>number * size;
  const status = blockCopy(offset, page, size);
  if (status == Status.AGAIN) blockRequest(offset, <u64>ahead * size);
  if (status != Status.OK) return status;
  store<u32>(binding, number, 20);
  const crc = crc32(crc32(0, binding, 24), page + 4, size - 4);
  const used = <u32>load<u16>(page, 4);
  if (crc != load<u32>(page) || used < RECORDS || used > size) return BAD_PAGE;
  store<u32>(numbers + (place << 2), number + 1);
  store<u32>(pageIndex, 0);
  return Status.OK;
}

/** The end of the page's records. */
// @ts-ignore: decorator
@inline
export function pageEnd(): usize {
  return page + <usize>load<u16>(page, 4);
}

// @ts-ignore: decorator
@inline
export function pageLevel(): u32 {
  return load<u8>(page, 6);
}

/** The number of the page below that the first record leads to. */
// @ts-ignore: decorator
@inline
export function pageChild(): u32 {
  return load<u32>(page, 8);
}
