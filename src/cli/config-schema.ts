import * as z from 'zod/mini'

/** A schema with what an editor says of it. */
function described<T extends z.core.$ZodType>(
  schema: T,
  description: string,
): z.ZodMiniOptional<T> {
  z.globalRegistry.add(schema, { description })
  return z.optional(schema)
}

const text = (): z.ZodMiniString => z.string().check(z.minLength(1))

const Mapping = z.strictObject({
  type: described(text(), 'The TypeScript type of a value that is not NULL: "Prefs".'),
  codec: described(
    text(),
    'How it is stored: "boolean", "int64", "json", "date:milliseconds", "date:seconds", "date:iso", ' +
      '"date:sqlite", or the name of a codec of your own that "imports" has.',
  ),
  imports: described(
    z.record(text(), text()),
    'The module of each name in "type" and "codec": { "Prefs": "./prefs.js" }. As the generated file imports it.',
  ),
})

const Mappings = (): z.ZodMiniRecord<
  z.ZodMiniString,
  z.ZodMiniUnion<readonly [z.ZodMiniString, typeof Mapping]>
> => z.record(text(), z.union([text(), Mapping]))

/** `kysely-durable-sqlite.jsonc`. Each has a flag, but for types with imports. */
export const Config = z.strictObject({
  $schema: described(text(), 'The JSON schema of this file, for editors.'),
  migrations: described(
    text(),
    'The migrations: a directory of .sql, .ts or .js files, or a module that exports `migrations`.',
  ),
  database: described(
    text(),
    'Where `generate` reads instead of from the migrations: a SQLite file, or a directory with the state of `wrangler dev`.',
  ),
  class: described(text(), 'The Durable Object class, also <worker>-<class>.'),
  object: described(text(), 'The id or the name of an object, where the state of one is read.'),
  out: described(text(), 'The file that `generate` writes.'),
  interfaceName: described(text(), 'The name of the interface. Default: "DB".'),
  camelCase: described(z.boolean(), "Names as Kysely's CamelCasePlugin maps them."),
  columns: described(
    z.boolean(),
    'Write `columns` next to the interface, for the option `columns` of the dialect.',
  ),
  include: described(z.array(text()), 'Globs of the tables to generate. Default: all.'),
  exclude: described(z.array(text()), 'Globs of the tables to leave out.'),
  mapping: described(
    Mappings(),
    'Types and codecs of columns, by "table.column" or "column"; * is allowed. A text is a codec.',
  ),
  declaredTypes: described(
    Mappings(),
    'Types and codecs of columns, by the type that they are declared with; * is allowed.',
  ),
  drizzle: described(
    text(),
    'A Drizzle schema, or drizzle.config.ts, that the migrations must produce.',
  ),
  wrangler: described(text(), 'The Wrangler configuration. Default: found as Wrangler does.'),
  env: described(text(), 'The environment of the Wrangler configuration.'),
})

export type Config = z.infer<typeof Config>

/** For editors. */
export function configJsonSchema(): unknown {
  return z.toJSONSchema(Config)
}
