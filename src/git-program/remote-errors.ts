/** Finds what went wrong between git and another machine in the English messages of git, ssh and curl. */
import { DocteurError } from "../errors.js";
import type { RemoteAddress } from "./address.js";
import { reasonOf } from "./process.js";

/** The address that git was given, and the secrets that it must not repeat. */
export interface Destination {
  address: RemoteAddress;
  /** Removes all secrets from a text. */
  scrub: (text: string) => string;
}

interface Trouble {
  /** Matches the text of stderr. If several troubles match, the first one counts. */
  says: RegExp;
  code: "Io" | "Network" | "AccessDenied" | "NoRepository" | "Sha256Repository";
  message: (address: RemoteAddress, match: RegExpExecArray) => string;
  /** Advice. Without any, git's own message follows. */
  hint?: string;
}

const TROUBLES: readonly Trouble[] = [
  {
    says: /No space left on device|Disk quota exceeded/,
    code: "Io",
    message: ({ url }) => `there is no room for the objects of ${url}`,
    hint: "they are kept in a scratch folder beside the image until it is made",
  },
  {
    says: /transport '(.+)' not allowed/,
    code: "Io",
    message: ({ url }, [, name]) => `git may not fetch from ${url}: the protocol ${name} is forbidden`,
    hint: "GIT_ALLOW_PROTOCOL and the settings protocol.*.allow say which protocols git may use",
  },
  {
    says: /Unable to find remote helper|is not a git command/i,
    code: "Io",
    message: ({ url }) => `this git cannot fetch from ${url}: it was built or packaged without that protocol`,
  },
  {
    says: /cannot run (?:ssh|.*ssh.*): No such file|ssh: (?:command )?not found/,
    code: "Io",
    message: () => "ssh is not installed, or not in the PATH",
    hint: "addresses of ssh need its program, the https:// address of the same repository does not",
  },
  {
    says: /unable to look up|Could not resolve (?:host|proxy|hostname)|Temporary failure in name resolution/i,
    code: "Network",
    message: ({ host }) => `the name ${host} cannot be resolved`,
    hint: "is it spelt right, and this machine online?",
  },
  {
    says: /Operation too slow/,
    code: "Network",
    message: ({ host }) => `${host} has sent nothing for too long`,
    hint: "git's settings http.lowSpeedLimit and http.lowSpeedTime say how long that is (default: 1 byte/s, 300 s)",
  },
  {
    says: /timed out|No route to host|(?:Network|Host) is (?:unreachable|down)/i,
    code: "Network",
    message: ({ host }) => `${host} cannot be reached`,
  },
  {
    says: /Connection refused|Couldn't connect to server|Failed to connect to/i,
    code: "Network",
    message: ({ host }) => `${host} refuses the connection`,
    hint: "does a server run there, and is the port right?",
  },
  {
    says: /Host key verification failed|HOST IDENTIFICATION HAS CHANGED/,
    code: "Network",
    message: ({ host }) => `ssh does not trust ${host}: its key is unknown, or has changed`,
    hint: "make sure of the key and connect with ssh once; it is kept in ~/.ssh/known_hosts then",
  },
  {
    says: /Permission denied \(([\w,-]+)\)|Too many authentication failures/,
    code: "AccessDenied",
    message: ({ host }, [, methods]) =>
      `${host} does not let this user in by ssh${methods === undefined ? "" : ` (it takes: ${methods})`}`,
    hint: "is the right key known to ssh (ssh-add -l), and the user in the address right?",
  },
  {
    says: /could not read (?:Username|Password)|terminal prompts disabled/,
    code: "AccessDenied",
    message: ({ url }) => `${url} asks for a user name and a password`,
    hint: "set up a credential helper for git (gitcredentials), or give https://user:password@host/path",
  },
  {
    says: /Authentication failed|returned error: 401/,
    code: "AccessDenied",
    message: ({ url }) => `${url} refuses the user name or the password`,
    hint: "many servers take a token for a password; or they do not say that there is no such repository",
  },
  {
    says: /returned error: 403/,
    code: "AccessDenied",
    message: ({ url }) => `${url} is forbidden to this user`,
  },
  {
    says: new RegExp(
      [
        "repository '.*' not found",
        "repository not found",
        "does not appear to be a git repository",
        "repository not exported",
        "no such repository",
        "is this a git repository\\?",
        "returned error: 404",
      ].join("|"),
      "i",
    ),
    code: "NoRepository",
    message: ({ url }) => `there is no git repository at ${url}`,
    hint: "is the path right? Of a private repository some servers say the same to who is not logged in",
  },
  {
    says: /mismatched algorithms|unsupported object format|unknown object format/i,
    code: "Sha256Repository",
    message: ({ url }) => `${url} names its objects by SHA-256`,
    hint: "an image holds SHA-1 ids: only SHA-1 repositories will do",
  },
  {
    says: /certificate|SSL|TLS/,
    code: "Network",
    message: ({ host }) => `no trusted connection to ${host}`,
  },
  {
    says: new RegExp(
      [
        "hung up",
        "early EOF",
        "empty reply",
        "RPC failed",
        "unexpected disconnect",
        "connection (?:was )?(?:reset|closed)",
        "recv failure",
        "read error",
        "broken pipe",
        "transfer closed",
        "could not read from remote repository",
      ].join("|"),
      "i",
    ),
    code: "Network",
    message: ({ host }) => `${host} broke the connection off`,
  },
];

/** The error for a git that could not talk to another machine. */
export function troubleWith({ address, scrub }: Destination, stderr: string): DocteurError {
  // Addresses are not searched: a repository may be named "TLS", or like any other word that is looked for.
  // The server's own words are not searched either.
  const words = stderr.replace(/^remote: .*$/gm, "").replace(/'[a-z+]+:\/\/[^'\n]*'/gi, "'…'");
  for (const { says, code, message, hint } of TROUBLES) {
    const match = says.exec(words);
    if (match !== null)
      return new DocteurError(code, message(address, match), {
        hint: hint ?? scrub(reasonOf(stderr)),
      });
  }
  return new DocteurError("Io", `git cannot fetch from ${address.url}`, { hint: scrub(reasonOf(stderr)) });
}

/** Characters of the shortest names that may be secret. */
const TOKEN_MIN = 10;

/**
 * Makes a function that removes a login from a text, in every form in which a server or a program may repeat
 * it.
 */
export function scrubber({ login }: RemoteAddress): (text: string) => string {
  const secrets: string[] = [];
  if (login !== undefined) {
    const { username, password } = login;
    // A name without a password may be a token, unless it is short.
    const name = username.length < TOKEN_MIN ? "" : username;
    const words = password === undefined ? [name] : [`${username}:${password}`, password];
    for (const word of words)
      secrets.push(word, encodeURIComponent(word), Buffer.from(word).toString("base64"));
  }
  const known = secrets.filter((secret) => secret !== "").sort((a, b) => b.length - a.length);
  return (text) => {
    let clean = text.replace(/:\/\/[^/\s@]*@/g, "://…@");
    for (const secret of known) clean = clean.replaceAll(secret, "…");
    return clean;
  };
}
