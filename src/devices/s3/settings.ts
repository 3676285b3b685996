/**
 * Region, endpoint and credentials for S3, from where AWS's own tools have them: environment variables, then the profile
 * of `~/.aws/config` and `~/.aws/credentials` (AWS SDKs and Tools Reference Guide, "Shared config and credentials files").
 * For Node.
 */
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { DocteurError } from "../../errors.js";
import { ioError, systemCode } from "../../node/io-error.js";

/** Keys of an account. */
export interface S3Keys {
  accessKeyId: string;
  secretAccessKey: string;
  /** Of keys that hold for a while. */
  sessionToken: string | undefined;
}

/** What is known of the service, and of us. */
export interface S3Settings {
  region: string;
  /** The URL of a service that is not AWS's. */
  endpoint: string | undefined;
  /** Undefined for requests that are not signed: public buckets take those. */
  keys: S3Keys | undefined;
}

const REGION = "us-east-1";

/** Ways to credentials that need AWS's own tools. */
const FOREIGN = [
  "role_arn",
  "sso_session",
  "sso_start_url",
  "credential_process",
  "web_identity_token_file",
  "login_session",
];

type Section = Map<string, string>;

/** Reads an INI file: sections, `key = value`, and below an empty value indented lines, as `key.inner`. */
export function parseIni(text: string): Map<string, Section> {
  const sections = new Map<string, Section>();
  let section: Section | undefined;
  let outer: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:[#;].*)?$/.test(line)) continue;
    const [, title] = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line) ?? [];
    if (title !== undefined) {
      const name = title.replace(/\s+/g, " ");
      section = sections.get(name) ?? new Map();
      sections.set(name, section);
      outer = undefined;
      continue;
    }
    const [, indent, key, rest] = /^(\s*)([^=\s]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key === undefined) continue;
    const value = rest!.replace(/\s[#;].*$/, "");
    if (indent === "" || outer === undefined) outer = undefined;
    section?.set(outer === undefined ? key : `${outer}.${key}`, value);
    if (indent === "") outer = value === "" ? key : undefined;
  }
  return sections;
}

async function readIni(variable: string, name: string): Promise<Map<string, Section>> {
  const path = process.env[variable] || join(homedir(), ".aws", name);
  try {
    return parseIni(await readFile(path, "utf8"));
  } catch (cause) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(cause) ?? "")) return new Map();
    throw ioError("read", path, cause);
  }
}

/** The settings of a profile: those of both files. */
class Profile {
  readonly name: string;
  readonly #config: Section;
  readonly #credentials: Section;
  readonly #services: Section;
  readonly #exists: boolean;

  constructor(name: string, config: Map<string, Section>, credentials: Map<string, Section>) {
    const found = config.get(name === "default" && !config.has("profile default") ? name : `profile ${name}`);
    this.name = name;
    this.#exists = found !== undefined || credentials.has(name);
    this.#config = found ?? new Map();
    this.#credentials = credentials.get(name) ?? new Map();
    this.#services = config.get(`services ${this.#config.get("services")}`) ?? new Map();
  }

  /** @throws DocteurError `InvalidArgument` where somebody asks for a profile that is in neither file */
  mustExist(): void {
    if (this.#exists) return;
    throw new DocteurError(
      "InvalidArgument",
      `AWS_PROFILE names a profile that does not exist: ${this.name}`,
    );
  }

  get region(): string | undefined {
    return this.#config.get("region") || undefined;
  }

  get endpoint(): string | undefined {
    if (this.#config.get("ignore_configured_endpoint_urls") === "true") return undefined;
    return this.#services.get("s3.endpoint_url") || this.#config.get("endpoint_url") || undefined;
  }

  get keys(): S3Keys | undefined {
    for (const section of [this.#credentials, this.#config]) {
      const accessKeyId = section.get("aws_access_key_id");
      const secretAccessKey = section.get("aws_secret_access_key");
      if (accessKeyId && secretAccessKey)
        return { accessKeyId, secretAccessKey, sessionToken: section.get("aws_session_token") || undefined };
    }
    const foreign = FOREIGN.find((key) => this.#config.has(key) || this.#credentials.has(key));
    if (foreign === undefined) return undefined;
    throw new DocteurError("AccessDenied", `the AWS profile ${this.name} has its credentials by ${foreign}`, {
      hint: `docteur takes keys alone: eval "$(aws configure export-credentials --profile ${this.name} --format env)"`,
    });
  }
}

function keysOfEnvironment(): S3Keys | undefined {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (accessKeyId && secretAccessKey)
    return { accessKeyId, secretAccessKey, sessionToken: process.env.AWS_SESSION_TOKEN || undefined };
  const missing = accessKeyId ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID";
  throw new DocteurError("InvalidArgument", `the environment has one of S3's keys, but not ${missing}`);
}

/**
 * Reads the settings.
 * @throws DocteurError `Io` for files that cannot be read, `InvalidArgument` for a profile that does not exist,
 *   `AccessDenied` for one whose credentials only AWS's tools can make
 */
export async function readS3Settings(): Promise<S3Settings> {
  const { env } = process;
  const named = env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE;
  const profile = new Profile(
    named || "default",
    await readIni("AWS_CONFIG_FILE", "config"),
    await readIni("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
  );
  if (named) profile.mustExist();
  const ignores = env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === "true";
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || profile.endpoint;
  return {
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || profile.region || REGION,
    endpoint: ignores ? undefined : endpoint,
    keys: keysOfEnvironment() ?? profile.keys,
  };
}
