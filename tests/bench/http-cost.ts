/** What a task costs over HTTP: its time, its requests and its bytes. */
import type { SlowServer } from "../support/slow-server.js";
import { createRow, median, type Row, timed } from "./measure.js";
import { UNZIPIT } from "./versions.js";

/** Runs of each, of which the median counts; after so many milliseconds no further one begins. */
const RUNS = 5;
const RUNS_TIME = 3_000;

/** What one run cost. */
export interface Cost {
  milliseconds: number;
  requests: number;
  bytes: number;
}

/** Runs something a few times, or once if that takes long. @returns medians */
export async function costOf(server: SlowServer, run: () => Promise<unknown>): Promise<Cost> {
  const costs: Cost[] = [];
  const start = performance.now();
  while (costs.length === 0 || (costs.length < RUNS && performance.now() - start < RUNS_TIME)) {
    const [requests, bytes] = [server.requests, server.bytes];
    const milliseconds = await timed(run);
    costs.push({ milliseconds, requests: server.requests - requests, bytes: server.bytes - bytes });
  }
  const middle = (field: keyof Cost): number => median(costs.map((cost) => cost[field]));
  return { milliseconds: middle("milliseconds"), requests: middle("requests"), bytes: middle("bytes") };
}

/** A row for each cost of a task, ours and that of a peer. */
export function rowsOf(name: string, corpus: string, ours: Cost, theirs: Cost, peerName = UNZIPIT): Row[] {
  const row = (unit: string, field: keyof Cost, scale = 1): Row =>
    createRow(
      { name, corpus, unit, ours: ours[field] / scale, peer: theirs[field] / scale, peerName },
      "less",
    );
  return [row("ms", "milliseconds"), row("requests", "requests"), row("KB", "bytes", 1000)];
}
