/** The work in workerd, with a bundle for browsers: without compiled Wasm, and with it. */
import core from "docteur/core.simd.wasm";
import packer from "docteur/packer.simd.wasm";
import verifier from "docteur/verifier.simd.wasm";
import { outcome } from "./work.js";

export default {
  async fetch(request) {
    const image = new URL(request.url).searchParams.get("image");
    return Response.json([await outcome(image), await outcome(image, { core, packer, verifier })]);
  },
};
