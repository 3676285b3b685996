/** Checks the people and the message of a new commit, by git's rules (ident.c; fsck.c; `git commit-tree`). */
import { type Check, invalid, isString } from "../arguments.js";

/** A person in a commit. */
export interface Person {
  name: string;
  email: string;
}

/** The author of docteur's own commits. */
export const GREENTHUMB: Person = { name: "Dr. Greenthumb", email: "noreply@cypress.hill" };

/** A lone half of a surrogate pair, which has no UTF-8 form. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Characters that end a name, an address or their line. git drops them silently. */
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
 * Checks a person for a new commit. Characters that would end the name or the address, and text without a
 * UTF-8 form, are refused. (git also drops dots, commas and quotes at the ends of a name; these do no harm.)
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

/** A message as `git commit-tree -m` writes it: its last line ends with a line feed. */
export function completeMessage(message: string): string {
  return message === "" || message.endsWith("\n") ? message : `${message}\n`;
}

/** "Name <email>", as in commits. */
export function identOf({ name, email }: Person): string {
  return `${name} <${email}>`;
}

/**
 * Parses "Name <email>".
 * @returns undefined for other text
 */
export function parsePerson(text: string): Person | undefined {
  const [, name, email] = /^([^<>]*)<([^<>]*)>\s*$/.exec(text) ?? [];
  return name === undefined ? undefined : { name: name.trim(), email: email!.trim() };
}
