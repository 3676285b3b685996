/**
 * The platform of a guest in a WASI bundle: console, command line and end over WASI, block devices over Solo5's
 * hypercalls, which `docteur bundle` puts into the module.
 */
export { blockAcquire, blockCapacity, blockHandle, blockSize } from "./solo5-blocks";
export { cmdlineLen, cmdlineRead, consoleWrite } from "./wasi";
