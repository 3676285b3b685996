/** How the command line tools end: their exit statuses, and which one stands for which error. */
import type { ErrorCode } from "../../src/errors.js";

/** Exit statuses of the command line tools, documented in the README. */
export const EXIT = {
  /** All went well. */
  ok: 0,
  /** Not found, or a usage error of the guest's. */
  notFound: 1,
  /** The image is damaged. */
  damaged: 4,
  /** Input or output failed: a file, a device, a process, memory. */
  io: 8,
  /** A git source cannot be had: what scripts may want to tell from each other. */
  noGit: 9,
  network: 10,
  accessDenied: 11,
  noRepository: 12,
  noSuchRevision: 13,
  emptyRepository: 14,
  sha256Repository: 15,
  /** Bad arguments. */
  usage: 16,
  /** Whoever read the output has closed the pipe: what a shell shows for a program that SIGPIPE (13) ended. */
  brokenPipe: 128 + 13,
} as const;

/** The exit status that stands for an error's code. */
export function exitStatus(code: ErrorCode): number {
  switch (code) {
    case "Usage":
    case "InvalidArgument":
    case "BadGuest":
      return EXIT.usage;
    case "Io":
    case "BadSource":
    case "DeviceFailed":
    case "OutOfMemory":
    case "Closed":
      return EXIT.io;
    case "NoGit":
      return EXIT.noGit;
    case "Network":
      return EXIT.network;
    case "AccessDenied":
      return EXIT.accessDenied;
    case "NoRepository":
      return EXIT.noRepository;
    case "NoSuchRevision":
      return EXIT.noSuchRevision;
    case "EmptyRepository":
      return EXIT.emptyRepository;
    case "Sha256Repository":
      return EXIT.sha256Repository;
    case "NotFound":
    case "ValueExpected":
    case "DictionaryExpected":
    case "SymlinkLoop":
    case "Submodule":
    case "PathTooLong":
      return EXIT.notFound;
    default:
      return EXIT.damaged;
  }
}
