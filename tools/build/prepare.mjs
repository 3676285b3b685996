// npm's `prepare`: builds the files that `dist/` lacks, so that installs from git or a folder, and npx, work.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = realpathSync(fileURLToPath(new URL("../..", import.meta.url)));
process.chdir(root);
const manifest = JSON.parse(readFileSync("package.json", "utf8"));

/** The packages that the build needs. */
const NEEDED = ["esbuild", "assemblyscript", "typescript", "@types/node"];

/** Every path in a value of `bin` or `exports`, however deep. */
const pathsIn = (value) => (typeof value === "string" ? [value] : Object.values(value).flatMap(pathsIn));

/** Whether `npm ci` runs in this checkout itself: a build or a test follows, and builds the files that it needs. */
function isCleanInstall() {
  const { npm_command: command, npm_config_local_prefix: prefix } = process.env;
  return command === "ci" && prefix !== undefined && existsSync(prefix) && realpathSync(prefix) === root;
}

/** Runs a step of the build. Standard output stays free for the command that npx runs next. */
function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", 2, 2] });
  if (status !== 0) process.exit(1);
}

const isBuilt = pathsIn([manifest.bin, manifest.exports]).every(
  (path) => path.includes("*") || existsSync(path),
);
if (!isBuilt && !isCleanInstall()) {
  const lacking = NEEDED.filter((name) => !existsSync(`node_modules/${name}/package.json`));
  if (lacking.length > 0) {
    // npm clones the repository and installs what it needs, but that inner run inherits `global`, and installs nothing.
    const hint =
      process.env.npm_config_global === "true"
        ? "npm cannot build a package from git globally: use --prefix instead of --global"
        : `run npm ci --include=dev in ${root}`;
    console.error(`docteur: cannot build without ${lacking.join(", ")}: ${hint}`);
    process.exit(1);
  }
  run("tools/build/bootstrap.mjs");
  run("node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json");
}
