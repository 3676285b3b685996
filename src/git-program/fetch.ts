/** One commit of a repository on another machine, fetched by git into a scratch repository. */
import { DocteurError, type ErrorCode } from "../errors.js";
import type { RemoteAddress } from "./address.js";
import { runGit, type Setting, transportEnvironment, withSpeedLimit } from "./process.js";
import type { GitProgress } from "./progress.js";
import { type Destination, scrubber, troubleWith } from "./remote-errors.js";
import { type Ask, checkRevision, listSome, peelToCommit, REVISION_HINT } from "./revision.js";
import { runTransport } from "./transport.js";
import type { Workspace } from "./workspace.js";

/** The ref that names the fetched object in the scratch repository. */
const FETCHED = "refs/docteur/source";

/** How many refs a message lists. */
const SHOWN_MAX = 8;

/** Part of git's message about a server that uses another hash. */
const MISMATCH = "fatal: mismatched algorithms";

/** Answers to depth 1 from servers without shallow clones: plain file servers and very old versions of git. */
const NOT_SHALLOW = /does not support (?:shallow|--depth)/;

/** Messages about an id that no ref has: git's on either side, and those of other servers. */
const NOT_BY_ID = /does not allow request for unadvertised object|want [0-9a-f]{40} not valid/;

/** Only git's own server says this. A deeper fetch would not find the object either. */
const NOT_OURS = /upload-pack: not our ref/;

/** How to fetch. */
export interface FetchOptions {
  signal: AbortSignal | undefined;
  /** Receives the number of objects received, and their total. */
  onProgress: ((done: number, total: number | undefined) => void) | undefined;
  /** Receives notices that the user may want to read while waiting. */
  onNotice: ((text: string) => void) | undefined;
}

/** Messages about a name that is not a ref of the server, or not a valid ref. */
const NO_SUCH_REF = /couldn't find remote ref|invalid refspec/;

/** Gives a login to git alone. git asks for it when the server asks. */
function loginSettings({ origin, login }: RemoteAddress): readonly Setting[] {
  if (login === undefined) return [];
  if (login.password === undefined) return [[`credential.${origin}.username`, login.username]];
  // git's shell runs this. It takes the values from the environment, so that no list of processes shows them.
  const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$DOCTEUR_USERNAME" "$DOCTEUR_PASSWORD"; }; f`;
  return [
    // An empty value clears the list, so that none of the user's helpers is asked for this login or stores
    // it.
    [`credential.${origin}.helper`, ""],
    [`credential.${origin}.helper`, helper],
  ];
}

async function environmentOf(
  address: RemoteAddress,
  { repository }: Workspace,
  signal: AbortSignal | undefined,
): Promise<NodeJS.ProcessEnv> {
  const before = { ...transportEnvironment(loginSettings(address)), GIT_DIR: repository };
  const env = await withSpeedLimit(before, [], signal);
  const { username, password } = address.login ?? {};
  if (password === undefined) return env;
  return { ...env, DOCTEUR_USERNAME: username, DOCTEUR_PASSWORD: password };
}

class Remote {
  readonly #destination: Destination;
  readonly #env: NodeJS.ProcessEnv;
  readonly #options: FetchOptions;
  readonly #url: string;

  /** @param env see `environmentOf` */
  constructor(address: RemoteAddress, env: NodeJS.ProcessEnv, options: FetchOptions) {
    this.#destination = { address, scrub: scrubber(address) };
    this.#env = env;
    this.#options = options;
    this.#url = address.url;
  }

  fail(code: ErrorCode, message: string, hint: string): never {
    throw new DocteurError(code, message, { hint });
  }

  /** @throws DocteurError `NoSuchRevision` */
  failToFind(message: string, hint: string): never {
    return this.fail("NoSuchRevision", message, hint);
  }

