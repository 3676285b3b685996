import { heapAlloc, heapFree, heapInit, heapUsed } from "./heap";
export { heapAlloc, heapFree, heapInit, heapUsed };
