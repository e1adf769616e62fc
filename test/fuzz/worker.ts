import { DurableObject } from 'cloudflare:workers'
import { type Compilable, Kysely } from 'kysely'
import { compileToJsonParameters } from '../../src/compiler/json-query-compiler.js'
import { DurableObjectSqliteDialect, type QueryParameters, SyncExecutor } from '../../src/index.js'
import { type Answer, describeError, describeRows, type Outcome } from './outcome.js'
import { type FuzzQuery, QueryMaker } from './query.js'
import { type Database, DUMP, inserts, SCHEMA } from './tables.js'
import { Tape } from './tape.js'

const ROLLBACK = new Error('rollback')

/** What is beyond the limit however few values there are. */
const WAYS = [
  ['nothing', 'jsonb_each'],
  ['values', 'json_each'],
  ['values and sources', 'jsonb_each'],
] as const

type Parameters = Record<string, unknown>

/** Runs each query in every way that the library has. */
export class Fuzz extends DurableObject {
  readonly #db = new Kysely<Database>({ dialect: new DurableObjectSqliteDialect(this.ctx.storage) })
  readonly #sync = new SyncExecutor(this.#db, this.ctx.storage)
  #isReady = false

  override async fetch(request: Request): Promise<Response> {
    this.#prepareTables()
    const answers: Answer[] = []
    for (const tape of await request.json<number[][]>()) {
      answers.push(await this.#answer(tape))
    }
    return Response.json(answers)
  }

  #prepareTables(): void {
    if (this.#isReady) {
      return
    }
    // An object that was idle for a while is made anew, on the tables that it had.
    for (const table of ['one', 'two', 'target']) {
      this.ctx.storage.sql.exec(`drop table if exists ${table}`)
    }
    for (const statement of SCHEMA) {
      this.ctx.storage.sql.exec(statement)
    }
    for (const insert of inserts(this.#db)) {
      this.#sync.run(insert as never)
    }
    this.#isReady = true
  }

  async #answer(tape: readonly number[]): Promise<Answer> {
    const { query, isWrite } = this.#make(tape)
    const outcomes: Record<string, Outcome> = {}
    const run = (name: string, rows: () => readonly object[]): void => {
      outcomes[name] = this.#outcome(isWrite, rows)
    }
    run('built', () => this.#sync.execute<object>(query as never))
    run('prepared', () => this.#prepared(tape))
    const { query: node, queryId, sql } = query.compile()
    for (const [shared, each] of WAYS) {
      run(`shared ${shared}`, () =>
        this.#sync.execute<object>(compileToJsonParameters(node, queryId, each, shared)),
      )
    }
    outcomes['awaited'] = await this.#awaited(query, isWrite)
    if (!isWrite) {
      outcomes['stream'] = await this.#streamed(query)
    }
    return { sql, outcomes }
  }

  #make(tape: readonly number[]): FuzzQuery {
    return new QueryMaker(new Tape(tape), this.#db).make()
  }

  #prepared(tape: readonly number[]): readonly object[] {
    const values: Parameters = {}
    const prepared = this.#sync.prepare((param: QueryParameters<Parameters>) => {
      let count = 0
      const place = (value: unknown): unknown => {
        const name = `p${count++}`
        values[name] = value ?? null
        return param(name)
      }
      return new QueryMaker(new Tape(tape), this.#db, place).make().query as never
    })
    return prepared.execute(values) as object[]
  }

  #outcome(isWrite: boolean, run: () => readonly object[]): Outcome {
    let outcome: Outcome | undefined
    try {
      if (!isWrite) {
        return { rows: describeRows(run()) }
      }
      this.ctx.storage.transactionSync(() => {
        outcome = this.#written(run())
        throw ROLLBACK
      })
    } catch (error) {
      outcome = error === ROLLBACK ? outcome : describeError(error)
    }
    return outcome!
  }

  async #awaited(query: Compilable, isWrite: boolean): Promise<Outcome> {
    let outcome: Outcome | undefined
    try {
      if (!isWrite) {
        const { rows } = await this.#db.executeQuery<object>(query.compile())
        return { rows: describeRows(rows) }
      }
      await this.#db.transaction().execute(async (trx) => {
        const { rows } = await trx.executeQuery<object>(query.compile())
        outcome = this.#written(rows)
        throw ROLLBACK
      })
    } catch (error) {
      outcome = error === ROLLBACK ? outcome : describeError(error)
    }
    return outcome!
  }

  async #streamed(query: Compilable): Promise<Outcome> {
    try {
      const rows: object[] = []
      const streamed = query as unknown as { stream(chunk: number): AsyncIterable<object> }
      for await (const row of streamed.stream(7)) {
        rows.push(row)
      }
      return { rows: describeRows(rows) }
    } catch (error) {
      return describeError(error)
    }
  }

  #written(rows: readonly object[]): Outcome {
    return {
      // Without returning there are counts, which the compiler has no part in.
      rows: rows.some(
        (row) =>
          'numUpdatedRows' in row || 'numDeletedRows' in row || 'numInsertedOrUpdatedRows' in row,
      )
        ? []
        : describeRows(rows),
      left: describeRows(this.ctx.storage.sql.exec(DUMP).toArray()),
    }
  }
}

export default {
  fetch(request: Request, env: { FUZZ: DurableObjectNamespace }): Promise<Response> {
    return env.FUZZ.getByName('fuzz').fetch(request)
  },
}
