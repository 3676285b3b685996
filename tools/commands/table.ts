/** The table of subcommands. */
import type { Command } from "../cli/arguments.js";

/** The subcommands, in the order in which `--help` lists them; each is loaded when it is needed. */
export const COMMANDS: Readonly<Record<string, () => Promise<{ command: Command }>>> = {
  make: () => import("./make.js"),
  verify: () => import("./verify.js"),
  info: () => import("./info.js"),
  checksum: () => import("./checksum.js"),
  ls: () => import("./ls.js"),
  stat: () => import("./stat.js"),
  tree: () => import("./tree.js"),
  find: () => import("./find.js"),
  cat: () => import("./cat.js"),
  diff: () => import("./diff.js"),
  grep: () => import("./grep.js"),
  extract: () => import("./extract.js"),
  run: () => import("./run.js"),
  serve: () => import("./serve.js"),
  mount: () => import("./mount.js"),
  unmount: () => import("./unmount.js"),
  layout: () => import("./layout.js"),
  push: () => import("./push.js"),
  pull: () => import("./pull.js"),
  bundle: () => import("./bundle.js"),
  guest: () => import("./guest.js"),
  completion: () => import("./completion.js"),
  licenses: () => import("./licenses.js"),
};