  /**
   * Asks for the refs, to list them when the requested one is missing.
   * @returns the short names of the first branches and tags
   * @throws DocteurError `EmptyRepository`, `Sha256Repository`, or the error that `troubleWith` makes of
   *   git's messages
   */
  async #list(): Promise<string[]> {
    const some: string[] = [];
    let isEmpty = true;
    let isSha1 = true;
    const onLine = (line: string): void => {
      // A hostile server may send names with line feeds.
      const [, id, name] = /^([0-9a-f]{40}|[0-9a-f]{64})\t(.*)$/.exec(line) ?? [];
      if (id === undefined || name === undefined) return;
      isEmpty = false;
      isSha1 &&= id.length === 40;
      const short = /^refs\/(?:heads|tags)\/(.*)$/.exec(name)?.[1];
      if (short !== undefined && !short.endsWith("^{}") && some.length <= SHOWN_MAX) some.push(short);
    };
    const { signal } = this.#options;
    const args = ["ls-remote", "--quiet", "--", this.#url];
    const { status, stderr } = await runTransport({ args, env: this.#env, signal, onLine });
    if (status !== 0) throw troubleWith(this.#destination, stderr);
    if (isEmpty)
      this.fail(
        "EmptyRepository",
        `the repository ${this.#url} has no commits`,
        "push something there first",
      );
    if (!isSha1) throw troubleWith(this.#destination, MISMATCH);
    return some;
  }

  /** The error for a missing ref. It lists those that exist. */
  async #failWithout(name: string): Promise<never> {
    const some = await this.#list();
    const hint = some.length > 0 ? `it has ${listSome(some, SHOWN_MAX)}` : REVISION_HINT;
    if (name === "HEAD")
      this.failToFind(`HEAD of ${this.#url} leads to no commit`, `choose one with -b: ${hint}`);
    const isId = /^[0-9a-f]{4,39}$/i.test(name);
    const advice = isId ? `if it is a commit, give its whole id of 40 digits; ${hint}` : hint;
    return this.failToFind(`no branch or tag ${name} at ${this.#url}`, advice);
  }

  /**
   * Fetches, from depth 1 if need be to the whole history.
   * @returns undefined, or git's messages if it failed
   */
  async #run(isShallow: boolean, refspecs: readonly string[]): Promise<string | undefined> {
    const { signal, onProgress } = this.#options;
    const args = ["fetch", "--progress", "--no-tags", "--no-write-fetch-head", "--no-auto-gc"];
    args.push("--no-recurse-submodules", ...(isShallow ? ["--depth=1"] : []), "--", this.#url, ...refspecs);
    const report = ({ title, done, total }: GitProgress): void => {
      if (title === "Receiving objects") onProgress?.(done, total);
    };
    const { status, stderr } = await runTransport({ args, env: this.#env, signal, onProgress: report });
    return status === 0 ? undefined : stderr;
  }

  #notice(text: string): void {
    this.#options.onNotice?.(`${this.#url} ${text}`);
  }

  /**
   * Fetches one ref, without history if the server can do that. It uses one connection, since each may ask
   * the user for a password. git reads the name as `git rev-parse` would read it there (`ref_rev_parse_rules`
   * in refs.c).
   */
  async fetch(name: string): Promise<void> {
    const refspec = `+${name}:${FETCHED}`;
    let failure = await this.#run(true, [refspec]);
    if (failure !== undefined && NOT_SHALLOW.test(failure)) {
      this.#notice("cannot leave out history: all of it is fetched");
      failure = await this.#run(false, [refspec]);
    }
    if (failure === undefined) return;
    if (NO_SUCH_REF.test(failure)) await this.#failWithout(name);
    throw troubleWith(this.#destination, failure);
  }

  /** Fetches an object by its id. If the server only serves objects that refs name, it fetches everything. */
  async fetchId(id: string): Promise<string> {
    let failure = await this.#run(true, [`${id}:${FETCHED}`]);
    if (failure === undefined) return FETCHED;
    if (NOT_OURS.test(failure)) {
      await this.#list();
      this.failToFind(`${this.#url} has no commit ${id}`, REVISION_HINT);
    }
    if (!NOT_BY_ID.test(failure) && !NOT_SHALLOW.test(failure)) throw troubleWith(this.#destination, failure);
    this.#notice(
      "does not hand out commits by their ids: all branches and tags are fetched, with their history",
    );
    failure = await this.#run(false, [
      "+refs/heads/*:refs/docteur/heads/*",
      "+refs/tags/*:refs/docteur/tags/*",
    ]);
    if (failure !== undefined) throw troubleWith(this.#destination, failure);
    return id;
  }
}

/** Refuses revisions that only a local repository can resolve. */
function checkRemoteRevision(ref: string): void {
  checkRevision(ref);
  if (!/[\0-\x20\x7f~^:?*[\\]|\.\.|@\{/.test(ref)) return;
  throw new DocteurError(
    "InvalidArgument",
    `a remote repository cannot be asked for ${JSON.stringify(ref)}`,
    {
      hint: "it knows branches, tags, full refs and whole commit ids; for anything else, clone it first",
    },
  );
}

/**
 * Fetches one commit into the scratch repository, without its history if the server supports that.
 * @param ref a branch, tag, full ref, or a commit's whole id; HEAD if undefined. Names are read as `git
 *   rev-parse` reads them: a tag is found before a branch
 * @returns the commit's id, 40 hexadecimal digits
 * @throws DocteurError `InvalidArgument` for `ref`; `NoRepository`, `NoSuchRevision`, `EmptyRepository` or
 *   `Sha256Repository` for the repository; `Network` or `AccessDenied` if it cannot be reached; `NoGit`,
 *   `Io`; the signal's reason
 */
export async function fetchCommit(
  address: RemoteAddress,
  ref: string | undefined,
  workspace: Workspace,
  options: FetchOptions,
): Promise<string> {
  if (ref !== undefined) checkRemoteRevision(ref);
  const remote = new Remote(address, await environmentOf(address, workspace, options.signal), options);
  const name = ref === undefined || ref === "@" ? "HEAD" : ref;
  const ask: Ask = (...args) => runGit(args, workspace.env, options.signal);
  if (!/^[0-9a-f]{40}$/i.test(name)) {
    await remote.fetch(name);
    return peelToCommit(ask, FETCHED, name);
  }
  const id = name.toLowerCase();
  const fetched = await remote.fetchId(id);
  if ((await ask("cat-file", "-e", fetched)).status !== 0)
    remote.failToFind(`no branch or tag of ${address.url} leads to ${id}`, REVISION_HINT);
  return peelToCommit(ask, fetched, name);
}
