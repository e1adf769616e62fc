import {
  type AliasableExpression as Aliasable,
  type AliasedExpression,
  type Compilable,
  type Expression,
  expressionBuilder,
  type Kysely,
  type SelectQueryBuilder,
  type SqlBool,
  sql,
} from 'kysely'
import { COLUMNS, type Database } from './tables.js'
import type { Tape } from './tape.js'
import { anyValue, valuesOf } from './values.js'

/** What stands in a query for a value, or for the list behind `in`: itself, or a parameter. */
export type Place = (value: unknown, isList: boolean) => unknown

type Table = 'one' | 'two'

type AliasableExpression = Aliasable<unknown>

type Compound = SelectQueryBuilder<Database, 'one', { x: unknown; y: unknown }>

/** Expressions of a column of each kind, which any other may take the place of. */
type Scope = readonly string[]

export interface FuzzQuery {
  readonly query: Compilable
  /** Whether its rows, or the ids that it gives, come in one order and no other. */
  readonly isOrdered: boolean
  readonly isWrite: boolean
}

const eb = expressionBuilder<Database, 'one' | 'two' | 'target'>()

const COMPARISONS = ['=', '!=', '<', '<=', '>', '>=', 'is', 'is not'] as const
const LIMITS = [0, 1, 2, 5, 30, 3n]
const PATTERNS = ['a%', '%', '5', '_', '%a', '']
/** How a list is written in SQL of one's own. */
const RAW_LISTS: readonly (readonly [before: string, after: string])[] = [
  [' in (', ')'],
  [' IN (\n    ', '\n  )'],
  [' not in ( ', ' )'],
  [' in /* in ( */ (', ')'],
]

const MAX_DEPTH = 3

/** Makes a query of the choices on a tape: the same one of the same tape. */
export class QueryMaker {
  readonly #tape: Tape
  readonly #db: Kysely<Database>
  readonly #place: Place
  /** Whether the query has more values than the platform binds. */
  readonly #isBig: boolean
  #depth = 0
  #names = 0

  constructor(tape: Tape, db: Kysely<Database>, place: Place = (value) => value) {
    this.#tape = tape
    this.#db = db
    this.#place = place
    this.#isBig = tape.oneIn(2)
  }

  make(): FuzzQuery {
    switch (this.#tape.next(12)) {
      case 0:
        return this.#insert()
      case 1:
        return this.#insertSelect()
      case 2:
        return this.#update()
      case 3:
        return this.#delete()
      case 4:
        return this.#groups()
      case 5:
        return this.#setOperations()
      case 6:
        return this.#within()
      default:
        return this.#select()
    }
  }

