/**
 * The names by which a server may be asked. A server on the loopback that answers to any name can be read by every web
 * site that its user visits: the site's own name can be made to lead to the loopback (DNS rebinding).
 */
import { isIP } from "node:net";

/** The host of the field `Host`, without its port, in small letters. */
function hostOf(field: string): string {
  const [, literal, name] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(field.trim().toLowerCase()) ?? [];
  return literal ?? name ?? "";
}

/** Whether an address that a server listens on is reached from its machine alone. */
export function isLoopback(host: string): boolean {
  if (isIP(host) !== 0) return host === "::1" || host.startsWith("127.");
  return host === "localhost" || host.endsWith(".localhost");
}

/**
 * Makes the check of the field `Host`.
 * @param host that the server listens on
 * @param allowed more names
 */
export function hostCheck(host: string, allowed: readonly string[]): (field: string | undefined) => boolean {
  if (!isLoopback(host)) return () => true;
  const names = new Set(allowed.map((name) => name.toLowerCase()));
  return (field) => {
    if (field === undefined) return true;
    const name = hostOf(field);
    // No name leads to an address: what is an address has not been rebound.
    return isIP(name) !== 0 || isLoopback(name) || names.has(name);
  };
}
