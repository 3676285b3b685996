/**
 * `docteur/webdav`: an image as a read-only WebDAV server of class 1 (RFC 4918), which is a web site, too.
 * @module docteur/webdav
 */
export { createWebDav } from "./handler.js";
