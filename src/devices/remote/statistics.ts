/** What a remote device has done since it was opened. */
export interface RemoteStats {
  /** Requests to the source, further tries and those of opening included. */
  requests: number;
  /** Tries after a first one that failed. */
  retries: number;
  /** Bytes that the source gave. */
  bytes: number;
  /** The longest chain of requests that waited for each other: what a slow network makes one wait for. */
  roundTrips: number;
  /** Pages that a read found in memory. */
  hits: number;
  /** Pages that a read had to wait for. */
  misses: number;
  /** Pages that came from the persistent cache. */
  storeHits: number;
  /** Times that the persistent cache failed to keep a page, or held a damaged one. */
  storeFailures: number;
}

export function noStats(): RemoteStats {
  return {
    requests: 0,
    retries: 0,
    bytes: 0,
    roundTrips: 0,
    hits: 0,
    misses: 0,
    storeHits: 0,
    storeFailures: 0,
  };
}
