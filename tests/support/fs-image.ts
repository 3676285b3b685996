/** The image that calls of `docteur/fs` are compared over, between runtimes. */
import { makeImage } from "../../src/make/index.js";
import { noise } from "./rich-image.js";

/** Files of each kind, links in circles and to nothing, and names in any script. */
export async function fsImage(): Promise<Uint8Array<ArrayBuffer>> {
  const { image } = await makeImage({
    "README.md": "# Read me: ä, 日本, 😀\n",
    "docs/one.md": "one\n".repeat(50),
    "docs/日本語.md": "names\n",
    "data/noise.bin": noise(300, 5),
    "bin/run": { content: "#!/bin/sh\n", executable: true },
    latest: { link: "docs/one.md" },
    folder: { link: "docs" },
    loop: { link: "loop" },
    dangling: { link: "nowhere/at/all" },
    empty: { directory: true },
    none: "",
  });
  return image;
}
