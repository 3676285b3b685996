/** Makes handlers that answer WebDAV's methods beside those of a web site. */
import { plain } from "../http/answer.js";
import { type Handler, handlerOf, type MoreMethods, type VolumeSource } from "../http/handler.js";
import type { HandlerOptions } from "../http/options.js";
import { propfind } from "./propfind.js";

/** Methods that are answered. All others are refused: nothing can be changed or locked. */
const ALLOW = "GET, HEAD, OPTIONS, PROPFIND";

const METHODS: MoreMethods = {
  allow: ALLOW,
  // The second field lets Windows and Office see a server of WebDAV.
  options: { dav: "1", "ms-author-via": "DAV" },
  answer: async (task) =>
    task.request.method === "PROPFIND" ? propfind(task) : plain(405, { allow: ALLOW }),
};

/**
 * Makes a handler that serves an image's files by WebDAV, read-only, and as `createHandler` does.
 *
 * OPTIONS says class 1, so that clients do not lock. PROPFIND (RFC 4918, section 9.1) answers Depth 0 and 1; infinity is
 * refused with the condition `propfind-finite-depth`. Every method that would change something is refused with status
 * 405. Symbolic links are followed; those that lead to nothing are not listed, nor are submodules. Names that begin with
 * a dot are there only with the option `dotfiles`. The path of URLs under which the image lies must be the option `base`:
 * answers hold whole paths.
 *
 * @param source as for `createHandler`
 * @param options as for `createHandler`. `listing` and `index` have no effect on PROPFIND
 * @throws DocteurError `InvalidArgument`. The handler itself never rejects
 * @example createServer(toNodeListener(createWebDav(await open("site.img"), { dotfiles: true }))).listen(8080);
 */
export function createWebDav(source: VolumeSource, options?: HandlerOptions): Handler {
  return handlerOf("createWebDav", source, options, METHODS);
}
