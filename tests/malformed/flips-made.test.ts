/** Single-bit damage of an image that docteur make made. */
import { test } from "node:test";
import { runSweep } from "../support/sweep.js";

test("every bit of an image that docteur make made, turned, is found; readers are right or refuse", (t) =>
  runSweep(t, "flips", "made"));