  #select(): FuzzQuery {
    const table = this.#table()
    const hasJoin = this.#tape.oneIn(4)
    const scope = hasJoin ? [...columnsOf(table), ...columnsOf('other')] : columnsOf(table)
    let query = this.#db.selectFrom(table).select(this.#selection(scope) as never)
    if (hasJoin) {
      const on = this.#below(() => this.#condition(scope))
      query = query.leftJoin('two as other', (join) => join.on(on))
    }
    query = query.where(this.#where(scope, table))
    if (this.#tape.oneIn(6)) {
      return { query: query.distinct(), isOrdered: false, isWrite: false }
    }
    query = query
      // An expression that SQLite can work out by itself may be taken for the number of a column.
      .orderBy(sql`coalesce(${this.#below(() => this.#expression(scope))}, 0)`)
      .orderBy(sql.ref(`${table}.id`))
      .orderBy(sql.ref(hasJoin ? 'other.id' : `${table}.i`))
    if (this.#tape.oneIn(3)) {
      query = query.limit(this.#limit() as never)
      if (this.#tape.oneIn(2)) {
        query = query.offset(this.#limit() as never)
      }
    }
    return { query, isOrdered: true, isWrite: false }
  }

  #groups(): FuzzQuery {
    const table = this.#table()
    const scope = columnsOf(table)
    const group = this.#expression(scope)
    const query = this.#db
      .selectFrom(table)
      .select([
        sql`typeof(${group})`.as('x'),
        eb.fn.countAll().as('count'),
        sql`max(${this.#expression(scope)})`.as('max'),
        sql`count(distinct ${this.#expression(scope)}) filter (where ${this.#condition(scope)})`.as(
          'filtered',
        ),
      ])
      .where(this.#where(scope, table))
      .groupBy(sql`typeof(${group})`)
      .having(sql<SqlBool>`count(*) >= ${this.#value(this.#tape.next(4))}`)
      .having(
        sql<SqlBool>`${this.#below(() => this.#list(sql`min(${eb.ref(`${table}.i` as 'one.i')})`))} or count(*) > 0`,
      )
    return { query, isOrdered: false, isWrite: false }
  }

  #setOperations(): FuzzQuery {
    return { query: this.#compound(this.#tape.oneIn(2), 9), isOrdered: false, isWrite: false }
  }

  #compound(isUnionAll: boolean, maxTerms: number): Compound {
    const term = (): Compound => {
      const table = this.#table()
      return this.#db
        .selectFrom(table)
        .select([
          this.#expression(columnsOf(table)).as('x'),
          eb.ref(`${table}.t` as 'one.t').as('y'),
        ])
        .where(this.#where(columnsOf(table), table, 4))
    }
    let query = term()
    for (const next of this.#tape.list(1, maxTerms, term)) {
      query = isUnionAll
        ? query.unionAll(next)
        : this.#tape.pick([
            () => query.union(next),
            () => query.unionAll(next),
            () => query.except(next),
            () => query.intersect(next),
          ])()
    }
    return query
  }

  /** A select from a sub-select, or from a common table expression. */
  #within(): FuzzQuery {
    const inner = this.#compound(this.#tape.oneIn(2), 4)
    const scope = ['sub.x', 'sub.y']
    const from = this.#tape.oneIn(2)
      ? this.#db.selectFrom(inner.as('sub'))
      : this.#db.with('sub', () => inner).selectFrom('sub')
    const query = from
      .select(['sub.x', sql`typeof(sub.y)`.as('y')])
      .where(this.#where(scope, undefined))
    return { query, isOrdered: false, isWrite: false }
  }

