/** The work, by workers of a runtime that has a command line: prints the outcome. The argument is the image's URL. */
import { inWorker } from "docteur/worker";
import { outcome } from "./work.js";

const engine = "Worker" in globalThis ? globalThis : await import("node:worker_threads");
const calls = inWorker(() => new engine.Worker(new URL("./calls.js", import.meta.url), { type: "module" }));

outcome(process.argv[2], {}, calls).then((found) => console.log(JSON.stringify(found)));
