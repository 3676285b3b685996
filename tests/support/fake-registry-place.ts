/** A registry of our own with an image, and a folder with the credentials for it. */
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type FakeRegistry, startFakeRegistry } from "./fake-registry.js";
import { useEnvironment } from "./git-servers.js";
import { dockerConfig, loginOf } from "./registries.js";
import { temporaryFolder } from "./temporary.js";

/** A registry, a folder, and whether there are credentials for the registry. */
export async function setUpRegistry(
  t: TestContext,
  image: Buffer | undefined,
  hasLogin = false,
): Promise<{ registry: FakeRegistry; folder: string; url: string; out: string }> {
  const folder = temporaryFolder(t);
  const registry = await startFakeRegistry(t, image);
  const auths = hasLogin ? { [registry.place]: loginOf() } : {};
  useEnvironment(t, { DOCKER_CONFIG: dockerConfig(folder, { auths }) });
  return { registry, folder, url: `oci://${registry.place}/site`, out: join(folder, "out.img") };
}
