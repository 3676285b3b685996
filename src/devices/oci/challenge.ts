/** What a registry asks for when it answers 401: the challenges of `WWW-Authenticate` (RFC 9110, section 11.6.1). */

/** A scheme and its parameters; both names in small letters. */
export interface Challenge {
  scheme: string;
  parameters: ReadonlyMap<string, string>;
}

/** A token, perhaps with an equals sign and a value behind it: the grammar's pieces, one after the other. */
const PIECE =
  /[\s,]*(?:([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",=]+)))?|"(?:[^"\\]|\\.)*"|.)/gsy;

/** Reads the challenges of a header; what cannot be read is left out. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  for (const [, name, quoted, plain] of header.matchAll(PIECE)) {
    if (name === undefined) continue;
    const value = quoted?.replace(/\\(.)/gs, "$1") ?? plain;
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else challenges.at(-1)?.parameters.set(name.toLowerCase(), value);
  }
  return challenges;
}
