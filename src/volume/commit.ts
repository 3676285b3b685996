/** The commit that an image holds. */
import { INFO, RESULT } from "../core/abi.js";
import type { Core } from "../core/instance.js";
import { parseCommit } from "../git/commit.js";
import { dateOf, type Ident, zoneOf } from "../git/ident.js";
import { hexOid } from "../git/oid.js";

/** A commit's author or committer, and the date. Bytes that are not UTF-8 show as U+FFFD. */
export interface Person {
  /** At most 4,096 bytes, as is `email`. */
  name: string;
  email: string;
  /** Null if git reads no date, or a `Date` cannot hold it. */
  date: Date | null;
  /** The date's offset from UTC, "+02:00"; null if it has none, or ISO 8601 cannot write it. */
  zone: string | null;
}

/** The commit that the image holds. */
export interface Commit {
  /** 40 hexadecimal digits. */
  oid: string;
  /** The root tree's id. */
  tree: string;
  /** The committer's date; null if git reads none, or a `Date` cannot hold it. */
  date: Date | null;
  author: Person;
  committer: Person;
  /** At most 1 MiB of it; empty if there is none. Bytes that are not UTF-8 show as U+FFFD. */
  message: string;
}

function person({ name, email, moment }: Ident): Person {
  const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return {
    name: decode(name),
    email: decode(email),
    date: moment === undefined ? null : dateOf(moment),
    zone: (moment && zoneOf(moment)) ?? null,
  };
}

/**
 * Reads the commit of a mounted core.
 * @param signals end the wait for the device
 * @throws DocteurError the core's errors
 */
export async function readCommit(core: Core, signals: readonly AbortSignal[]): Promise<Commit> {
  const handle = core.open();
  await core.run(handle, askForCommit(core), signals);
  return takeCommit(core, handle);
}

/** Reads the commit over a synchronous device. @throws DocteurError the core's errors */
export function readCommitSync(core: Core): Commit {
  const handle = core.open();
  core.runSync(handle, askForCommit(core));
  return takeCommit(core, handle);
}

/** An id of the mounted image. */
function idAt(core: Core, offset: number): Uint8Array {
  const at = core.exports.info() + offset;
  return core.bytes.slice(at, at + 20);
}

function askForCommit(core: Core): (handle: number) => number {
  return (handle) => {
    core.write(idAt(core, INFO.commit));
    return core.exports.object(handle, core.input);
  };
}

function takeCommit(core: Core, handle: number): Commit {
  const data = core.resultU32(RESULT.data);
  const text = parseCommit(core.bytes.subarray(data, data + core.resultU32(RESULT.dataLen)));
  core.release(handle);
  const committer = person(text.committer);
  return {
    oid: hexOid(idAt(core, INFO.commit)),
    tree: hexOid(idAt(core, INFO.tree)),
    date: committer.date,
    author: person(text.author),
    committer,
    message: new TextDecoder().decode(text.message),
  };
}
