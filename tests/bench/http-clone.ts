/** The clone of a repository by isomorphic-git over HTTP: what a program without docteur reads a tree by. */
import fs, { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import isomorphicGit from "isomorphic-git";
import http from "isomorphic-git/http/node";
import { SlowGitServer } from "../support/slow-git-server.js";
import { runGit } from "./git.js";
import type { Cost } from "./http-cost.js";
import { timed } from "./measure.js";

/** A repository of one commit on a server that takes its time, and its clone. */
export class ClonedSite {
  readonly #folder: string;
  readonly #server: SlowGitServer;
  #clone: Promise<Cost> | undefined;

  private constructor(folder: string, server: SlowGitServer) {
    this.#folder = folder;
    this.#server = server;
  }

  /**
   * @param tree the folder of the files
   * @param latency milliseconds before the server answers
   */
  static async start(tree: string, latency: number): Promise<ClonedSite> {
    const folder = mkdtempSync(join(tmpdir(), "docteur-bench-clone-"));
    const repository = join(folder, "tree.git");
    const git = async (...args: string[]): Promise<string> =>
      (await runGit(["--git-dir", repository, "--work-tree", tree, ...args])).toString().trim();
    await runGit(["init", "-q", "--bare", "--initial-branch=main", repository]);
    await git("add", "-A", "-f");
    await git(
      "update-ref",
      "refs/heads/main",
      await git("commit-tree", await git("write-tree"), "-m", "files"),
    );
    await git("repack", "-adq");
    return new ClonedSite(folder, await SlowGitServer.start(repository, latency));
  }

  get #gitdir(): string {
    return join(this.#folder, "clone.git");
  }

  /** Clones the last commit, without a work tree. */
  async #cloned(): Promise<Cost> {
    const { requests, bytes } = this.#server;
    const place = { fs, http, dir: this.#folder, gitdir: this.#gitdir };
    const milliseconds = await timed(() =>
      isomorphicGit.clone({
        ...place,
        url: this.#server.url,
        depth: 1,
        singleBranch: true,
        noCheckout: true,
      }),
    );
    return {
      milliseconds,
      requests: this.#server.requests - requests,
      bytes: this.#server.bytes - bytes,
    };
  }

  /** What it costs to clone, which is done once, and then to read some files. */
  async readCost(paths: readonly string[]): Promise<Cost> {
    this.#clone ??= this.#cloned();
    const cost = await this.#clone;
    const gitdir = this.#gitdir;
    const cache = {};
    const milliseconds = await timed(async () => {
      const oid = await isomorphicGit.resolveRef({ fs, gitdir, ref: "HEAD" });
      for (const filepath of paths) await isomorphicGit.readBlob({ fs, gitdir, oid, filepath, cache });
    });
    return { ...cost, milliseconds: cost.milliseconds + milliseconds };
  }

  /** What it costs to clone, which is done once, and then to list all files. */
  async listCost(count: number): Promise<Cost> {
    this.#clone ??= this.#cloned();
    const cost = await this.#clone;
    const gitdir = this.#gitdir;
    const milliseconds = await timed(async () => {
      const files = await isomorphicGit.listFiles({ fs, gitdir, ref: "HEAD", cache: {} });
      if (files.length !== count) throw new Error(`${files.length} files are listed, not ${count}`);
    });
    return { ...cost, milliseconds: cost.milliseconds + milliseconds };
  }

  stop(): void {
    this.#server.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
