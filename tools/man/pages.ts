/** The man pages of the package, by the names of their files. */
import { generalHelp } from "../commands/general-help.js";
import { COMMANDS } from "../commands/table.js";
import { SOLO5_HELP } from "../solo5/help.js";
import { manPage } from "./page.js";

/** All pages: `docteur.1`, one for each subcommand, and `solo5-wasm.1`. */
export async function manPages(version: string): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const names = Object.keys(COMMANDS).map((name) => `docteur-${name}`);
  const add = (page: string, summary: string, help: string, seeAlso: readonly string[]): void => {
    pages.set(`${page}.1`, manPage({ page, summary, help, seeAlso }, version));
  };
  add("docteur", "files of a git commit, a directory or an archive as one disk image", await generalHelp(), [
    ...names,
    "solo5-wasm",
  ]);
  for (const [name, load] of Object.entries(COMMANDS)) {
    const { summary, help } = (await load()).command;
    add(`docteur-${name}`, summary, help, ["docteur"]);
  }
  add("solo5-wasm", "run a Solo5 guest that is a WebAssembly module", SOLO5_HELP, [
    "docteur",
    "docteur-guest",
  ]);
  return pages;
}
