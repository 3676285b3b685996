/**
 * Addresses of repositories on other machines, read as git reads them (connect.c, url.c, credential.c). The
 * address for git is kept apart from the login, which must stay off command lines and out of messages.
 */
import { DocteurError } from "../errors.js";

/** A user name of an HTTP address, with its password where there is one. */
export interface Login {
  username: string;
  password: string | undefined;
}

/** A repository that git can fetch from. */
export interface RemoteAddress {
  /** For git and for messages, without a login. (The user name for ssh is not secret, and stays.) */
  url: string;
  /** The machine, for messages. */
  host: string;
  /** Scheme, host and port of an HTTP address: its login is sent nowhere else. */
  origin: string;
  login: Login | undefined;
}

/** The schemes that git's transports take. */
export const REMOTE_SCHEMES: readonly string[] = ["https", "http", "ssh", "git", "git+ssh", "ssh+git"];

const FORMS = "https://host/path, ssh://user@host/path, user@host:path, git://host/path";

/** Stands in messages for an address that cannot be read, since it may contain a password. */
function withoutLogin(source: string): string {
  const scheme = /^[A-Za-z0-9+.-]*:\/\//.exec(source)?.[0] ?? "";
  const at = source.lastIndexOf("@");
  return at < 0 ? source : `${scheme}…@${source.slice(at + 1)}`;
}

function refuse(source: string, why: string, hint: string): never {
  const shown = JSON.stringify(withoutLogin(source)).slice(1, -1);
  throw new DocteurError("InvalidArgument", `${shown} is no address of a repository: ${why}`, { hint });
}

/** Decodes escapes. Percent signs that encode nothing, and `%00`, stay as they are, as in git. */
export function decodePercent(text: string): string {
  return text.replace(/(?:%(?!00)[0-9a-f]{2})+/gi, (bytes) =>
    Buffer.from(bytes.replaceAll("%", ""), "hex").toString(),
  );
}

function loginOf(source: string, userinfo: string): Login {
  const colon = userinfo.indexOf(":");
  const username = decodePercent(colon < 0 ? userinfo : userinfo.slice(0, colon));
  const password = colon < 0 ? undefined : decodePercent(userinfo.slice(colon + 1));
  // git passes logins to its helpers line by line.
  if (/[\0\r\n]/.test(username + password))
    refuse(source, "its user name or password has a line break", "git cannot use such a login");
  return { username, password };
}

/** Host names do not begin with a dash: ssh would take them for options. */
function checkHost(source: string, host: string, user = ""): void {
  if (host.startsWith("-") || user.startsWith("-"))
    refuse(source, "its host begins with a dash", `addresses look like ${FORMS}`);
}

/** Printable characters: they do not end lines, move the cursor or hide text. */
function checkCharacters(source: string): void {
  if (/[\0-\x1f\x7f]/.test(source))
    refuse(source, "it has control characters", `addresses look like ${FORMS}`);
}

/**
 * Reads `scheme://…`.
 * @param scheme one of `REMOTE_SCHEMES`; `source` begins with it, in any case
 * @throws DocteurError `InvalidArgument`
 */
export function parseRemoteUrl(source: string, scheme: string): RemoteAddress {
  checkCharacters(source);
  const isHttp = scheme === "https" || scheme === "http";
  const text = source.slice(scheme.length + "://".length);
  const authority = /^[^/?#]*/.exec(text)![0];
  const path = text.slice(authority.length);
  const at = authority.lastIndexOf("@");
  const userinfo = at < 0 ? "" : authority.slice(0, at);
  const [match, host, port] =
    /^(\[[0-9A-Fa-f:.%]+\]|[^:[\]@\s]+)(?::([0-9]*))?$/.exec(authority.slice(at + 1)) ?? [];
  if (match === undefined)
    refuse(
      source,
      "its host or port cannot be read",
      userinfo === "" && source.includes("@")
        ? 'in a user name or password, "/" is written %2F, "?" %3F and "#" %23'
        : `addresses look like ${FORMS}`,
    );
  checkHost(source, host!, userinfo);
  if (!isHttp && !/^\/./.test(path)) refuse(source, "it has no path", `addresses look like ${FORMS}`);
  const place = `${host}${port ? `:${port}` : ""}`;
  const origin = `${scheme}://${place}`;
  if (isHttp) {
    const login = userinfo === "" ? undefined : loginOf(source, userinfo);
    return { url: `${origin}${path}`, host: place, origin, login };
  }
  if (userinfo.includes(":"))
    refuse(source, "ssh takes no password", "use a key, with ssh-agent, or let ssh ask for the password");
  if (userinfo !== "" && scheme === "git")
    refuse(source, "git:// knows no users", "leave out what is before the @");
  const user = userinfo === "" ? "" : `${userinfo}@`;
  return { url: `${scheme}://${user}${place}${path}`, host: place, origin, login: undefined };
}

/** Whether git reads a text as the address of an ssh server: it has a colon, and no slash before it. */
export function isScpLike(source: string): boolean {
  return process.platform === "win32" ? /^[^/\\:]{2,}:/.test(source) : /^[^/:]+:/.test(source);
}

/**
 * Reads `host:path`, `user@host:path`, `[host]:path` or `[user@host:port]:path`.
 * @param source a text for which `isScpLike` is true
 * @throws DocteurError `InvalidArgument`
 */
export function parseScpLike(source: string): RemoteAddress {
  checkCharacters(source);
  const [match, bracketed, plain, path] =
    /^(?:\[([^\]]+)\]|((?:[^@/:[\]]+@)?(?:\[[^\]]+\]|[^/:[\]]+))):(.*)$/.exec(source) ?? [];
  if (match === undefined) refuse(source, "its host cannot be read", `addresses look like ${FORMS}`);
  const place = (bracketed ?? plain)!;
  const host = place.slice(place.lastIndexOf("@") + 1);
  checkHost(source, host, place);
  if (path === "") refuse(source, "it has no path", `addresses look like ${FORMS}`);
  return { url: source, host, origin: `ssh://${host}`, login: undefined };
}
