/** What Prometheus can ask a server. Labels have few values, whatever clients send. */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { LiveImage } from "./live-image.js";

/** Methods that have a value of their own. */
const METHODS = new Set(["GET", "HEAD", "OPTIONS", "PROPFIND"]);
/** Upper bounds of the histogram, in seconds. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

/** A request that has ended. */
export interface Ended {
  method: string;
  status: number;
  seconds: number;
  bytes: number;
}

/** State of the server that metrics show. */
export interface Observed {
  readonly images: readonly LiveImage[];
  readonly connections: number;
  readonly inFlight: number;
  readonly malformed: number;
  readonly droppedLines: number;
}

/** The metrics of one server. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: "docteur_http_requests_total",
    help: "Requests that were answered, by method and status.",
    labelNames: ["method", "status"],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: "docteur_http_request_duration_seconds",
    help: "Time from a request's head to the end of its answer.",
    buckets: BUCKETS,
    registers: [this.#registry],
  });
  readonly #bytes = new Counter({
    name: "docteur_http_response_bytes_total",
    help: "Bytes of the content of answers.",
    registers: [this.#registry],
  });
  readonly #swaps = new Counter({
    name: "docteur_image_swaps_total",
    help: "Images that were replaced (swapped), and new images that were refused, by outcome.",
    labelNames: ["image", "outcome"],
    registers: [this.#registry],
  });

  constructor(observed: Observed) {
    const gauge = (name: string, help: string, value: () => number): void => {
      const made: Gauge = new Gauge({
        name,
        help,
        registers: [this.#registry],
        collect: () => made.set(value()),
      });
    };
    gauge("docteur_http_connections", "Connections that are open.", () => observed.connections);
    gauge("docteur_http_requests_in_flight", "Requests under way.", () => observed.inFlight);
    gauge("process_resident_memory_bytes", "Resident memory size in bytes.", () => process.memoryUsage.rss());
    gauge(
      "nodejs_heap_size_used_bytes",
      "Bytes of the JavaScript heap.",
      () => process.memoryUsage().heapUsed,
    );
    const started = Date.now() / 1000 - process.uptime();
    gauge("process_start_time_seconds", "Start time of the process since 1970 in seconds.", () => started);
    this.#counted(
      "docteur_http_malformed_total",
      "Requests that are not HTTP, or did not come in time.",
      [],
      (set) => set({}, observed.malformed),
    );
    this.#counted("docteur_log_dropped_lines_total", "Lines of the access log that nobody took.", [], (set) =>
      set({}, observed.droppedLines),
    );
    this.#ofImages(observed.images);
  }

  /** A counter whose values are counted elsewhere. */
  #counted(
    name: string,
    help: string,
    labelNames: string[],
    collect: (set: (labels: Record<string, string>, value: number) => void) => void,
  ): void {
    const made: Counter = new Counter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect: () => {
        made.reset();
        collect((labels, value) => made.inc(labels, value));
      },
    });
  }

  #ofImages(images: readonly LiveImage[]): void {
    this.#counted("docteur_device_reads_total", "Reads of the image's device.", ["image"], (set) => {
      for (const image of images) set({ image: image.name }, image.work().deviceReads);
    });
    this.#counted("docteur_device_bytes_total", "Bytes read from the image's device.", ["image"], (set) => {
      for (const image of images) set({ image: image.name }, image.work().deviceBytes);
    });
    this.#counted(
      "docteur_cache_requests_total",
      "Looks into the reader's caches of sectors and objects.",
      ["image", "cache", "outcome"],
      (set) => {
        for (const image of images) {
          const { sectorHits, sectorMisses, objectHits, objectMisses } = image.work();
          set({ image: image.name, cache: "sector", outcome: "hit" }, sectorHits);
          set({ image: image.name, cache: "sector", outcome: "miss" }, sectorMisses);
          set({ image: image.name, cache: "object", outcome: "hit" }, objectHits);
          set({ image: image.name, cache: "object", outcome: "miss" }, objectMisses);
        }
      },
    );
    const perImage = (name: string, help: string, value: (image: LiveImage) => number): void => {
      const made: Gauge = new Gauge({
        name,
        help,
        labelNames: ["image"],
        registers: [this.#registry],
        collect: () => {
          for (const image of images) made.set({ image: image.name }, value(image));
        },
      });
    };
    perImage("docteur_image_memory_bytes", "WebAssembly memory of the reader.", (image) => image.memoryBytes);
    perImage("docteur_image_versions", "Versions of the image that are open.", (image) => image.versionCount);
  }

  /** Counts a request. */
  ended({ method, status, seconds, bytes }: Ended): void {
    this.#requests.inc({ method: METHODS.has(method) ? method : "other", status });
    this.#seconds.observe(seconds);
    this.#bytes.inc(bytes);
  }

  /** Counts a look at a new image. */
  swapped(image: string, outcome: "swapped" | "refused"): void {
    this.#swaps.inc({ image, outcome });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** The text that Prometheus reads. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
