/** The worker of the page. */
import { outcome } from "./work.js";

self.onmessage = async ({ data }) => self.postMessage(await outcome(data));
