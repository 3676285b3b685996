/** The programs that mount a WebDAV server as a directory: how each is called, and what it needs. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { DocteurError } from "../../src/errors.js";
import { type Mounted, mountedAt } from "./mount-table.js";

/** What is to be mounted. */
export interface MountRequest {
  /** The server's address, with a slash at its end. */
  address: string;
  /** The password that the server asks for. */
  secret: string;
  /** Absolute; on Windows a drive, `X:`. */
  directory: string;
  /** For the table of mounts. */
  name: string;
  /** Whether other users of the machine may read it. */
  allowOther: boolean;
}

/** A program that mounts. */
export interface Mounter {
  name: "rclone" | "davfs2" | "mount_webdav" | "net";
  /** Why it cannot be used here, and how to get it; undefined if it can. */
  whyNot(): { message: string; hint: string } | undefined;
  /** Whether the password is part of the address, as the program cannot send one. */
  secretInPath: boolean;
  /** Mounts. @throws DocteurError `Io` */
  mount(request: MountRequest): Promise<void>;
}

/** The user's name that programs send with the password. */
export const USER = "docteur";
/** What the table of mounts shows in front of an image's name. */
export const DEVICE_PREFIX = "docteur:";

/** Milliseconds between two looks at the table of mounts. */
const LOOK_MS = 50;
/** Milliseconds in which a program must mount. */
const MOUNT_MS = 30_000;
/** Characters of a program's messages that are told. */
const SAID_MAX = 2000;

/** The first name of the path that a mount's server has: other servers on this machine do not have it. */
export const MOUNT_BASE = "docteur-mount";

/** An address of such a server: as a URL, or as Windows writes it. */
const OWN_ADDRESS = new RegExp(
  String.raw`^(?:http://127\.0\.0\.1:\d+/|\\\\127\.0\.0\.1@\d+\\(?:DavWWWRoot\\)?)${MOUNT_BASE}(?:[\\/]|$)`,
  "i",
);

/** Whether a mount is one of ours: by its device, or by the address of its server. */
export function isOurs({ source, kind }: Mounted): boolean {
  if (source.startsWith(DEVICE_PREFIX)) return true;
  return OWN_ADDRESS.test(source) && /fuse|dav/.test(kind);
}

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });

/** The path of a program; undefined if it is not installed. */
function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"]) {
    try {
      const path = join(folder, name);
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // It is not there.
    }
  }
  return undefined;
}

/** Collects what a program says. */
function listenTo(child: ChildProcess): { said: () => string; ended: Promise<string> } {
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (more: string) => {
      text = (text + more).slice(-SAID_MAX);
    });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (status, signal) => resolve(`it ended with ${signal ?? `status ${status}`}`));
  });
  return { said: () => text.trim(), ended };
}

function failed(program: string, why: string, said: string): DocteurError {
  return new DocteurError(
    "Io",
    `${program} cannot mount: ${said === "" ? why : said.replace(/\s*\n\s*/g, "; ")}`,
  );
}

/** Waits until something is mounted, or the program that is to do it has ended in vain. */
async function untilMounted(
  program: string,
  directory: string,
  child: ChildProcess,
  input?: string,
): Promise<void> {
  const { said, ended } = listenTo(child);
  child.stdin?.on("error", () => undefined).end(input);
  let over: string | undefined;
  void ended.then((why) => {
    over = why;
  });
  for (const start = performance.now(); performance.now() - start < MOUNT_MS; await pause(LOOK_MS)) {
    const mounted = mountedAt(directory);
    if (mounted !== undefined && isOurs(mounted)) {
      child.unref();
      return;
    }
    if (over !== undefined && child.exitCode !== 0) throw failed(program, over, said());
  }
  child.kill();
  throw failed(program, `nothing is mounted after ${MOUNT_MS / 1000} seconds`, said());
}

