/**
 * Archives for the fuzzer of `make`: most members are such as programs extract, in every spelling that headers allow; some
 * are of any kind, and their parts need not go together.
 */
import type { Random } from "../support/random.js";
import { fixChecksum, paxRecord, type TarMember, tarMember } from "../support/tar-writer.js";
import { mutate } from "./mutate.js";

const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)]!;

/** Names of files, and of directories, that agree with each other, in many spellings. */
const FILES = ["a", "b", "./c", "d/e", "//f", "a1/./g", "d/h", "d//i", "./d/./j", "k/l/m", "b"];
const FOLDERS = ["d", "d/", "./d", "d/.", "a1/", "k//", "k/l", "./", "n", "n/", "n/o/", "/d/"];
const NUMBERS = [
  "\x000000000003",
  "    3\0",
  "\0  3 ",
  "3",
  "3 x",
  "00000000003",
  "\x80\0\0\0\0\0\0\0\0\0\0\x03",
];
const MAGICS = ["ustar\x0000", "ustar\x0000", "ustar  \0", ""];

/** A field of a header that says 3 in another way: mode, uid, gid or mtime. */
function respell(member: Buffer, random: Random, numbers: readonly string[]): void {
  const [start, length] = pick(random, [
    [100, 8],
    [108, 8],
    [116, 8],
    [136, 12],
  ] as const);
  member.write(pick(random, numbers).padEnd(length, "\0").slice(0, length), start, "latin1");
  fixChecksum(member);
}

/** What an extended header may say of the member behind it. */
function calmRecords(random: Random, isGlobal: boolean, name: string, size: number): string {
  const values: Record<string, string> = {
    path: name,
    size: String(size),
    mtime: pick(random, ["17", "17.5", "0", "-1", "1717740550.123456789"]),
    comment: pick(random, ["", "any", "a=b", "\xc3\xa4"]),
    uname: "somebody",
    "VENDOR.key": "value",
    hdrcharset: "BINARY",
  };
  // A global name is for all that follow, which would have one name.
  const keys = Object.keys(values).filter((key) => !isGlobal || (key !== "path" && key !== "size"));
  return Array.from({ length: 1 + random(3) }, () => {
    const key = pick(random, keys);
    return paxRecord(key, values[key]!);
  }).join("");
}

/** What the members of an archive have in common. */
interface Common {
  /** Names of its regular files so far. */
  files: string[];
  /** Whether links may lead out of it. */
  mayLeave: boolean;
}

/** A file, directory or link that programs extract. @param index counts the archive's members */
function calmBody(random: Random, index: number, { files, mayLeave }: Common): TarMember {
  const kind = random(10);
  const member: TarMember = { name: pick(random, FILES), magic: pick(random, MAGICS) };
  if (kind < 5) {
    member.type = pick(random, [..."0000\x00\x007AZ"]);
    member.content = "xyz".repeat(pick(random, [0, 1, 1, 1, 171, 200]));
    if (member.content.length === 3 && random(3) === 0) member.size = pick(random, NUMBERS).padEnd(12, "\0");
  } else if (kind < 7) {
    const folder = pick(random, FOLDERS);
    member.type = random(3) ? "5" : pick(random, ["0", "\0"]);
    member.name = member.type === "5" ? folder : folder.replace(/\/?$/, "/");
    if (random(4) === 0) member.size = pick(random, [3, 512, 700]);
  } else if (kind === 7 && files.length > 0) {
    member.name = pick(random, ["link", "d/link", "k/link"]);
    member.type = "1";
    member.link = pick(random, files);
    if (random(6) === 0) member.size = 3;
  } else {
    member.type = "2";
    if (mayLeave && random(3) === 0) {
      // GNU tar makes such links at the end, unless a later member has replaced them: it tells by the inode's number,
      // which the file system may give to that member again.
      member.name = `far${index}`;
      member.link = pick(random, ["../b", "/etc/passwd"]);
    } else {
      member.name = pick(random, ["symlink", "d/symlink", "d/./symlink"]);
      member.link = pick(random, ["a", "d", "nowhere", "./d//e"]);
    }
  }
  if (random(5) === 0) member.mode = pick(random, [0o755, 0o700, 0o444, 0o4755]);
  return member;
}

