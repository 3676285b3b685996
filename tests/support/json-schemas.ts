/** The schemas of `docs/schemas`, and values that they must refuse. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";

const FOLDER = fileURLToPath(new URL("../../../docs/schemas/", import.meta.url));

/** The file that the others refer to. */
const COMMON = "common";

/** A schema, or a part of one. */
export interface Schema {
  $id?: string;
  $ref?: string;
  $defs?: Record<string, Schema>;
  title?: string;
  description?: string;
  properties?: Record<string, Schema | boolean>;
  additionalProperties?: boolean;
  [keyword: string]: unknown;
}

/** All files of the folder, by their names without `.json`. */
export const SCHEMAS: ReadonlyMap<string, Schema> = new Map(
  readdirSync(FOLDER).map((file) => [
    basename(file, ".json"),
    JSON.parse(readFileSync(join(FOLDER, file), "utf8")) as Schema,
  ]),
);

/** The file for the log of `docteur serve`. */
export const LOG = "serve-log";

/** The commands that have a schema for `--json`. */
export const DESCRIBED: readonly string[] = [...SCHEMAS.keys()]
  .filter((name) => name !== COMMON && name !== LOG)
  .sort();

const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
for (const schema of SCHEMAS.values()) ajv.addSchema(schema);

/** What the schema of a command says against a value; undefined if it accepts the value. */
export function refusalOf(command: string, value: unknown): string | undefined {
  const validate = ajv.getSchema(`${command}.json`)!;
  return validate(value) ? undefined : ajv.errorsText(validate.errors);
}

/** The part of a schema that a reference names. @param from the name of the file that refers */
function resolve(ref: string, from: string): { schema: Schema; file: string } {
  const [name, pointer] = ref.split("#") as [string, string];
  const file = name === "" ? from : basename(name, ".json");
  const keys = pointer.split("/").slice(1);
  const schema = keys.reduce((part, key) => part[key] as Schema, SCHEMAS.get(file)!);
  return { schema, file };
}

/** Calls a function with every part of a file. */
export function eachPart(part: unknown, visitor: (schema: Schema) => void): void {
  if (typeof part !== "object" || part === null) return;
  if (!Array.isArray(part)) visitor(part as Schema);
  for (const one of Object.values(part)) eachPart(one, visitor);
}

/** Calls a function with every part of a schema, and of all that it refers to. */
function visit(
  part: unknown,
  file: string,
  seen: Set<unknown>,
  visitor: (schema: Schema, file: string) => void,
): void {
  if (typeof part !== "object" || part === null || seen.has(part)) return;
  seen.add(part);
  if (Array.isArray(part)) {
    for (const one of part) visit(one, file, seen, visitor);
    return;
  }
  const schema = part as Schema;
  visitor(schema, file);
  if (schema.$ref !== undefined) {
    const target = resolve(schema.$ref, file);
    visit(target.schema, target.file, seen, visitor);
  }
  for (const [keyword, value] of Object.entries(schema))
    if (keyword === "properties")
      for (const one of Object.values(value as object)) visit(one, file, seen, visitor);
    else if (keyword !== "$defs") visit(value, file, seen, visitor);
}

/** The objects that a command's output has, as the schema describes them: with all of their fields. */
export function objectsOf(command: string): { schema: Schema; file: string }[] {
  const found: { schema: Schema; file: string }[] = [];
  visit(SCHEMAS.get(command), command, new Set(), (schema, file) => {
    if (schema.additionalProperties !== undefined) found.push({ schema, file });
  });
  return found;
}

/** The description of a field: its own, or that of the definition which it refers to. */
export function descriptionOf(field: Schema, file: string): string | undefined {
  if (field.description !== undefined || field.$ref === undefined) return field.description;
  const target = resolve(field.$ref, file);
  return descriptionOf(target.schema, target.file);
}

/** Notes which fields of a schema's objects a valid value has. */
export function noteFields(
  command: string,
  value: unknown,
  seen: Map<Schema, Set<string>>,
  schema: Schema = SCHEMAS.get(command)!,
  file = command,
): void {
  if (schema.$ref !== undefined) {
    const target = resolve(schema.$ref, file);
    noteFields(command, value, seen, target.schema, target.file);
  }
  for (const one of (schema.anyOf ?? []) as Schema[]) noteFields(command, value, seen, one, file);
  if (Array.isArray(value)) {
    if (schema.items) for (const one of value) noteFields(command, one, seen, schema.items as Schema, file);
    return;
  }
  if (typeof value !== "object" || value === null || schema.additionalProperties === undefined) return;
  const fields = seen.get(schema) ?? new Set();
  seen.set(schema, fields);
  for (const [name, one] of Object.entries(value)) {
    fields.add(name);
    noteFields(command, one, seen, schema.properties![name] as Schema, file);
  }
}

/** A value that differs from a valid one in one place. */
export interface Mutant {
  /** Where: names of fields, and `*` for any element of an array. */
  place: string;
  change: "added" | "removed" | "replaced";
  value: unknown;
}

/**
 * Changes a value everywhere, a place at a time: a field more, a field less, a field of another type.
 * @param value the value; it is as before after each step
 * @param told places that were changed already, which are left out
 */
export function* mutants(value: unknown, told: Set<string>, whole = value, place = ""): Generator<Mutant> {
  if (typeof value !== "object" || value === null) return;
  const holder = value as Record<string, unknown>;
  const at = (name: string): string => `${place}${place === "" ? "" : "."}${name}`;
  const isNew = (text: string): boolean => !told.has(text) && told.add(text) !== undefined;
  const isArray = Array.isArray(value);
  if (!isArray && isNew(`${at("")}+`)) {
    holder.unheard = 1;
    yield { place: at("unheard"), change: "added", value: whole };
    delete holder.unheard;
  }
  for (const [name, field] of Object.entries(holder)) {
    const inner = at(isArray ? "*" : name);
    if (isNew(inner)) {
      holder[name] = { unheard: 1 };
      yield { place: inner, change: "replaced", value: whole };
      if (!isArray) {
        delete holder[name];
        yield { place: inner, change: "removed", value: whole };
      }
      holder[name] = field;
    }
    yield* mutants(field, told, whole, inner);
  }
}
