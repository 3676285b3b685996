/** One commit of a repository on another machine, fetched by git into a scratch repository. */
import { DocteurError, type ErrorCode } from "../errors.js";
import type { RemoteAddress } from "./address.js";
import { runGit, type Setting, transportEnvironment, withSpeedLimit } from "./process.js";
import type { GitProgress } from "./progress.js";
import { type Destination, scrubber, troubleWith } from "./remote-errors.js";
import { type Ask, checkRevision, listSome, peelToCommit, REVISION_HINT } from "./revision.js";
import { runTransport } from "./transport.js";
import type { Workspace } from "./workspace.js";

/** Where in the scratch repository the fetched object is named. */
const FETCHED = "refs/docteur/source";

/** How many refs are told of. */
const SHOWN_MAX = 8;

/** What git says, in short, to a server of another hash. */
const MISMATCH = "fatal: mismatched algorithms";

/** What the server says to depth 1 where it serves no shallow clones: a mere file server, or an ancient git. */
const NOT_SHALLOW = /does not support (?:shallow|--depth)/;

/** What is said of an id that no ref has, by git on either side, and by servers that are not git. */
const NOT_BY_ID = /does not allow request for unadvertised object|want [0-9a-f]{40} not valid/;

/** Said by git's own server alone: what it does not find, a deeper fetch would not find either. */
const NOT_OURS = /upload-pack: not our ref/;

/** How to fetch. */
export interface FetchOptions {
  signal: AbortSignal | undefined;
  /** Told how many objects were received, of how many. */
  onProgress: ((done: number, total: number | undefined) => void) | undefined;
  /** Told what the user may want to know while waiting. */
  onNotice: ((text: string) => void) | undefined;
}

/** Said of a name that is no ref of the server's, or could be none. */
const NO_SUCH_REF = /couldn't find remote ref|invalid refspec/;

/** Hands a login to git, which asks for it where the server does, and nobody else. */
function loginSettings({ origin, login }: RemoteAddress): readonly Setting[] {
  if (login === undefined) return [];
  if (login.password === undefined) return [[`credential.${origin}.username`, login.username]];
  // A shell of git's runs this, which takes the values from its environment: they are in no list of processes.
  const helper = `!f() { test "$1" = get && printf 'username=%s\\npassword=%s\\n' "$DOCTEUR_USERNAME" "$DOCTEUR_PASSWORD"; }; f`;
  return [
    // An empty value clears the list: no helper of the user's is asked for this login, or keeps it.
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
   * Asks for the refs, to say what is there instead of what was asked for.
   * @returns the first branches and tags, in short
   * @throws DocteurError `EmptyRepository`, `Sha256Repository`, or what `troubleWith` makes of git's words
   */
  async #list(): Promise<string[]> {
    const some: string[] = [];
    let isEmpty = true;
    let isSha1 = true;
    const onLine = (line: string): void => {
      // Names of a lying server may have line feeds.
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

  /** Says that there is no such ref, and which there are. */
  async #failWithout(name: string): Promise<never> {
    const some = await this.#list();
    const hint = some.length > 0 ? `it has ${listSome(some, SHOWN_MAX)}` : REVISION_HINT;
    if (name === "HEAD")
      this.failToFind(`HEAD of ${this.#url} leads to no commit`, `choose one with -b: ${hint}`);
    const isId = /^[0-9a-f]{4,39}$/i.test(name);
    const advice = isId ? `if it is a commit, give its whole id of 40 digits; ${hint}` : hint;
    return this.failToFind(`no branch or tag ${name} at ${this.#url}`, advice);
  }

  /** Fetches, from depth 1 if need be to the whole history. @returns undefined, or what git said where it failed */
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
   * Fetches one ref, without history if the server can do that. One connection does it, as each may ask the user for a
   * password. git reads the name as `git rev-parse` would read it there (`ref_rev_parse_rules` in refs.c).
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

  /** Fetches an object by its id; all there is, where the server does not hand out what no ref names. */
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

/** Refuses what only a repository at hand can answer. */
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
 * Fetches one commit, and where the server can do it nothing else, into the scratch repository.
 * @param ref a branch, tag, full ref, or a commit's whole id; HEAD where it is undefined. Names are read as
 *   `git rev-parse` reads them: a tag is found before a branch
 * @returns the commit's id, 40 hexadecimal digits
 * @throws DocteurError `InvalidArgument` for `ref`; `NoRepository`, `NoSuchRevision`, `EmptyRepository` or
 *   `Sha256Repository` for what is there; `Network` or `AccessDenied` where there is no way to it; `NoGit`, `Io`; the
 *   signal's reason
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
