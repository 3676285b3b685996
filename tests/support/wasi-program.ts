/** Programs for WASI preview 1 that tests run, built where there is Go. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { distPath } from "./programs.js";

/**
 * Builds a Go program of `tests/embed`.
 * @returns the module's path, or the reason why there is none
 */
export function buildGoProgram(name: string): { path: string } | { missing: string } {
  if (spawnSync("go", ["version"]).error !== undefined) return { missing: "there is no go" };
  mkdirSync(distPath("bin"), { recursive: true });
  const path = distPath(`bin/${name}.wasm`);
  const env = { ...process.env, GOOS: "wasip1", GOARCH: "wasm", GOFLAGS: "-mod=mod" };
  const cwd = distPath(`../tests/embed/${name}`);
  const { status, stderr } = spawnSync("go", ["build", "-o", path, "."], { cwd, env, encoding: "utf8" });
  return status === 0 ? { path } : { missing: `go cannot build ${name}: ${stderr}` };
}
