import * as fc from 'fast-check'
import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import { jsonArrayFrom, jsonBuildObject, jsonObjectFrom } from 'kysely/helpers/sqlite'
import type { Kind, RandomColumn, RandomTable } from './random-schema.js'
import { VALUES } from './random-schema.js'

// The tables are random, so that Kysely knows no names.
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type AnyKysely = Kysely<any>
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type AnySelect = SelectQueryBuilder<any, any, any>

/** A column of a result: what its values are, or the fields of the JSON in it. */
export interface ResultColumn {
  readonly name: string
  readonly kind: Kind | JsonColumn
}

export interface JsonColumn {
  readonly isArray: boolean
  readonly fields: readonly ResultColumn[]
}

/** What a query needs to be written for one Kysely or the other. */
export interface Writer {
  readonly db: AnyKysely
  /** How a name of the database is written. */
  readonly name: (name: string) => string
  /** How the value is passed for a column of the kind. */
  value(kind: Kind, value: unknown): unknown
}

export interface RandomQuery {
  write(writer: Writer): AnySelect
  readonly columns: readonly ResultColumn[]
}

/** What stands in `from`. */
interface RandomSource {
  readonly name: string
  readonly columns: readonly RandomColumn[]
  add(query: AnyKysely | AnySelect, writer: Writer, isFirst: boolean): AnySelect
}

type SourceOf = (alias: string) => fc.Arbitrary<RandomSource>

/** A table, under an alias. */
function tableSource(tables: readonly RandomTable[]): SourceOf {
  return (alias) =>
    fc
      .constantFrom(...tables)
      .map((table) =>
        source(alias, table.columns, (writer) => writer.name(`${table.name} as ${alias}`)),
      )
}

function source(
  name: string,
  columns: readonly RandomColumn[],
  from: (writer: Writer) => unknown,
): RandomSource {
  return {
    name,
    columns,
    add(query, writer, isFirst) {
      return isFirst
        ? (query as AnyKysely).selectFrom(from(writer) as string)
        : (query as AnySelect).innerJoin(from(writer) as string, (join) => join.onTrue())
    },
  }
}

/** What is selected, of the sources that there are. */
interface Selection {
  add(query: AnySelect, writer: Writer): AnySelect
  readonly columns: readonly ResultColumn[]
}

function plainColumns({ columns }: Pick<RandomSource, 'columns'>): ResultColumn[] {
  return columns.map(({ name, kind }) => ({ name, kind }))
}

function selections(sources: readonly RandomSource[]): fc.Arbitrary<readonly Selection[]> {
  const everything: Selection = {
    add: (query) => query.selectAll(),
    columns: sources.flatMap(plainColumns),
  }
  const one = fc
    .constantFrom(...sources)
    .chain((source) =>
      fc.oneof(
        { weight: 2, arbitrary: fc.constant(allOf(source)) },
        { weight: 4, arbitrary: reference(source) },
        { weight: 3, arbitrary: expression(source) },
      ),
    )
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant([everything]) },
    { weight: 1, arbitrary: fc.constant(sources.map(allOf)) },
    { weight: 4, arbitrary: fc.array(one, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: one.map((selection) => [everything, selection]) },
  )
}

function allOf(source: RandomSource): Selection {
  return {
    add: (query, writer) => query.selectAll(writer.name(source.name)),
    columns: plainColumns(source),
  }
}

const alias = fc.constantFrom('a_a', 'active', 'b', 'data')

function reference({ name, columns }: RandomSource): fc.Arbitrary<Selection> {
  return fc.tuple(fc.constantFrom(...columns), fc.option(alias)).map(([column, as]) => ({
    add: (query, writer) =>
      query.select(writer.name(`${name}.${column.name}${as === null ? '' : ` as ${as}`}`)),
    columns: [{ name: as ?? column.name, kind: column.kind }],
  }))
}

