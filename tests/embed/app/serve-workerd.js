/** Serves an image by workerd. The variable IMAGE is its URL. */
import { env } from "cloudflare:workers";
import { open } from "docteur";
import { createHandler } from "docteur/http";

let opening;
const volume = () =>
  (opening ??= open(env.IMAGE).catch((error) => {
    opening = undefined;
    throw error;
  }));
export default { fetch: createHandler(volume, { listing: true }) };
