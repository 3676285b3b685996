/** What the applications do: open an image at a URL, list and read it, make an image, and verify both. */
import { open } from "docteur";
import { makeImage } from "docteur/make";
import { verify } from "docteur/verify";

/** The functions that can also run in workers. */
export const functions = { makeImage, verify };

/** A SHA-256 in hexadecimal digits. */
async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** All that a volume has. */
async function contents(volume) {
  const found = {};
  for await (const { path, kind } of volume.walk("/"))
    found[path] = kind === "directory" ? kind : `${kind} ${await sha256(await volume.get(path))}`;
  return found;
}

/** Parts of a report, as JSON has them: a field is absent if it is not known. */
const summary = ({ status, commit, objects, pathCounts, findings }) =>
  JSON.parse(JSON.stringify({ status, commit, objects, pathCounts, findings }));

/**
 * @param {string} url of an image
 * @param {{ core?: WebAssembly.Module, packer?: WebAssembly.Module, verifier?: WebAssembly.Module }} modules for
 *   engines that cannot compile
 * @param {typeof functions} given the functions, or those that run them in workers
 */
export async function work(url, modules = {}, { makeImage, verify } = functions) {
  const volume = await open(url, { module: modules.core });
  const read = { commit: volume.commit.oid, contents: await contents(volume) };
  await volume.close();

  const lines = Array.from({ length: 2000 }, (_, at) => `Line ${at}: ${Math.imul(at, 0x9e3779b1)}`);
  const files = {
    "docs/one.md": lines.join("\n"),
    "docs/two.md": lines.filter((_, at) => at !== 1000).join("\n"),
    "bin/run": { content: "#!/bin/sh\n", executable: true },
    latest: { link: "docs/two.md" },
  };
  const { image, commit } = await makeImage(files, { module: modules.packer });
  const made = { commit, sha256: await sha256(image) };

  const given = { module: modules.verifier };
  const damaged = image.slice();
  damaged[100] ^= 1;
  const reports = {
    remote: summary(await verify(url, given)),
    made: summary(await verify(image, given)),
    damaged: summary(await verify(damaged, given)),
  };
  return { read, made, reports };
}

/** What `work` gives, or its error, in a form that can be posted and printed. */
export async function outcome(url, modules, given) {
  try {
    return await work(url, modules, given);
  } catch (error) {
    return { error: `${error.stack ?? error}`, hint: error.hint };
  }
}
