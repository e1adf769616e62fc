import { migrationsFromFiles } from '../../migration/migrations-from-files.js'
import { splitStatements } from '../../migration/sql-script.js'
import type { SandboxFailure } from '../sandbox/protocol.js'
import type { OriginalSources, Place } from '../sandbox/original-sources.js'
import type { MigrationSource } from './migration-files.js'

/** Finds what a finding is about in the user's files. */
export class MigrationPlaces {
  readonly #source: MigrationSource
  readonly #sources: OriginalSources | undefined
  /** By the name of the migration. */
  readonly #files: ReadonlyMap<string, string>

  constructor(source: MigrationSource, sources?: OriginalSources) {
    this.#source = source
    this.#sources = sources
    this.#files = new Map(
      [...source.texts.keys(), ...source.modules].map((path) => [migrationName(path), path]),
    )
  }

  /** The file of the migration, or the line that names it. */
  ofMigration(name: string): Place {
    const file = this.#files.get(name)
    if (file !== undefined) {
      return { file, line: 1 }
    }
    for (const text of [`'${name}'`, `"${name}"`, name]) {
      const found = this.#sources?.find(text)
      if (found !== undefined) {
        return { file: found.file, line: lineAt(found.content, found.index) }
      }
    }
    return { file: this.#source.index ?? this.#source.path }
  }

  /** The statement that failed: in a SQL text, or where a function sent it from. */
  ofFailure(name: string, failure: SandboxFailure): Place {
    const file = this.#files.get(name)
    const text = file === undefined ? undefined : this.#source.texts.get(file)
    if (failure.sql !== undefined && file !== undefined && text !== undefined) {
      const index = statementIndex(text, failure.sql, failure.repetition)
      return { file, line: lineAt(text, index + offsetIn(failure)) }
    }
    const sent = this.#sources?.placeOf(failure.stacks) ?? {}
    if (sent.file !== undefined) {
      return sent
    }
    const found = failure.sql === undefined ? undefined : this.#sources?.find(failure.sql)
    return found === undefined
      ? this.ofMigration(name)
      : { file: found.file, line: lineAt(found.content, found.index + offsetIn(failure)) }
  }

  /** The first line of the migration that matches, or its first one. */
  ofText(name: string, pattern: RegExp): Place {
    const file = this.#files.get(name)
    const text = file === undefined ? undefined : this.#source.texts.get(file)
    const index = text?.search(pattern) ?? -1
    return text === undefined || index === -1
      ? this.ofMigration(name)
      : { file: file!, line: lineAt(text, index) }
  }
}

/** As `migrationsFromFiles` names the file. */
export function migrationName(path: string): string {
  return Object.keys(migrationsFromFiles({ [path]: '' }))[0]!
}

/** Where the statement begins, which is one of those with the same text. */
function statementIndex(text: string, sql: string, repetition: number): number {
  let index = 0
  let left = repetition
  for (const statement of splitStatements(text)) {
    index = text.indexOf(statement, index)
    if (statement === sql && left-- === 0) {
      return index
    }
    index += statement.length
  }
  return Math.max(0, text.indexOf(sql))
}

/** SQLite counts bytes: `near "selec": syntax error at offset 12`. */
function offsetIn({ message, sql = '' }: SandboxFailure): number {
  const [, bytes] = / at offset (\d+)/.exec(message) ?? []
  return bytes === undefined ? 0 : Buffer.from(sql).subarray(0, Number(bytes)).toString().length
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
