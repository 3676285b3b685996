/** The one error type of the library, and the names that its `code` takes. */

/** Status codes of the core (`asm/base/status.ts`), by the name that `DocteurError.code` gives them. */
export const STATUS = {
  Ok: 0,
  Again: 1,
  InvalidArgument: 2,
  DeviceFailed: 3,

  NotFound: 16,
  ValueExpected: 17,
  DictionaryExpected: 18,
  SymlinkLoop: 19,
  Submodule: 20,

  OutOfMemory: 32,
  PathTooLong: 33,
  ObjectTooLarge: 34,
  ChainTooDeep: 35,
  TreeTooDeep: 36,
  TooManyObjects: 37,
  WorkLimit: 38,

  BadHeader: 48,
  BadPack: 49,
  BadIdx: 50,
  Truncated: 51,
  BadTrailer: 52,

  BadZlibHeader: 64,
  BadBlockType: 65,
  BadStoredLength: 66,
  BadCodeLengths: 67,
  BadSymbol: 68,
  BadDistance: 69,
  BadAdler: 70,
  BadInflatedSize: 71,

  BadEntry: 80,
  BadBase: 81,
  MissingBase: 82,
  BadDelta: 83,
  DeltaBaseSize: 84,
  DeltaCopyRange: 85,
  DeltaResultSize: 86,

  MissingObject: 96,
  WrongKind: 97,
  BadCommit: 98,
  BadTree: 99,
  OidMismatch: 100,
  CrcMismatch: 101,
  OtherCommit: 102,
  Collision: 103,
} as const;

/** A status of the core. */
export type StatusCode = Exclude<keyof typeof STATUS, "Ok" | "Again">;

/** Codes of errors that arise outside the core: in the tools, the maker and the devices. */
export type HostCode =
  /** Bad arguments on a command line. */
  | "Usage"
  /** A file, process or network operation failed; `cause` says how. */
  | "Io"
  /** The source is not what it should be: a special file, a damaged repository. */
  | "BadSource"
  /** A git source needs the git program, which is not there. */
  | "NoGit"
  /** Another machine cannot be reached, is not trusted, or broke the connection off. */
  | "Network"
  /** Another machine asks for credentials, or denies access. */
  | "AccessDenied"
  /** A git repository was not found. */
  | "NoRepository"
  /** A repository lacks the branch, tag, commit or directory that was asked for. */
  | "NoSuchRevision"
  /** A repository has no commits. */
  | "EmptyRepository"
  /** A repository names its objects by SHA-256. */
  | "Sha256Repository"
  /** A guest module or its manifest is refused. */
  | "BadGuest"
  /** The layout section of an image is damaged, or that of another image. */
  | "BadLayout"
  /** The volume was closed. */
  | "Closed"
  /** The image has changed since it was opened: `Volume.reopen` opens it as it is now. */
  | "ImageChanged"
  /** An image is sound, but not the one that was asked for. */
  | "Mismatch";

/** Values of `DocteurError.code`. */
export type ErrorCode = StatusCode | HostCode;

/** The place of an error, and more about it. */
export interface ErrorWhere {
  /** The path inside the image, or the file's on the host. */
  path?: string | undefined;
  /** The git object, 40 hexadecimal digits. */
  oid?: string | undefined;
  /** Absolute offset in the image, in bytes. */
  offset?: number | undefined;
  /** The address of the image, without credentials. */
  url?: string | undefined;
  /** Advice for people. */
  hint?: string | undefined;
  /** The error that led to this one. */
  cause?: unknown;
}

/**
 * Every error that this library throws on purpose. `message` is one line; `hint`, if there is one, is
 * another line.
 */
export class DocteurError extends Error {
  override readonly name = "DocteurError";
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly oid: string | undefined;
  readonly offset: number | undefined;
  readonly url: string | undefined;
  readonly hint: string | undefined;

  /**
   * @param code the kind of error, for programs
   * @param message the error in words for people: one line, no full stop needed
   * @param where the place, a hint and the cause
   */
  constructor(code: ErrorCode, message: string, where: ErrorWhere = {}) {
    super(message, where.cause === undefined ? undefined : { cause: where.cause });
    this.code = code;
    this.path = where.path;
    this.oid = where.oid;
    this.offset = where.offset;
    this.url = where.url;
    this.hint = where.hint;
  }
}
