/** Mounts an image: a server that only this mount can read, and the program that mounts it. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, realpathSync, rmdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { DocteurError } from "../../src/errors.js";
import type { OpenOptions } from "../../src/index.js";
import { ioError } from "../../src/node/io-error.js";
import { createWebDav } from "../../src/webdav/index.js";
import { serve } from "../serve/serve.js";
import { mountedAt } from "./mount-table.js";
import { isOurs, MOUNT_BASE, type Mounter, mounters, USER, unmount } from "./mounters.js";

/** How an image is mounted. */
export interface MountOptions {
  /** A path or a URL. */
  image: string;
  directory: string;
  open: OpenOptions;
  /** The program; by default the first that can be used. */
  with: string | undefined;
  allowOther: boolean;
  /** Told once the image is mounted. */
  onMounted: (directory: string, program: string) => void;
}

/** Milliseconds between two looks whether the image is still mounted. */
const LOOK_MS = 500;

/** The path by which the system knows a directory, or a drive of Windows. */
export function mountPath(directory: string): string {
  if (process.platform === "win32") return directory;
  // The directory itself may be a mount that does not answer: only what is above it is resolved.
  const path = resolve(directory);
  try {
    return path === "/" ? path : join(realpathSync(dirname(path)), basename(path));
  } catch (cause) {
    throw ioError("find", path, cause);
  }
}

/** @throws DocteurError `Io` with the reason for each program */
function choose(name: string | undefined): Mounter {
  const all = mounters();
  const asked = name === undefined ? all : all.filter((one) => one.name === name);
  if (asked.length === 0) {
    const names = all.map((one) => one.name).join(", ");
    throw new DocteurError("Usage", `this system does not mount with ${name}`, { hint: `there is ${names}` });
  }
  const reasons = [];
  for (const mounter of asked) {
    const why = mounter.whyNot();
    if (why === undefined) return mounter;
    reasons.push(why);
  }
  const message = reasons.map((why) => why.message).join("; ");
  throw new DocteurError("Io", `nothing here can mount: ${message}`, { hint: reasons[0]!.hint });
}

/** Makes sure that a directory is there and empty. @returns what removes it again if it was made */
function prepare(directory: string): () => void {
  if (process.platform === "win32") return () => undefined;
  const before = mountedAt(directory);
  if (before !== undefined) {
    const hint = isOurs(before) ? `docteur unmount ${directory} ends it` : undefined;
    throw new DocteurError("Io", `${directory}: ${before.source} is mounted there`, { hint });
  }
  try {
    const found = statSync(directory, { throwIfNoEntry: false });
    if (found === undefined) {
      mkdirSync(directory);
      return () => {
        // Whoever has put something there meanwhile keeps it.
        try {
          rmdirSync(directory);
        } catch {}
      };
    }
    if (!found.isDirectory()) throw new DocteurError("Io", `${directory} is not a directory`);
    if (readdirSync(directory).length > 0) throw new DocteurError("Io", `${directory} is not empty`);
    return () => undefined;
  } catch (cause) {
    throw cause instanceof DocteurError ? cause : ioError("use", directory, cause);
  }
}

/** The check of a request's password. */
function authorization(secret: string): (field: string | undefined) => boolean {
  const basic = Buffer.from(`${USER}:${secret}`).toString("base64");
  const hash = (text: string): Buffer => createHash("sha256").update(text).digest();
  const known = [`Bearer ${secret}`, `Basic ${basic}`].map(hash);
  // Hashes are compared, so that the time tells nothing of the password.
  return (field) => field !== undefined && known.some((one) => one.equals(hash(field)));
}

/** Waits until a directory is not mounted any more, or a signal says that it is to end. */
function untilUnmounted(directory: string, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setInterval(() => {
      if (mountedAt(directory) === undefined || signal.aborted) finish();
    }, LOOK_MS);
    const finish = (): void => {
      clearInterval(timer);
      signal.removeEventListener("abort", finish);
      done();
    };
    signal.addEventListener("abort", finish);
    if (signal.aborted) finish();
  });
}

/** Unmounts, also if somebody has files open there. What another program has mounted there meanwhile stays. */
function unmountAnyway(directory: string): void {
  const mounted = mountedAt(directory);
  if (mounted === undefined || !isOurs(mounted)) return;
  try {
    unmount(directory, false);
  } catch {
    unmount(directory, true);
  }
}

/**
 * Mounts an image and serves it until it is unmounted.
 * @param signal unmounts it
 * @throws DocteurError
 */
export async function mount(options: MountOptions, signal: AbortSignal): Promise<void> {
  const directory = mountPath(options.directory);
  const mounter = choose(options.with);
  const cleanUp = prepare(directory);
  const secret = Buffer.from(crypto.getRandomValues(new Uint8Array(24))).toString("hex");
  const ended = new AbortController();
  let begin = (_address: string): void => undefined;
  const begun = new Promise<string>((done) => {
    begin = done;
  });
  const name = basename(options.image.replace(/[?#].*$/s, "")) || "image";
  const serving = serve({
    sources: [{ name, source: options.image }],
    open: options.open,
    handle: (volume, base, onError) =>
      createWebDav(volume, {
        base,
        onError,
        dotfiles: true,
        precompressed: false,
        extensions: [],
        index: false,
        notFound: false,
      }),
    ...{
      host: "127.0.0.1",
      port: 0,
      base: mounter.secretInPath ? `/${MOUNT_BASE}/${secret}/` : `/${MOUNT_BASE}/`,
    },
    ...{
      withPage: false,
      withMetrics: false,
      allowedHosts: [],
      maxConnections: 1000,
      log: "none",
      watch: false,
    },
    graceSeconds: 1,
    isAllowed: mounter.secretInPath ? undefined : authorization(secret),
    onAddress: (address) => begin(address),
    signal: ended.signal,
  });
  try {
    // If the image cannot be served, this throws.
    const address = (await Promise.race([begun, serving]))!;
    await mounter.mount({ address, secret, directory, name, allowOther: options.allowOther });
    options.onMounted(directory, mounter.name);
    await untilUnmounted(directory, signal);
  } finally {
    try {
      unmountAnyway(directory);
    } finally {
      ended.abort();
      await serving.catch(() => undefined);
      cleanUp();
    }
  }
}
