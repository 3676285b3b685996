/** What a benchmark is given, and gives. */
import type { Corpus } from "./corpus.js";
import type { Row } from "./measure.js";

export interface Context {
  /** The corpus, made when it is first asked for. */
  corpus(): Promise<Corpus>;
  /** Says why there is no row. */
  note(text: string): void;
  /** Aborted when the run is to end. */
  signal: AbortSignal;
}

/** Measures one thing against its peers. */
export type Benchmark = (context: Context) => Promise<Row[]>;
