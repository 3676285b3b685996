/**
 * The verifier's exports: the work that `src/verify` has done in Wasm, for one thread. It imports nothing; every
 * function takes plain numbers and pointers into its memory. The caller supplies 32 readable bytes behind every
 * input, and as many writable ones behind every output.
 */
export { heapAlloc as alloc, heapFree as free, heapInit as init } from "./base/heap";
export { crc32 } from "./checksum/crc32";
export { deltaOpen, deltaRun, deltaSize } from "./verify/delta";
export { rankOf, setTable } from "./verify/id-table";
export { inflateBegin, inflateRun, inflateTaken, streamBegin, streamId, streamRun } from "./verify/inflate";
export { objectId, packBegin, packEnd, packUpdate } from "./verify/object-hash";
export { seekPointsBegin, seekPointsRun, seekRecordCount, seekRecords, seekSegment } from "./verify/seek-points";
export { treeScan } from "./verify/tree-scan";
export { work } from "./verify/work";
