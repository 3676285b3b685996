/** Images as failing disks leave them. */
import { test } from "node:test";
import { SAMPLES } from "../support/sample-images.js";
import { runSweep } from "../support/sweep.js";

for (const image of SAMPLES)
  test(`sectors of zeros, exchanged, twice there, and cuts at every byte are found: ${image}`, (t) =>
    runSweep(t, "sectors", image));