  #insert(): FuzzQuery {
    const count = this.#isBig ? this.#tape.between(14, 40) : this.#tape.between(1, 5)
    const hasExpressions = this.#tape.oneIn(3)
    const columns = COLUMNS.filter(() => !this.#tape.oneIn(4))
    const values = this.#tape.oneIn(2)
      ? Object.fromEntries(columns.map((column) => [column, valuesOf(this.#tape, count)]))
      : undefined
    const fork = this.#tape.fork()
    const isNew = this.#tape.next(3)
    const rows = Array.from({ length: count }, (_, i) => ({
      ...(isNew === 2 ? {} : { id: this.#place(isNew === 1 ? 20 + i : 100 + i, false) }),
      ...Object.fromEntries(
        columns.flatMap((column) =>
          fork.oneIn(12)
            ? []
            : [
                [
                  column,
                  hasExpressions && fork.oneIn(6)
                    ? this.#cell()
                    : column === 't'
                      ? this.#place(`new ${i}`, false)
                      : this.#place(values?.[column]?.[i] ?? anyValue(fork), false),
                ],
              ],
        ),
      ),
    }))
    let query = this.#db.insertInto('target').values(rows)
    switch (this.#tape.next(4)) {
      case 1:
        query = query.orIgnore()
        break
      case 2:
        query = query.onConflict((conflict) =>
          conflict
            .column('t')
            .doUpdateSet({ a: this.#value(anyValue(this.#tape)), i: sql`excluded.i` }),
        )
        break
      case 3:
        query = query.onConflict((conflict) => conflict.doNothing())
    }
    return {
      query: this.#tape.oneIn(2) ? query.returning(['id', 'a', sql`typeof(i)`.as('i')]) : query,
      isOrdered: true,
      isWrite: true,
    }
  }

  /** What stands in a row where a value could. */
  #cell(): Expression<unknown> {
    switch (this.#tape.next(6)) {
      case 0:
        return sql`upper(${this.#value()}) || ${this.#value()}`
      case 1:
        return sql`row_number() over ()`
      case 2:
        return sql`count(*)`
      case 3:
        return eb.lit(5)
      default:
        return this.#scalar([])
    }
  }

  #insertSelect(): FuzzQuery {
    const query = this.#db
      .insertInto('target')
      .columns(['a', 'n'])
      .expression(this.#compound(true, 7) as never)
    return {
      query: this.#tape.oneIn(2) ? query.returning(['a', sql`typeof(n)`.as('n')]) : query,
      isOrdered: false,
      isWrite: true,
    }
  }

  #update(): FuzzQuery {
    const scope = columnsOf('target')
    const columns = ['i', 'r', 'n', 'c', 'b', 'a'] as const
    const query = this.#db
      .updateTable('target')
      .set(
        Object.fromEntries(
          this.#tape.list(1, 3, () => [
            this.#tape.pick(columns),
            this.#tape.oneIn(2) ? this.#case(scope) : this.#expression(scope),
          ]),
        ),
      )
      .where(this.#where(scope, 'target'))
    return {
      query: this.#tape.oneIn(3) ? query.returning(['id', 'a', 'r']) : query,
      isOrdered: false,
      isWrite: true,
    }
  }

  #delete(): FuzzQuery {
    const query = this.#db.deleteFrom('target').where(this.#where(columnsOf('target'), 'target'))
    return {
      query: this.#tape.oneIn(3) ? query.returning('id') : query,
      isOrdered: false,
      isWrite: true,
    }
  }

  #selection(scope: Scope): AliasedExpression<unknown, string>[] {
    return this.#tape
      .list(1, 3, () => (this.#tape.oneIn(8) ? this.#window(scope) : this.#expression(scope)))
      .flatMap((expression, i) => [
        expression.as(`x${i}`) as AliasedExpression<unknown, string>,
        sql`typeof(${expression})`.as(`t${i}`),
      ])
  }

  #window(scope: Scope): AliasableExpression {
    // Of all tables, so that no two rows are alike.
    const ids = [...new Set(scope.map((column) => `${column.split('.')[0]}.id`))]
    const frame = (): number | bigint => this.#tape.pick([0, 1, 2, 3n])
    const call = this.#tape.pick([
      () => sql`count(*)`,
      () => sql`max(${this.#expression(scope)})`,
      () => sql`first_value(${this.#column(scope)})`,
      () => sql`nth_value(${this.#column(scope)}, ${this.#value(2)})`,
    ])()
    return sql`${call} over (
      order by ${sql.join(ids.map((id) => sql.ref(id)))}
      rows between ${this.#value(frame())} preceding and ${this.#value(frame())} following
    )`
  }

  /** The condition of a query: in a big one with more values than can be bound. */
  #where(scope: Scope, table: string | undefined, oneIn = 1): Expression<SqlBool> {
    const condition = this.#condition(scope)
    if (!this.#isBig || !this.#tape.oneIn(oneIn)) {
      return condition
    }
    const count = this.#tape.between(101, 130)
    const column = table === undefined ? sql`1` : sql.ref(`${table}.id`)
    const isAny = this.#tape.pick([
      () => eb(column, 'in', this.#listOf(Array.from({ length: count }, (_, i) => i)) as never),
      () =>
        eb.or(Array.from({ length: count }, (_, i) => eb(column, '=', this.#value(i) as never))),
      () =>
        eb.and(Array.from({ length: count }, (_, i) => eb(column, '!=', this.#value(-i) as never))),
      () => eb(sql`5`, 'in', this.#listOf([5, ...valuesOf(this.#tape, count)]) as never),
      () => this.#list(this.#column(scope), count),
      () => this.#tuples(scope, count),
    ])()
    return this.#tape.oneIn(4) ? eb.or([condition, isAny]) : eb.and([isAny, condition])
  }

  #condition(scope: Scope): Expression<SqlBool> {
    return this.#below(() => {
      switch (this.#depth > MAX_DEPTH ? this.#tape.next(4) : this.#tape.next(14)) {
        case 0:
        case 1:
          return eb(this.#column(scope), this.#tape.pick(COMPARISONS), this.#value() as never)
        case 2:
        case 3:
          return this.#list(this.#column(scope))
        case 4:
          return this.#list(this.#expression(scope))
        case 5:
          return eb(
            this.#expression(scope),
            this.#tape.pick(COMPARISONS),
            this.#expression(scope) as never,
          )
        case 6:
          return this.#tuples(scope, this.#tape.between(1, 6))
        case 7:
          return this.#rawList(scope)
        case 8:
          return eb.between(this.#column(scope), this.#value() as never, this.#value() as never)
        case 9:
          // Not the pattern alone: where it is bound SQLite may use an index, and 3.53 then finds a row
          // of `exists` as often as the sub-select has rows.
          return sql`${this.#column(scope)} like ${this.#value(this.#tape.pick(PATTERNS))} || ''`
        case 10:
          return eb.not(this.#condition(scope))
        case 11:
          return eb(this.#value(), this.#tape.pick(COMPARISONS), this.#column(scope) as never)
        case 12:
          return this.#subCondition(scope)
        default: {
          const terms = this.#tape.list(2, this.#tape.oneIn(6) ? 30 : 3, () =>
            this.#condition(scope),
          )
          return this.#tape.oneIn(2) ? eb.and(terms) : eb.or(terms)
        }
      }
    })
  }

  #list(left: Expression<unknown>, count = this.#tape.next(8)): Expression<SqlBool> {
    const values: unknown[] = valuesOf(this.#tape, count)
    return eb(
      left,
      this.#tape.oneIn(3) ? 'not in' : 'in',
      (this.#tape.oneIn(8)
        ? [...values.map((value) => this.#value(value)), sql`1 + ${this.#value()}`]
        : this.#listOf(values)) as never,
    )
  }

  #listOf(values: readonly unknown[]): unknown {
    return this.#place(values, true)
  }

  #rawList(scope: Scope): Expression<SqlBool> {
    const [before, after] = this.#tape.pick(RAW_LISTS)
    const values = valuesOf(this.#tape, this.#tape.between(1, 6))
    return sql<SqlBool>(
      Object.assign(['(', before, `${after})`], { raw: [] }),
      this.#column(scope),
      sql.join(values.map((value) => this.#value(value))),
    )
  }

  #tuples(scope: Scope, count: number): Expression<SqlBool> {
    const [first, second] = [valuesOf(this.#tape, count), valuesOf(this.#tape, count)]
    const column = (): never => this.#tape.pick(scope) as never
    return eb(
      eb.refTuple(column(), column()),
      this.#tape.oneIn(4) ? 'not in' : 'in',
      first.map((value, i) =>
        eb.tuple(this.#place(value, false) as never, this.#place(second[i], false) as never),
      ) as never,
    )
  }

  #subCondition(scope: Scope): Expression<SqlBool> {
    const alias = `s${this.#names++}`
    const own = columnsOf(alias)
    const query = this.#db
      .selectFrom(`${this.#table()} as ${alias}` as 'one as s')
      .select(this.#column(own).as('x'))
      .where(this.#condition([...own, ...scope]))
    return this.#tape.oneIn(2)
      ? eb.exists(query)
      : eb(this.#column(scope), this.#tape.oneIn(3) ? 'not in' : 'in', query as never)
  }

  #expression(scope: Scope): AliasableExpression {
    return this.#below(() => {
      switch (this.#depth > MAX_DEPTH ? this.#tape.next(3) : this.#tape.next(12)) {
        case 0:
        case 1:
          return this.#column(scope)
        case 2:
          return this.#value()
        case 3:
          return this.#case(scope)
        case 4:
          return this.#scalar(scope)
        case 5:
          return this.#call(scope)
        case 6:
          return sql`(${this.#expression(scope)}${sql.raw(this.#tape.pick([' + ', ' - ', ' * ', ' / ', ' || ', ' % ', ' & ']))}${this.#value()})`
        case 7:
          return sql`(${this.#condition(scope)})`
        case 8:
          return sql`cast(${this.#expression(scope)} as ${sql.raw(this.#tape.pick(['text', 'integer', 'real', 'numeric', 'blob']))})`
        case 9:
          return sql`${this.#column(scope)} collate nocase`
        case 10:
          return sql`-${this.#value()}`
        default:
          return sql`+${this.#column(scope)}`
      }
    })
  }

  #call(scope: Scope): AliasableExpression {
    const x = this.#expression(scope)
    return this.#tape.pick([
      () => sql`coalesce(${x}, ${this.#value()})`,
      () => sql`typeof(${this.#value()})`,
      () => sql`max(${x}, ${this.#value()})`,
      () =>
        sql`json_array(${this.#value(this.#textOrNumber())}, ${this.#value(this.#textOrNumber())})`,
      () => sql`quote(${this.#value()})`,
      () => sql`hex(${this.#value()})`,
      () => sql`substr(${x}, ${this.#value(2)}, ${this.#value(3n)})`,
      () => sql`nullif(${x}, ${this.#value()})`,
      () => sql`iif(${this.#condition(scope)}, ${this.#value()}, ${x})`,
      () => sql`instr(${x}, ${this.#value()})`,
      () => eb.fn('length', [x]),
      () => sql`lower(${x})`,
    ])()
  }

  #textOrNumber(): unknown {
    const value = anyValue(this.#tape)
    return value instanceof Uint8Array || (typeof value === 'number' && !Number.isFinite(value))
      ? '{"a":1}'
      : value
  }

  #case(scope: Scope): AliasableExpression {
    const count = this.#isBig && this.#tape.oneIn(3) ? 55 : this.#tape.between(1, 4)
    const fork = this.#tape.fork()
    const isSimple = this.#tape.oneIn(2)
    const condition = this.#condition(scope)
    let builder = isSimple
      ? eb
          .case(this.#tape.oneIn(3) ? this.#expression(scope) : this.#column(scope))
          .when(this.#value() as never)
          .then(this.#value())
      : eb
          .case()
          .when(condition)
          .then(this.#tape.oneIn(3) ? condition : this.#value())
    for (let i = 1; i < count; i++) {
      builder = isSimple
        ? builder.when(this.#value(anyValue(fork)) as never).then(this.#value(anyValue(fork)))
        : builder
            .when(
              eb(
                this.#column(scope),
                fork.pick(COMPARISONS),
                this.#value(anyValue(fork)) as never,
              ) as never,
            )
            .then(this.#value(anyValue(fork)))
    }
    return this.#tape.oneIn(2) ? builder.else(this.#expression(scope)).end() : builder.end()
  }

  /** A sub-select of one value. */
  #scalar(scope: Scope): AliasableExpression {
    const alias = `s${this.#names++}`
    const own = columnsOf(alias)
    const query = this.#db
      .selectFrom(`${this.#table()} as ${alias}` as 'one as s')
      .where(this.#condition([...own, ...scope]))
    return this.#tape.oneIn(3)
      ? query.select(sql`count(${this.#column(own)}) + ${this.#value(1)}`.as('x'))
      : query
          .select(this.#expression(own).as('x'))
          .orderBy(sql.ref(`${alias}.id`))
          .limit(this.#value(1) as never)
          .offset(this.#limit() as never)
  }

  #below<T>(make: () => T): T {
    this.#depth++
    const made = make()
    this.#depth--
    return made
  }

  #column(scope: Scope): AliasableExpression {
    return scope.length === 0 ? this.#value() : eb.ref(this.#tape.pick(scope) as 'one.i')
  }

  #limit(): AliasableExpression {
    return this.#value(this.#tape.pick(LIMITS))
  }

  #value(value = anyValue(this.#tape)): AliasableExpression {
    return eb.val(this.#place(value, false) as never)
  }

  #table(): Table {
    return this.#tape.pick(['one', 'two'] as const)
  }
}

function columnsOf(table: string): Scope {
  return COLUMNS.map((column) => `${table}.${column}`)
}
