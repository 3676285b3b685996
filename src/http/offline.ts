/**
 * A `fetch` for `open` that lets an image be opened while its server cannot be reached: it keeps the answers that
 * opening takes, which tell size, version, head and tail. Pages are kept by `open`'s option `cache`.
 */

/** Requests that stand for kept answers. Nothing is ever sent there. */
const ORIGIN = "https://openings.docteur.invalid/";
/** Header fields of an answer that `open` reads. */
const FIELDS = ["content-range", "etag", "last-modified"];

/** Ranges that opening asks for: from the start, or as many bytes as there are at the end. */
const OPENING = /^bytes=(?:0-|-)\d+$/;

/** What an answer is kept under; undefined for requests that are not part of opening. */
function keyOf(address: string, headers: Headers): string | undefined {
  const range = headers.get("range") ?? "";
  if (!OPENING.test(range) || headers.has("if-match")) return undefined;
  return `${ORIGIN}${range.slice("bytes=".length)}/${encodeURIComponent(address)}`;
}

async function keep(cache: Cache, key: string, response: Response): Promise<void> {
  const headers = new Headers();
  for (const field of FIELDS) {
    const value = response.headers.get(field);
    if (value !== null) headers.set(field, value);
  }
  // A cache takes no answer of status 206.
  await cache.put(key, new Response(await response.arrayBuffer(), { headers }));
}

/**
 * Makes a `fetch` that keeps the answers to the opening of images in the Cache Storage, and gives them when the server
 * cannot be reached. With `cache`, a page or a service worker then reads an image offline, as far as it was read before.
 * An image that changed is opened as it is now whenever the server can be reached.
 * @param name of the cache
 * @param send sends requests, in place of the engine's `fetch`
 * @example const volume = await open(url, { cache: "docs", fetch: offlineFetch("docs-opening") });
 */
export function offlineFetch(
  name: string,
  send: typeof globalThis.fetch = (...args) => globalThis.fetch(...args),
): typeof globalThis.fetch {
  return async (input, init) => {
    const key = keyOf(String(input), new Headers(init?.headers));
    if (key === undefined) return send(input, init);
    let response: Response;
    try {
      response = await send(input, init);
    } catch (error) {
      const kept = await (await caches.open(name)).match(key);
      if (kept === undefined) throw error;
      return new Response(kept.body, { status: 206, headers: kept.headers });
    }
    // A full disk is no reason not to open an image.
    if (response.status === 206)
      await keep(await caches.open(name), key, response.clone()).catch(() => undefined);
    return response;
  };
}
