/** A page that does the work itself, has a worker do it, and calls docteur's functions in workers. */
import { inWorker } from "docteur/worker";
import { outcome } from "./work.js";

const url = new URL("disk.img", location.href).href;

function whole() {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ error: message ?? "the worker cannot be loaded" });
    worker.postMessage(url);
  });
}

const calls = inWorker(() => new Worker(new URL("./calls.js", import.meta.url), { type: "module" }));

globalThis.result = Promise.all([outcome(url), whole(), outcome(url, {}, calls)]);
