/** Writes tar archives, sound ones and others, header by header. */

/** A member. What is not given is as GNU tar would have it. */
export interface TarMember {
  name: string;
  /** One character: "0", a file, by default. */
  type?: string;
  link?: string;
  content?: string | Uint8Array;
  /** The header's, where it is not the content's. */
  size?: number | Uint8Array | string;
  mode?: number;
  mtime?: number;
  /** POSIX's by default. */
  magic?: string;
  prefix?: string;
}

/** Octal digits, and a zero byte behind. */
const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, "0")}\0`;

/** Writes a header's checksum. */
export function fixChecksum(header: Buffer): void {
  header.write("        ", 148, "latin1");
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
}

/** A member's header and content, in whole blocks. Strings are bytes ("latin1"). */
export function tarMember(member: TarMember): Buffer {
  const { name, type = "0", link = "", mode = 0o644, mtime = 0, magic = "ustar\x0000", prefix = "" } = member;
  const content = Buffer.from((member.content ?? "") as string, "latin1");
  const size = member.size ?? content.length;
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, "latin1");
  header.write(octal(mode, 8), 100, "latin1");
  header.write(octal(0, 8) + octal(0, 8), 108, "latin1");
  if (size instanceof Uint8Array) header.set(size, 124);
  else header.write(typeof size === "string" ? size : octal(size, 12), 124, "latin1");
  header.write(octal(mtime, 12), 136, "latin1");
  header.write(type, 156, "latin1");
  header.write(link, 157, 100, "latin1");
  header.write(magic, 257, "latin1");
  header.write(prefix, 345, 155, "latin1");
  fixChecksum(header);
  return Buffer.concat([header, content, Buffer.alloc(-content.length & 511)]);
}

/** A record of an extended header: "LENGTH KEY=VALUE\n". */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (`${length}${rest}`.length !== length) length = `${length}${rest}`.length;
  return `${length}${rest}`;
}

/** An extended header, as a member. */
export function paxHeader(records: Record<string, string>, type: "x" | "g" = "x"): TarMember {
  const content = Object.entries(records)
    .map(([key, value]) => paxRecord(key, value))
    .join("");
  return { name: "pax", type, content };
}

/** An archive, with its end mark. */
export function tarOf(...members: readonly TarMember[]): Buffer {
  return Buffer.concat([...members.map(tarMember), Buffer.alloc(1024)]);
}