/** Something other than a column, whose values come from one. */
function expression({ name, columns }: RandomSource): fc.Arbitrary<Selection> {
  return fc.tuple(fc.constantFrom(...columns), alias).chain(([{ name: column, kind }, as]) => {
    const ref = `${name}.${column}`
    const first = columns[0]!
    const one = (add: Selection['add']): Selection => ({ add, columns: [{ name: as, kind }] })
    return fc.oneof(
      VALUES[kind].map((value) =>
        one((query, writer) =>
          query.select((eb) =>
            eb.fn.coalesce(writer.name(ref), eb.val(writer.value(kind, value))).as(writer.name(as)),
          ),
        ),
      ),
      VALUES[kind].map((value) =>
        one((query, writer) =>
          query.select((eb) =>
            eb
              .case()
              .when(writer.name(ref), 'is', null)
              .then(eb.val(writer.value(kind, value)))
              .else(eb.ref(writer.name(ref)))
              .end()
              .as(writer.name(as)),
          ),
        ),
      ),
      fc.constantFrom('min', 'max', 'first_value', 'last_value').map((func) =>
        one((query, writer) =>
          query.select((eb) =>
            eb.fn
              .agg(func, [writer.name(ref)])
              .over((over) => over.orderBy(writer.name(ref)))
              .as(writer.name(as)),
          ),
        ),
      ),
      VALUES[kind].map((value) =>
        one((query, writer) =>
          query.select((eb) =>
            eb
              .fn('nullif', [writer.name(ref), eb.val(writer.value(kind, value))])
              .as(writer.name(as)),
          ),
        ),
      ),
      // Raw SQL is as SQLite has it.
      fc.constant<Selection>({
        add: (query, writer) =>
          query.select(sql`(${sql.ref(writer.name(ref))} || '')`.as(writer.name(as))),
        columns: [{ name: as, kind: 'text' }],
      }),
      fc.constant<Selection>({
        add: (query, writer) =>
          query.select((eb) =>
            jsonBuildObject({
              v: eb.ref(writer.name(ref)),
              [writer.name('x_y')]: eb.ref(writer.name(`${name}.${first.name}`)),
            }).as(writer.name(as)),
          ),
        columns: [
          {
            name: as,
            kind: {
              isArray: false,
              fields: [
                { name: 'v', kind },
                { name: 'x_y', kind: first.kind },
              ],
            },
          },
        ],
      }),
    )
  })
}

function conditions(
  sources: readonly RandomSource[],
): fc.Arbitrary<(query: AnySelect, writer: Writer) => AnySelect> {
  return fc.constantFrom(...sources).chain(({ name, columns }) =>
    fc.constantFrom(...columns).chain(({ name: column, kind }) => {
      const ref = `${name}.${column}`
      return fc.oneof(
        fc.tuple(fc.constantFrom('=', '!=', '<', '>=', 'is', 'is not'), VALUES[kind]).map(
          ([operator, value]) =>
            (query: AnySelect, writer: Writer) =>
              query.where(writer.name(ref), operator as '=', writer.value(kind, value)),
        ),
        fc
          .tuple(
            fc.constantFrom('in', 'not in'),
            fc.array(VALUES[kind], { minLength: 1, maxLength: 4 }),
            fc.constantFrom(1, 40),
          )
          .map(
            ([operator, values, times]) =>
              (query: AnySelect, writer: Writer) =>
                query.where(
                  writer.name(ref),
                  operator as 'in',
                  // More than can be bound, now and then.
                  Array.from({ length: times }, () =>
                    values.map((value) => writer.value(kind, value)),
                  ).flat(),
                ),
          ),
        fc.tuple(VALUES[kind], VALUES[kind]).map(
          ([low, high]) =>
            (query: AnySelect, writer: Writer) =>
              query.where((eb) =>
                eb.between(writer.name(ref), writer.value(kind, low), writer.value(kind, high)),
              ),
        ),
        fc.tuple(VALUES[kind], VALUES[columns[0]!.kind]).map(
          ([value, other]) =>
            (query: AnySelect, writer: Writer) =>
              query.where((eb) =>
                eb(
                  eb.refTuple(writer.name(ref), writer.name(`${name}.${columns[0]!.name}`)),
                  '=',
                  eb.tuple(writer.value(kind, value), writer.value(columns[0]!.kind, other)),
                ),
              ),
        ),
        VALUES[kind].map(
          (value) => (query: AnySelect, writer: Writer) =>
            query.where((eb) =>
              eb(eb.val(writer.value(kind, value)), '=', eb.ref(writer.name(ref))),
            ),
        ),
      )
    }),
  )
}

/** A select from one or two sources. */
function select(sourceOf: SourceOf, prefix: string): fc.Arbitrary<RandomQuery> {
  return fc
    .oneof(
      sourceOf(`${prefix}a`).map((source) => [source]),
      fc.tuple(sourceOf(`${prefix}a`), sourceOf(`${prefix}b`)).map((sources) => [...sources]),
    )
    .chain((sources) =>
      fc
        .tuple(selections(sources), fc.option(conditions(sources)))
        .map(([selected, condition]) => ({
          columns: selected.flatMap(({ columns }) => columns),
          write(writer) {
            let query: AnyKysely | AnySelect = writer.db
            for (const [i, source] of sources.entries()) {
              query = source.add(query, writer, i === 0)
            }
            for (const selection of selected) {
              query = selection.add(query as AnySelect, writer)
            }
            return condition === null ? (query as AnySelect) : condition(query as AnySelect, writer)
          },
        })),
    )
}

