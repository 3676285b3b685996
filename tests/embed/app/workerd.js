/** The work in workerd. */
import { outcome } from "./work.js";

export default {
  async fetch(request) {
    return Response.json(await outcome(new URL(request.url).searchParams.get("image")));
  },
};
