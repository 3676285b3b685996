/** Runs a server until a signal ends it: opens images, replaces them, and logs. */
import type { Handler } from "../../src/http/index.js";
import { DocteurError, type OpenOptions, type Volume } from "../../src/index.js";
import { type LogForm, LogWriter, lineWriter, messageLine } from "./access-log.js";
import { LiveImage } from "./live-image.js";
import { ImageServer, type ServerOptions } from "./server.js";

/** An image, as it was given. */
export interface NamedSource {
  name: string;
  /** A path or a URL. */
  source: string;
}

/** How `serve` works. */
export interface ServeOptions
  extends Pick<
    ServerOptions,
    "host" | "port" | "base" | "withPage" | "withMetrics" | "allowedHosts" | "maxConnections" | "isAllowed"
  > {
  sources: readonly NamedSource[];
  open: OpenOptions;
  /** Makes the handler of an image. @param base the path of URLs under which it lies */
  handle: (volume: Volume, base: string, onError: (error: unknown) => void) => Handler;
  log: LogForm;
  watch: boolean;
  graceSeconds: number;
  /** Told of the address once the server takes connections. */
  onAddress: (address: string) => void;
  /** Ends the server, in place of SIGTERM and SIGINT. */
  signal?: AbortSignal;
}

const STDERR = 2;
/** Milliseconds between two looks at a file, and at a URL. */
const LOOK_MS = 1_000;
const LOOK_URL_MS = 60_000;
/** Milliseconds that the last lines of the log have to be written. */
const LAST_LINES_MS = 500;

/** Images that are looked at again and again, or on demand. */
class Renewal {
  readonly #images: readonly LiveImage[];
  readonly #say: (text: string) => void;
  readonly #onSwap: (image: string, outcome: "swapped" | "refused") => void;
  /** What was said last of an image's new version. */
  readonly #said = new Map<string, string>();

  constructor(
    images: readonly LiveImage[],
    say: (text: string) => void,
    onSwap: (image: string, outcome: "swapped" | "refused") => void,
  ) {
    this.#images = images;
    this.#say = say;
    this.#onSwap = onSwap;
  }

  /** Looks at one image. @param force see `LiveImage.renew` */
  async look(image: LiveImage, force: boolean): Promise<void> {
    const { name } = image;
    try {
      const isNew = await image.renew(force);
      this.#said.delete(name);
      if (!isNew) return;
      this.#onSwap(name, "swapped");
      this.#say(`${name}: now serving commit ${image.volume.commit.oid}`);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      // A look that nobody has asked for says once what stays wrong.
      if (!force && this.#said.get(name) === why) return;
      this.#said.set(name, why);
      this.#onSwap(name, "refused");
      this.#say(`${name}: the new image is refused, and the old one stays: ${why}`);
    }
  }

  lookAtAll(): void {
    for (const image of this.#images) void this.look(image, true);
  }

  /** @returns what ends it */
  watch(): () => void {
    const timers = this.#images.map((image) =>
      setInterval(() => void this.look(image, false), image.path === undefined ? LOOK_URL_MS : LOOK_MS),
    );
    return () => timers.forEach(clearInterval);
  }
}

/** Opens the images. If one cannot be opened, none stays open. */
async function openImages(images: readonly LiveImage[]): Promise<void> {
  const results = await Promise.allSettled(images.map((image) => image.begin()));
  const failed = results.find((result) => result.status === "rejected");
  if (failed === undefined) return;
  for (const [index, { status }] of results.entries()) if (status === "fulfilled") images[index]!.end();
  throw failed.reason;
}

/** The address of a server, for people and their browsers. */
function addressOf({ host, base }: Pick<ServeOptions, "host" | "base">, port: number): string {
  const name = host === "0.0.0.0" || host === "::" ? "localhost" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}${base}`;
}

/** Serves until SIGTERM or SIGINT. @throws DocteurError if an image cannot be opened, or the port not be had */
export async function serve(options: ServeOptions): Promise<void> {
  const { sources, base, log, watch } = options;
  const writer = new LogWriter(STDERR);
  const say = (text: string): void => writer.line(messageLine(log, text));
  const isNamed = sources.length > 1;
  const images: LiveImage[] = sources.map(({ name, source }) => {
    const at = isNamed ? `${base}${encodeURIComponent(name)}` : base;
    const onError = (error: unknown): void => {
      say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      if (!(error instanceof DocteurError) || error.code !== "ImageChanged") return;
      image.noticeChange();
      if (watch) void renewal.look(image, false);
    };
    const image: LiveImage = new LiveImage({
      ...{ name, source, open: options.open, withFile: options.withPage },
      handle: (volume) => options.handle(volume, at, onError),
    });
    return image;
  });
  await openImages(images);
  const server = new ImageServer({
    ...options,
    images,
    isNamed,
    onEnded: lineWriter(log, writer),
    droppedLines: () => writer.dropped,
  });
  const renewal = new Renewal(images, say, (image, outcome) => server.metrics.swapped(image, outcome));
  const stop = stopOf(options.signal);
  const onHangUp = (): void => renewal.lookAtAll();
  if (options.signal === undefined) process.on("SIGHUP", onHangUp);
  let endWatch = (): void => undefined;
  try {
    const port = await server.listen();
    endWatch = watch ? renewal.watch() : endWatch;
    options.onAddress(addressOf(options, port));
    await stop.stopped;
  } catch (error) {
    for (const image of images) image.end();
    throw error;
  } finally {
    endWatch();
    process.off("SIGHUP", onHangUp);
  }
  await server.end(options.graceSeconds * 1000, stop.hurry);
  stop.dispose();
  await Promise.race([writer.flushed(), new Promise((done) => setTimeout(done, LAST_LINES_MS).unref())]);
}

/** Waits for the first signal that ends the server; the second one hurries. */
function stopOf(signal: AbortSignal | undefined): {
  stopped: Promise<void>;
  hurry: AbortSignal;
  dispose: () => void;
} {
  const hurry = new AbortController();
  let isStopped = false;
  let resolve = (): void => undefined;
  const stopped = new Promise<void>((done) => {
    resolve = done;
  });
  const onSignal = (): void => {
    if (isStopped) hurry.abort();
    isStopped = true;
    resolve();
  };
  const names: NodeJS.Signals[] = ["SIGINT", "SIGTERM"];
  if (signal === undefined) for (const name of names) process.on(name, onSignal);
  else signal.addEventListener("abort", onSignal);
  const dispose = (): void => {
    for (const name of names) process.off(name, onSignal);
  };
  return { stopped, hurry: hurry.signal, dispose };
}
