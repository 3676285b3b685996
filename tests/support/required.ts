/** Tests that need what not every machine has. */

/** Words of `DOCTEUR_TEST_REQUIRE`: programs and packages, and languages with the packages of their hosts. */
export type Requirement =
  | ("browser" | "ssh" | "clang" | "http" | "nbd" | "oci" | "s3" | "libraries" | "redbot")
  | ("firefox" | "bundlers" | "runtimes" | "archives" | "webdav" | "mount" | "shells" | "man")
  | ("go" | "rust" | "java" | "python" | "c");

/**
 * Skips a test where something is missing, unless `DOCTEUR_TEST_REQUIRE` names it: then its absence is a failure, so that
 * a machine that is to run everything does.
 * @param what a word of that variable, which has them with commas in between
 * @param reason why the test cannot run, or undefined if it can
 * @returns the reason
 * @throws where the thing is required and missing
 */
export function unlessRequired(what: Requirement, reason: string | undefined): string | undefined {
  const required = (process.env.DOCTEUR_TEST_REQUIRE ?? "").split(",");
  if (reason !== undefined && required.includes(what))
    throw new Error(`DOCTEUR_TEST_REQUIRE names ${what}: ${reason}`);
  return reason;
}
