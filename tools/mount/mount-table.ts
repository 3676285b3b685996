/** What the system has mounted where. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

/** A mounted file system. */
export interface Mounted {
  /** What it is mounted from, as the system shows it. */
  source: string;
  kind: string;
}

/** A field of Linux's table, in which spaces and others are octal escapes (proc(5)). */
function unescapeField(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(bytes, "latin1").toString();
}

/** Reads a line of `/proc/self/mountinfo`. */
export function parseMountInfo(text: string, directory: string): Mounted | undefined {
  let found: Mounted | undefined;
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    if (dash < 0 || unescapeField(fields[4]!) !== directory) continue;
    // The last one of several covers the others.
    found = { kind: fields[dash + 1]!, source: unescapeField(fields[dash + 2]!) };
  }
  return found;
}

/** Reads the output of `mount` on macOS: `SOURCE on DIRECTORY (KIND, …)`. */
export function parseMountOutput(text: string, directory: string): Mounted | undefined {
  for (const line of text.split("\n").reverse()) {
    const start = line.indexOf(` on ${directory} (`);
    if (start < 0) continue;
    const [, kind] = /\(([^,)]*)/.exec(line.slice(start + directory.length + 4)) ?? [];
    return { source: line.slice(0, start), kind: kind ?? "" };
  }
  return undefined;
}

/** What is mounted at a directory, or on Windows at a drive; undefined if nothing is. @param directory absolute */
export function mountedAt(directory: string): Mounted | undefined {
  if (process.platform === "linux")
    return parseMountInfo(readFileSync("/proc/self/mountinfo", "latin1"), directory);
  if (process.platform === "win32") {
    const { status, stdout } = spawnSync("net", ["use", directory], { encoding: "utf8" });
    return status === 0 ? { source: /http:\S+|\\\\\S+/.exec(stdout)?.[0] ?? "", kind: "webdav" } : undefined;
  }
  return parseMountOutput(spawnSync("mount", [], { encoding: "utf8" }).stdout ?? "", directory);
}
