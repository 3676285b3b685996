/** Single-bit damage of an image that was written by hand. */
import { test } from "node:test";
import { runSweep } from "../support/sweep.js";

test("every bit of an image that was written by hand, turned, is found; readers are right or refuse", (t) =>
  runSweep(t, "flips", "crafted"));
