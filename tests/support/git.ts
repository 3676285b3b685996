/** Repositories for tests, made by the git program under nobody's settings. */
import { execFileSync } from "node:child_process";

/** Nobody's settings, and a fixed identity and date. */
export const GIT_ENVIRONMENT = {
  PATH: process.env.PATH,
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_AUTHOR_NAME: "A U Thor",
  GIT_AUTHOR_EMAIL: "author@example.org",
  GIT_AUTHOR_DATE: "1717740550 +0200",
  GIT_COMMITTER_NAME: "C O Mitter",
  GIT_COMMITTER_EMAIL: "committer@example.org",
  GIT_COMMITTER_DATE: "1717740550 +0200",
};

/** Runs git in `folder`; what it prints, without the last line feed. Fails with what git said. */
export function git(folder: string, ...args: string[]): string {
  return execFileSync("git", args, {
    cwd: folder,
    env: GIT_ENVIRONMENT,
    encoding: "utf8",
    stdio: "pipe",
  }).replace(/\n$/, "");
}

/** Commits everything in a work tree; the commit's id. */
export function commitAll(folder: string, message: string): string {
  git(folder, "add", "-A", "-f", ".");
  git(folder, "commit", "-q", "--allow-empty", "-m", message);
  return git(folder, "rev-parse", "HEAD");
}
