/** URLs as messages show them: without what may be a credential. */

/** The URL without its user, its password, its fragment, and the values of its query, where signatures are. */
export function redacted(url: URL): string {
  const query = url.search === "" ? "" : "?…";
  // Of schemes that the URL standard does not know, `origin` is "null".
  return `${url.protocol}//${url.host}${url.pathname}${query}`;
}

/** The same of a text that may not parse. */
export function redactedText(text: string): string {
  return text.replace(/\/\/.*@/s, "//").replace(/[?#].*$/s, "?…");
}
