/**
 * `docteur/http`: an image as a web site, in whatever calls a function with a `Request`.
 * @module docteur/http
 */
export type { Fields } from "./conditions.js";
export { createHandler, type Handler, type HandlerRequest, type VolumeSource } from "./handler.js";
export type { ServedVolume } from "./locate.js";
export { type NodeListener, type NodeRequest, type NodeResponse, toNodeListener } from "./node.js";
export { offlineFetch } from "./offline.js";
export type { HandlerOptions } from "./options.js";
