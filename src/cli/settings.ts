import type { Config } from './config-schema.js'
import { readConfig } from './config-file.js'

/** What a command was asked for: the configuration, and what the flags say instead. */
export type Settings = Config

/** The flags as commander gives them. */
export interface Flags extends Partial<Omit<Config, '$schema' | 'mapping' | 'declaredTypes'>> {
  readonly config?: string
  readonly map?: readonly string[]
  readonly mapType?: readonly string[]
}

export function readSettings({ config, map, mapType, ...flags }: Flags): Settings {
  const configured = readConfig(config)
  return {
    ...configured,
    ...Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)),
    // What a flag says comes first, and the first that matches holds.
    mapping: { ...toMappings(map), ...without(configured.mapping, toMappings(map)) },
    declaredTypes: {
      ...toMappings(mapType),
      ...without(configured.declaredTypes, toMappings(mapType)),
    },
  }
}

/** `person.created_at=date:iso`, which the parser of the flag has looked at. */
function toMappings(flags: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    flags.map((flag) => {
      const split = flag.lastIndexOf('=')
      return [flag.slice(0, split), flag.slice(split + 1)]
    }),
  )
}

function without<T>(
  mappings: Readonly<Record<string, T>> = {},
  taken: Readonly<Record<string, string>>,
): Record<string, T> {
  return Object.fromEntries(Object.entries(mappings).filter(([key]) => !Object.hasOwn(taken, key)))
}
