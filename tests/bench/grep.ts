/** Searching and hashing all files of an image, as commands, against the programs that do it with the extracted files. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Benchmark } from "./benchmark.js";
import type { Corpus } from "./corpus.js";
import { alternate, type Contestant, createRow, type Row, timed } from "./measure.js";
import { gitName } from "./versions.js";

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL("../../tools/docteur.js", import.meta.url));
const PATTERN = "createContext";
const OUTPUT_MAX = 1 << 30;

/** Paths that a program prints, sorted. Status 1 stands for none. */
async function paths(program: string, args: readonly string[], cwd: string): Promise<string[]> {
  try {
    const { stdout } = await run(program, [...args], { cwd, maxBuffer: OUTPUT_MAX });
    return stdout
      .split("\n")
      .filter((path) => path !== "")
      .sort();
  } catch (error) {
    if ((error as { code?: unknown }).code === 1) return [];
    throw error;
  }
}

/** The version of ripgrep, if it is there. */
async function ripgrep(): Promise<string | undefined> {
  try {
    return (await run("rg", ["--version"])).stdout.split("\n")[0]!;
  } catch {
    return undefined;
  }
}

async function searchAll({ corpus, note, signal }: Parameters<Benchmark>[0]): Promise<Row[]> {
  const { name, workTree, repository, image } = await corpus();
  const ours = (): Promise<string[]> => paths(process.execPath, [PROGRAM, "grep", "-l", PATTERN, image], "/");
  const gitGrep = ["--git-dir", `${repository}/.git`, "grep", "-l", PATTERN, "HEAD"];
  const rg = await ripgrep();
  if (rg === undefined) note("grep: ripgrep is not installed");
  const peers: [name: string, run: () => Promise<string[]>][] = [
    [`${await gitName()} grep`, () => paths("git", gitGrep, repository)],
  ];
  const rgArgs = ["-l", "--no-ignore", "--hidden", PATTERN, "."];
  if (rg !== undefined) peers.push([rg, () => paths("rg", rgArgs, workTree)]);
  const found = (await ours()).length;
  for (const [peer, search] of peers)
    if ((await search()).length !== found) throw new Error(`${peer} finds other files`);
  const time =
    (work: () => Promise<unknown>): Contestant =>
    () =>
      timed(work);
  const [our, ...times] = (await alternate(
    [ours, ...peers.map(([, search]) => search)].map(time),
    signal,
  )) as [number, ...number[]];
  return peers.map(([peerName], index) =>
    createRow({ name: "grep", corpus: name, unit: "ms", ours: our, peer: times[index]!, peerName }, "less"),
  );
}

function hashPeer({ workTree }: Corpus): () => Promise<unknown> {
  const command = "find . -type f ! -path './.git/*' -print0 | xargs -0 sha256sum";
  return () => run("sh", ["-c", command], { cwd: workTree, maxBuffer: OUTPUT_MAX });
}

async function hashAll({ corpus, signal }: Parameters<Benchmark>[0]): Promise<Row[]> {
  const made = await corpus();
  const ours = (): Promise<unknown> =>
    run(process.execPath, [PROGRAM, "checksum", made.image], { maxBuffer: OUTPUT_MAX });
  const peer = hashPeer(made);
  const [our, theirs] = (await alternate([() => timed(ours), () => timed(peer)], signal)) as [number, number];
  const row = { name: "checksum", corpus: made.name, unit: "ms", ours: our, peer: theirs };
  return [createRow({ ...row, peerName: "find, xargs, sha256sum of the files" }, "less")];
}

export const GREP: Record<string, Benchmark> = { grep: searchAll, checksum: hashAll };
