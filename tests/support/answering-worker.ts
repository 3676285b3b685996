/** A worker for `inWorker`: docteur's functions, and some that go wrong. */
import { makeImage } from "../../src/make/browser.js";
import { verify } from "../../src/verify/index.js";
import { answer } from "../../src/worker/index.js";

answer({
  makeImage,
  verify,
  die: () => process.exit(3),
  hang: () => new Promise(() => undefined),
  fail: () => {
    throw new TypeError("a defect");
  },
  echo: (...args: unknown[]) => args.map((arg) => (typeof arg === "function" ? "a function" : arg)),
});
