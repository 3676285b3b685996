/**
 * The scratch repository in which a commit is packed: it has no settings at all, so that no user's
 * configuration, attributes and replace refs change a byte of the pack. It borrows the objects of a local
 * repository, or receives those of a remote one.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { scratchEnvironment } from "./process.js";

/** A scratch repository. */
export interface Workspace {
  /** The folder that contains it, for other temporary files. */
  folder: string;
  /** The bare repository, absolute. */
  repository: string;
  /** The environment in which git works on it, without any user's settings. */
  env: NodeJS.ProcessEnv;
}

/** Lays out a bare repository (gitrepository-layout) in an empty folder. */
export async function createWorkspace(folder: string): Promise<Workspace> {
  const repository = join(folder, "repository.git");
  await mkdir(join(repository, "objects", "info"), { recursive: true });
  await mkdir(join(repository, "refs"));
  await writeFile(join(repository, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(repository, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  return { folder, repository, env: scratchEnvironment(repository) };
}

/**
 * Makes the objects of another repository readable in this one.
 * @param objects the other repository's folder of objects, absolute
 * @param alternates the folders from which the other repository borrows objects, quoted as git quotes paths
 */
export async function borrowObjects(
  { repository }: Workspace,
  objects: string,
  alternates: readonly string[],
): Promise<void> {
  // Quoted as in C: a path may begin with "#" or hold a line feed.
  const quoted = `"${objects.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
  await writeFile(
    join(repository, "objects", "info", "alternates"),
    `${[quoted, ...alternates].join("\n")}\n`,
  );
}
