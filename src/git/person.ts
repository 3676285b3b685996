/** The people that a new commit names, and its message: what git takes of them (ident.c; fsck.c; `git commit-tree`). */
import { type Check, invalid, isString } from "../arguments.js";

/** A person, as commits name one. */
export interface Person {
  name: string;
  email: string;
}

/** The person that docteur's own commits name. */
export const GREENTHUMB: Person = { name: "Dr. Greenthumb", email: "noreply@cypress.hill" };

/** Half of a surrogate pair alone: such text has no UTF-8. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Characters that end a name or an address, or its line: git leaves them out silently. */
const DELIMITERS = /[<>\n\r\0]/;

export const isPerson: Check = (value) => {
  const { name, email } = (value ?? {}) as Record<string, unknown>;
  return isString(name) === undefined && isString(email) === undefined
    ? undefined
    : "an object with a name and an email, both strings";
};

function checkPart(what: string, text: string): void {
  const hint = 'an author is written as "Name <email>"';
  if (text.trim() === "") throw invalid(`the author's ${what} is empty`, hint);
  if (text !== text.trim()) throw invalid(`the author's ${what} begins or ends with a blank`, hint);
  if (DELIMITERS.test(text))
    throw invalid(`the author's ${what} has a <, a >, a line break or a zero byte in it`, hint);
  if (LONE_SURROGATE.test(text)) throw invalid(`the author's ${what} has half of a surrogate pair`, hint);
}

/**
 * Checks a person for a new commit: what would end the name or the address, and what has no UTF-8, is refused. (git also
 * leaves out dots, commas and quotes at the ends of a name, which are no harm.)
 * @throws DocteurError `InvalidArgument`
 */
export function checkPerson({ name, email }: Person): void {
  checkPart("name", name);
  checkPart("e-mail address", email);
}

/** Checks the message of a new commit. @throws DocteurError `InvalidArgument` */
export function checkMessage(message: string): void {
  if (message.includes("\0"))
    throw invalid("the message has a zero byte in it", "git reads a commit's message up to there");
  if (LONE_SURROGATE.test(message)) throw invalid("the message has half of a surrogate pair");
}

/** A message as `git commit-tree -m` writes it: its last line is ended. */
export function completeMessage(message: string): string {
  return message === "" || message.endsWith("\n") ? message : `${message}\n`;
}

/** "Name <email>", as commits have it. */
export function identOf({ name, email }: Person): string {
  return `${name} <${email}>`;
}

/**
 * Takes "Name <email>" apart.
 * @returns undefined for other text
 */
export function parsePerson(text: string): Person | undefined {
  const [, name, email] = /^([^<>]*)<([^<>]*)>\s*$/.exec(text) ?? [];
  return name === undefined ? undefined : { name: name.trim(), email: email!.trim() };
}
