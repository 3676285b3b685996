/** A page that does the work itself, and has a worker do it. */
import { outcome } from "./work.js";

const url = new URL("disk.img", location.href).href;

function inWorker() {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  return new Promise((resolve) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => resolve({ error: message ?? "the worker cannot be loaded" });
    worker.postMessage(url);
  });
}

globalThis.result = Promise.all([outcome(url), inWorker()]);
