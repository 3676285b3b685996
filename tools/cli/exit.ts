/** The exit statuses of the command line tools, and the status of each error. */
import type { ErrorCode } from "../../src/errors.js";

/** Exit statuses of the command line tools. */
export const EXIT = {
  ok: 0,
  notFound: 1,
  damaged: 4,
  unknown: 5,
  io: 8,
  noGit: 9,
  network: 10,
  accessDenied: 11,
  noRepository: 12,
  noSuchRevision: 13,
  emptyRepository: 14,
  sha256Repository: 15,
  usage: 16,
  /** The reader of the output closed the pipe. A shell shows 128 + 13 for a program that SIGPIPE ended. */
  brokenPipe: 141,
} as const;

/** The meaning of each status. docs/COMMANDS.md and every `--help` show these texts. */
export const EXIT_MEANINGS: Record<(typeof EXIT)[keyof typeof EXIT], string> = {
  0: "success",
  1: "the image has no such path, or the path is of another kind",
  4: "the image is damaged, or it is not the one asked for",
  5: "the memory was not enough to judge the whole image",
  8: "input or output failed: a file, a device, a program, memory",
  9: "the source needs git, which is not installed",
  10: "the other machine cannot be reached or trusted, or broke the connection",
  11: "the other machine refuses the user, password or key",
  12: "there is no repository",
  13: "the repository has no such branch, tag, commit or directory",
  14: "the repository has no commits",
  15: "the repository uses SHA-256 object ids",
  16: "the arguments are wrong",
  141: "the reader of the output closed the pipe",
};

/**
 * The part of a `--help` about exit statuses: a line each.
 * @param statuses those that the command can end with, besides a closed pipe; all by default
 */
export function exitHelp(statuses?: readonly (keyof typeof EXIT_MEANINGS)[]): string {
  const isListed = (status: number): boolean =>
    statuses === undefined || status === EXIT.brokenPipe || statuses.some((one) => one === status);
  const lines = Object.entries(EXIT_MEANINGS)
    .filter(([status]) => isListed(Number(status)))
    .map(([status, meaning]) => `  ${status.padStart(3)}  ${meaning}`);
  return ["Exit statuses:", ...lines].join("\n");
}

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
    case "ImageChanged":
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
