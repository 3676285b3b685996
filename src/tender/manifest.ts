/**
 * A guest's `solo5.abi` and `solo5.manifest` (docs/ABI.md): the tender that it was built for, and its devices.
 */
import { DocteurError } from "../errors.js";

/** Device types that a manifest may declare. */
export type DeviceType = "BLOCK_BASIC" | "NET_BASIC";

/** A device that a guest declares. */
export interface DeclaredDevice {
  name: string;
  type: DeviceType;
}

/** Solo5's manifest, version 1. */
export interface Manifest {
  devices: DeclaredDevice[];
}

/** The most devices that a manifest declares. */
export const DEVICES_MAX = 64;
/** The most bytes of a device's name. */
export const NAME_MAX = 67;

const TARGET = "wasm";
const ABI_VERSION = 1;
const MANIFEST_VERSION = 1;

/** Whether a manifest may give a device this name: 1 to 67 letters and digits. */
export function isDeviceName(name: string): boolean {
  return name.length <= NAME_MAX && /^[A-Za-z0-9]+$/.test(name);
}

function malformed(section: string, why: string): DocteurError {
  return new DocteurError("BadGuest", `malformed ${section} section: ${why}`);
}

/** The only section of that name. It must hold a JSON object with exactly these keys. */
function parseSection(
  section: string,
  contents: readonly ArrayBuffer[],
  keys: string[],
): Record<string, unknown> {
  const [content] = contents;
  if (content === undefined)
    throw new DocteurError("BadGuest", `no ${section} section: not a guest for this tender`);
  if (contents.length > 1) throw malformed(section, `it is there ${contents.length} times`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    throw malformed(section, "not JSON in UTF-8");
  }
  return checkKeys(section, value, keys);
}

function checkKeys(section: string, value: unknown, keys: string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw malformed(section, "not an object");
  for (const key of keys) if (!Object.hasOwn(value, key)) throw malformed(section, `no "${key}"`);
  for (const key of Object.keys(value))
    if (!keys.includes(key)) throw malformed(section, `unknown key ${JSON.stringify(key)}`);
  return value as Record<string, unknown>;
}

/**
 * Checks that a guest was built for this tender.
 * @param contents every custom section named `solo5.abi`
 * @throws DocteurError `BadGuest`
 */
export function checkAbi(contents: readonly ArrayBuffer[]): void {
  const { target, version } = parseSection("solo5.abi", contents, ["target", "version"]);
  if (target !== TARGET)
    throw new DocteurError("BadGuest", `guest is for target ${JSON.stringify(target)}, not "${TARGET}"`);
  if (version !== ABI_VERSION)
    throw new DocteurError(
      "BadGuest",
      `guest has ABI version ${JSON.stringify(version)}, not ${ABI_VERSION}`,
    );
}

function parseDevice(section: string, value: unknown): DeclaredDevice {
  const { name, type } = checkKeys(section, value, ["name", "type"]);
  if (typeof name !== "string" || !isDeviceName(name))
    throw malformed(
      section,
      `device name ${JSON.stringify(name)} is not 1 to ${NAME_MAX} letters and digits`,
    );
  if (type !== "BLOCK_BASIC" && type !== "NET_BASIC")
    throw malformed(section, `device '${name}' is of unknown type ${JSON.stringify(type)}`);
  return { name, type };
}

/**
 * Reads a guest's manifest.
 * @param contents every custom section named `solo5.manifest`
 * @throws DocteurError `BadGuest`
 */
export function parseManifest(contents: readonly ArrayBuffer[]): Manifest {
  const section = "solo5.manifest";
  const { type, version, devices } = parseSection(section, contents, ["type", "version", "devices"]);
  if (type !== "solo5.manifest") throw malformed(section, `its type is ${JSON.stringify(type)}`);
  if (version !== MANIFEST_VERSION)
    throw new DocteurError(
      "BadGuest",
      `manifest has version ${JSON.stringify(version)}, not ${MANIFEST_VERSION}`,
    );
  if (!Array.isArray(devices)) throw malformed(section, "its devices are not a list");
  if (devices.length > DEVICES_MAX)
    throw malformed(section, `${devices.length} devices, at most ${DEVICES_MAX} are allowed`);
  const declared = devices.map((device) => parseDevice(section, device));
  const names = new Set<string>();
  for (const { name } of declared) {
    if (names.has(name)) throw malformed(section, `device '${name}' is declared twice`);
    names.add(name);
  }
  return { devices: declared };
}

/** The declared devices in one line, for people. */
function describeManifest(manifest: Manifest): string {
  if (manifest.devices.length === 0) return "the manifest declares no devices";
  return `the manifest declares: ${manifest.devices.map(({ name, type }) => `${name} (${type})`).join(", ")}`;
}

/**
 * Checks that the devices are those that the manifest declares, all of them and no others.
 * @param manifest the guest's
 * @param attached the names of the devices that the user attaches
 * @throws DocteurError `BadGuest`, whose hint is the manifest
 */
export function checkDevices(manifest: Manifest, attached: Iterable<string>): void {
  const hint = describeManifest(manifest);
  const names = new Set(attached);
  for (const name of names)
    if (!manifest.devices.some((device) => device.name === name))
      throw new DocteurError("BadGuest", `Resource not declared in manifest: '${name}'`, { hint });
  for (const { name, type } of manifest.devices) {
    if (type === "NET_BASIC") {
      const why = `device '${name}' is of type NET_BASIC: this tender has no network devices`;
      throw new DocteurError("BadGuest", why, { hint });
    }
    if (!names.has(name))
      throw new DocteurError("BadGuest", `Device '${name}' of type ${type} declared but not attached`, {
        hint,
      });
  }
}