/** A select whose columns have names of their own and are no JSON, as something to select from. */
function isDerivable({ columns }: RandomQuery): boolean {
  return (
    new Set(columns.map(({ name }) => name)).size === columns.length &&
    columns.every(({ kind }) => typeof kind === 'string')
  )
}

function derivedSource(tables: readonly RandomTable[]): SourceOf {
  return (alias) =>
    fc.oneof(
      { weight: 2, arbitrary: tableSource(tables)(alias) },
      {
        weight: 3,
        arbitrary: select(tableSource(tables), `${alias}_`)
          .filter(isDerivable)
          .map((query) =>
            source(alias, query.columns as readonly RandomColumn[], (writer) =>
              query.write(writer).as(writer.name(alias)),
            ),
          ),
      },
    )
}

function withCommonTable(tables: readonly RandomTable[]): fc.Arbitrary<RandomQuery> {
  return select(tableSource(tables), 'i')
    .filter(isDerivable)
    .chain((inner) =>
      fc.boolean().chain((isRenamed) => {
        const columns = (inner.columns as readonly RandomColumn[]).map(({ name, kind }, i) => ({
          name: isRenamed ? `c_${'abcdefghijklmnop'[i]}` : name,
          kind,
        }))
        const name = isRenamed ? `cte(${columns.map(({ name }) => name).join(', ')})` : 'cte'
        const cte: SourceOf = (alias) =>
          fc.constant(source(alias, columns, (writer) => writer.name(`cte as ${alias}`)))
        return select((alias) => fc.oneof(cte(alias), tableSource(tables)(alias)), 'o').map(
          (outer) => ({
            columns: outer.columns,
            write(writer: Writer) {
              const db = writer.db.with(writer.name(name), () =>
                inner.write(writer),
              ) as unknown as AnyKysely
              return outer.write({ ...writer, db })
            },
          }),
        )
      }),
    )
}

function union(tables: readonly RandomTable[]): fc.Arbitrary<RandomQuery> {
  const term = fc.constantFrom(...tables).chain((table) =>
    fc
      .tuple(fc.constantFrom(...table.columns), fc.constantFrom(...table.columns))
      .map(([first, second]): RandomQuery => ({
        columns: [
          { name: 'u_a', kind: first.kind },
          { name: 'u_b', kind: second.kind },
        ],
        write: ({ db, name }) =>
          db
            .selectFrom(name(table.name))
            .select([name(`${first.name} as u_a`), name(`${second.name} as u_b`)]),
      })),
  )
  return fc
    .tuple(term, term, fc.constantFrom('union', 'unionAll', 'except'))
    .map(([first, other, operator]): RandomQuery => ({
      columns: first.columns.map((column, i) => ({
        name: column.name,
        kind: isLike(column.kind as Kind, other.columns[i]!.kind as Kind) ? column.kind : 'number',
      })),
      write: (writer) => first.write(writer)[operator as 'union'](other.write(writer)),
    }))
}

function isLike(kind: Kind, other: Kind): boolean {
  return kind === other
}

function jsonHelpers(tables: readonly RandomTable[]): fc.Arbitrary<RandomQuery> {
  return fc
    .tuple(
      fc.constantFrom(...tables),
      select(tableSource(tables), 'j').filter(isDerivable),
      fc.boolean(),
    )
    .map(([table, inner, isArray]) => {
      const columns = inner.columns.filter(({ name }) => name !== 'id')
      return {
        columns: [
          { name: 'id', kind: 'number' as const },
          {
            name: 'json',
            kind: { isArray, fields: [...columns, { name: 'n', kind: 'number' as const }] },
          },
        ],
        write: (writer: Writer) =>
          writer.db.selectFrom(writer.name(table.name)).select((eb) => {
            // The order of rows is SQLite's to choose otherwise.
            const from = columns.reduce(
              (from, { name }) => from.orderBy(writer.name(`s.${name}`)),
              eb
                .selectFrom(inner.write(writer).as('s'))
                .select(columns.map(({ name }) => writer.name(`s.${name}`)))
                .select(sql<number>`7`.as('n')),
            )
            return [
              'id',
              isArray ? jsonArrayFrom(from).as('json') : jsonObjectFrom(from).as('json'),
            ]
          }),
      }
    })
}

export function randomQuery(tables: readonly RandomTable[]): fc.Arbitrary<RandomQuery> {
  return fc.oneof(
    select(tableSource(tables), 't'),
    select(derivedSource(tables), 'd'),
    withCommonTable(tables),
    union(tables),
    jsonHelpers(tables),
  )
}