/** A member that programs extract, after the headers that lead up to it. */
function calmMember(random: Random, index: number, common: Common): Buffer {
  const member = calmBody(random, index, common);
  const { name, link = "", type = "" } = member;
  const lead: Buffer[] = [];
  const leadKind = random(12);
  if (leadKind < 2) {
    // The name comes from a header before the member's own.
    member.name = pick(random, ["short", "d/short", "x"]);
    lead.push(
      leadKind === 0
        ? tarMember({ name: "long", type: "L", content: `${name}${random(4) ? "\0" : ""}` })
        : tarMember({ name: "pax", type: "x", content: paxRecord("path", name) }),
    );
  } else if (leadKind < 4 && member.magic === "ustar\x0000" && !name.startsWith("/")) {
    member.prefix = pick(random, ["d", "n", ".", "p/q"]);
  } else if (leadKind < 6) {
    const leadType = random(4) ? "x" : "g";
    const content = calmRecords(random, leadType === "g", name, member.content?.length ?? 0);
    lead.push(tarMember({ name: "pax", type: leadType, content }));
  } else if (type === "0" && !name.endsWith("/")) {
    common.files.push(name);
  }
  if (type === "2" && random(4) === 0)
    lead.push(tarMember({ name: "long", type: "K", content: `${link}\0` }));
  const bytes = tarMember(member);
  if (random(8) === 0) respell(bytes, random, NUMBERS);
  return Buffer.concat([...lead, bytes]);
}

const WILD_NAMES = [
  "a",
  "b",
  "a/b",
  "./c",
  "d/",
  "d/e",
  "//f",
  "a/./g",
  "d/.",
  "h//",
  "d/e/",
  "./",
  "b/i",
  "j",
];
const WILD_LINKS = WILD_NAMES.filter((name) => !name.startsWith("/"));
const WILD_TYPES = [..."00000000\x00\x0055511222677LKxxgVDXZAN346"];
const WILD_NUMBERS = [
  "",
  "            ",
  "-3",
  "+3",
  "3x",
  "8",
  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
];
const WILD_KEYS = ["path", "path", "linkpath", "size", "mtime", "comment", "hdrcharset"];
const WILD_VALUES = ["a", "b/c", "d/", "e", "3", "512", "17.5", "", "0"];

function wildRecords(random: Random): string {
  const records = Array.from({ length: 1 + random(2) }, () => {
    const record = paxRecord(pick(random, WILD_KEYS), pick(random, WILD_VALUES));
    return random(12) === 0 ? record.replace(" ", pick(random, ["  ", "\t", ""])) : record;
  });
  return records.join("") + (random(12) === 0 ? "\0\0" : "");
}

/** A member of any kind, whose parts need not go together. */
function wildMember(random: Random): Buffer {
  const type = pick(random, WILD_TYPES);
  let content = "x".repeat(pick(random, [0, 3, 3, 512, 600]));
  if ("xgX".includes(type)) content = wildRecords(random);
  if ("LK".includes(type))
    content = `${pick(random, type === "K" ? WILD_LINKS : WILD_NAMES)}${random(4) ? "\0" : ""}`;
  if ("125\x00346".includes(type) && random(4)) content = "";
  const member: TarMember = {
    name: pick(random, WILD_NAMES),
    type,
    link: pick(random, WILD_LINKS),
    magic: pick(random, MAGICS),
    content,
  };
  if (random(6) === 0) member.mode = 0o755;
  if (random(10) === 0) member.prefix = pick(random, WILD_NAMES);
  if (content.length === 3 && random(3) === 0) member.size = pick(random, NUMBERS).padEnd(12, "\0");
  if (random(30) === 0) member.size = pick(random, WILD_NUMBERS).padEnd(12, "\0");
  const bytes = tarMember(member);
  if (random(10) === 0) respell(bytes, random, random(4) ? NUMBERS : WILD_NUMBERS);
  if (random(12) === 0) {
    mutate(bytes.subarray(0, 512), random, 2).subarray(0, 512).copy(bytes);
    fixChecksum(bytes);
  }
  return bytes;
}

/** An archive of sound members; in a third of them, one of any kind, or two, is among them. */
export function randomArchive(random: Random): Buffer {
  const wild = random(3) ? 0 : 1 + random(2);
  const common: Common = { files: [], mayLeave: wild === 0 };
  const parts = Array.from({ length: 1 + random(8) }, (_, index) => calmMember(random, index, common));
  for (let left = wild; left > 0; left--) parts.splice(random(parts.length + 1), 0, wildMember(random));
  return Buffer.concat([...parts, Buffer.alloc(random(8) ? 1024 : random(3) * 512)]);
}
