import { DatabaseSync } from 'node:sqlite'
import {
  type CompiledQuery,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import { describeError, describeRows, type Outcome } from '../fuzz/outcome.js'
import { QueryMaker } from '../fuzz/query.js'
import { type Database, DUMP, inserts, SCHEMA } from '../fuzz/tables.js'
import { Tape } from '../fuzz/tape.js'

/** The SQLite of Node, which binds thousands of values and integers as they are, and Kysely's own compiler. */
export class Reference {
  readonly #db = new Kysely<Database>({
    dialect: {
      createAdapter: () => new SqliteAdapter(),
      createDriver: () => new DummyDriver(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  })
  readonly #sqlite = new DatabaseSync(':memory:')

  constructor() {
    this.#sqlite.exec(SCHEMA.join(';'))
    for (const insert of inserts(this.#db)) {
      this.#run(insert.compile())
    }
  }

  run(tape: readonly number[]): { sql: string; isOrdered: boolean; outcome: Outcome } {
    const { query, isOrdered, isWrite } = new QueryMaker(new Tape(tape), this.#db).make()
    const compiled = query.compile()
    return { sql: compiled.sql, isOrdered, outcome: this.#outcome(compiled, isWrite) }
  }

  #outcome(query: CompiledQuery, isWrite: boolean): Outcome {
    try {
      if (!isWrite) {
        return { rows: this.#run(query) }
      }
      this.#sqlite.exec('begin')
      const rows = this.#run(query)
      return { rows, left: describeRows(this.#sqlite.prepare(DUMP).all()) }
    } catch (error) {
      return describeError(error)
    } finally {
      if (isWrite) {
        this.#sqlite.exec('rollback')
      }
    }
  }

  #run({ sql, parameters }: CompiledQuery): string[] {
    const statement = this.#sqlite.prepare(sql)
    statement.setReadBigInts(true)
    return describeRows(statement.all(...parameters.map(toBinding)))
  }
}

/** As the README's table of values has it. */
function toBinding(value: unknown): number | bigint | string | null | Uint8Array {
  return typeof value === 'boolean' ? Number(value) : ((value ?? null) as string | null)
}