function hasFuse(): boolean {
  try {
    accessSync("/dev/fuse", constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const rclone: Mounter = {
  name: "rclone",
  secretInPath: false,
  whyNot: () => {
    if (findProgram("rclone") === undefined)
      return {
        message: "rclone is not installed",
        hint: "apt install rclone fuse3, dnf install rclone fuse3, …",
      };
    if (!hasFuse())
      return {
        message: "/dev/fuse cannot be used",
        hint: "in a container: docker run --device /dev/fuse --cap-add SYS_ADMIN …",
      };
    if (findProgram("fusermount3") === undefined && findProgram("fusermount") === undefined)
      return { message: "fusermount3 is not installed", hint: "apt install fuse3, dnf install fuse3, …" };
    return undefined;
  },
  mount: ({ address, secret, directory, name, allowOther }) => {
    const args = [
      "mount",
      ":webdav:",
      directory,
      "--read-only",
      "--config",
      "",
      "--devname",
      `${DEVICE_PREFIX}${name}`,
    ];
    // An image does not change while it is mounted: what was looked up once stays true.
    args.push("--dir-cache-time", "8760h", "--attr-timeout", "1h", "--poll-interval", "0");
    args.push("--file-perms", "0444", "--dir-perms", "0555");
    if (allowOther) args.push("--allow-other");
    // Other users see the arguments of a process, but not its environment.
    const env = { ...process.env, RCLONE_WEBDAV_URL: address, RCLONE_WEBDAV_BEARER_TOKEN: secret };
    const child = spawn("rclone", args, { env, stdio: ["ignore", "pipe", "pipe"] });
    return untilMounted("rclone", directory, child);
  },
};

const davfs2: Mounter = {
  name: "davfs2",
  secretInPath: false,
  whyNot: () => {
    if (findProgram("mount.davfs") === undefined)
      return { message: "davfs2 is not installed", hint: "apt install davfs2, dnf install davfs2, …" };
    if (process.getuid?.() !== 0)
      return { message: "davfs2 needs root", hint: "use sudo, or install rclone, which needs no root" };
    return undefined;
  },
  mount: ({ address, secret, directory, allowOther }) => {
    const options = `ro,username=${USER}${allowOther ? ",file_mode=444,dir_mode=555" : ",file_mode=400,dir_mode=500"}`;
    const program = findProgram("mount.davfs")!;
    const child = spawn(program, [address, directory, "-o", options], { stdio: ["pipe", "pipe", "pipe"] });
    return untilMounted("davfs2", directory, child, `${secret}\n`);
  },
};

/** A value as `mount_webdav -a` reads it: its length in four bytes, and itself. */
function counted(text: string): Buffer {
  const bytes = Buffer.from(text);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const macos: Mounter = {
  name: "mount_webdav",
  secretInPath: false,
  whyNot: () => undefined,
  mount: ({ address, secret, directory, name }) => {
    const args = ["-S", "-a", "3", "-o", "rdonly", "-v", `${DEVICE_PREFIX}${name}`, address, directory];
    const child = spawn("mount_webdav", args, { stdio: ["ignore", "pipe", "pipe", "pipe"] });
    const pipe = child.stdio[3] as NodeJS.WritableStream;
    pipe.on("error", () => undefined);
    pipe.end(Buffer.concat([counted(USER), counted(secret)]));
    return untilMounted("mount_webdav", directory, child);
  },
};

const windows: Mounter = {
  name: "net",
  // Windows sends no password to a server without TLS.
  secretInPath: true,
  whyNot: () =>
    spawnSync("sc", ["query", "webclient"]).status === 0
      ? undefined
      : {
          message: "the service WebClient is not there",
          hint: "install the feature WebDAV-Redirector, or start the service",
        },
  mount: ({ address, directory }) => {
    const child = spawn("net", ["use", directory, address, "/persistent:no"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    return untilMounted("net use", directory, child);
  },
};

/** The programs for this system, the best first. */
export function mounters(): readonly Mounter[] {
  if (process.platform === "darwin") return [macos];
  return process.platform === "win32" ? [windows] : [rclone, davfs2];
}

/** The commands that unmount a directory, each tried if the one before is not installed. */
function unmountCommands(directory: string, force: boolean): string[][] {
  if (process.platform === "win32") return [["net", "use", directory, "/delete", ...(force ? ["/y"] : [])]];
  if (process.platform === "darwin") return [["umount", ...(force ? ["-f"] : []), directory]];
  const kind = mountedAt(directory)?.kind;
  const umount = ["umount", ...(force ? ["-l"] : []), directory];
  const fuse = ["fusermount3", "fusermount"].map((program) => [program, force ? "-uz" : "-u", directory]);
  return kind === "fuse.rclone" ? [...fuse, umount] : [umount, ...fuse];
}

/** Unmounts a directory. @param force even if files in it are open @throws DocteurError `Io` */
export function unmount(directory: string, force: boolean): void {
  for (const [program, ...args] of unmountCommands(directory, force)) {
    const { status, error, stderr } = spawnSync(program!, args, { encoding: "utf8" });
    if (error !== undefined) continue;
    if (status === 0) return;
    const isBusy = /busy/i.test(stderr);
    throw new DocteurError("Io", `${directory} cannot be unmounted: ${stderr.trim()}`, {
      hint: isBusy ? "end the programs that use it, or add --force" : undefined,
    });
  }
  throw new DocteurError("Io", `${directory} cannot be unmounted: fusermount3 is not installed`);
}
