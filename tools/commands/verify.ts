/** `docteur verify`: whether an image is sound, and what it holds. */
import { type Verified, verify } from "../../src/verify/index.js";
import { type Command, parse, parseBlockSize } from "../cli.js";

const HELP = `usage: docteur verify [OPTION]... IMAGE

Verifies IMAGE: its header, the PACK and its checksum, every object (inflated,
its deltas resolved, its id and its CRC-32 computed anew), the IDX against what
they give, the commit and its root tree. Prints the commit, its author, its
root tree and its message.

Options:
      --bs BYTES     the block size that the image is read in: a power of two,
                     at least 512 (default: 512)
      --json         print what the image holds as JSON
  -q, --quiet        print nothing: the exit status tells
  -h, --help         print this help

Exit statuses: 0 the image is sound; 4 it is damaged; 8 it cannot be read;
16 the arguments are wrong.

Example:
  docteur verify disk.img`;

const OPTIONS = {
  bs: { type: "string" },
  json: { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
} as const;

const ESCAPES: Record<number, string> = {
  8: "\\b",
  9: "\\t",
  10: "\\n",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

/** A string literal of OCaml's: what docteur prints names as. Bytes beyond ASCII are decimal escapes. */
function quote(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const printable = byte >= 32 && byte < 127;
    text += ESCAPES[byte] ?? (printable ? String.fromCharCode(byte) : `\\${String(byte).padStart(3, "0")}`);
  }
  return `"${text}"`;
}

/** What docteur 0.0.7 prints. */
function describe({ commit, tree, authorName, authorEmail, message }: Verified): Buffer {
  return Buffer.concat([
    Buffer.from(`commit\t: ${commit}\nauthor\t: ${quote(authorName)} <`),
    authorEmail,
    Buffer.from(`>\nroot\t: ${tree}\n`),
    ...(message === undefined ? [] : [Buffer.from("\n"), message]),
    Buffer.from("\n"),
  ]);
}

function toJson({ authorName, authorEmail, message, ...rest }: Verified): string {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");
  const author = { name: text(authorName), email: text(authorEmail) };
  return JSON.stringify({ ...rest, author, message: message === undefined ? null : text(message) }, null, 2);
}

async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, ["IMAGE"]);
  const verified = await verify(positionals[0]!, { blockSize: parseBlockSize(values.bs) });
  if (values.quiet) return 0;
  process.stdout.write(values.json ? `${toJson(verified)}\n` : describe(verified));
  return 0;
}

export const command: Command = { summary: "whether an image is sound, and what it holds", help: HELP, run };
