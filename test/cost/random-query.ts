import * as fc from 'fast-check'

/** A statement to run at 100 and at 1,000 rows: its parameters are for a table of `n` rows. */
export interface RandomQuery {
  readonly sql: string
  readonly parameters: (n: number) => unknown[]
  /** The exceptions of docs/cost.md that it may be. */
  readonly exceptions: ReadonlySet<Exception>
}

/** What docs/cost.md lists: where a scan does not grow with the table, or a search does. */
export type Exception = 'ends early' | 'not reached' | 'few values'

interface Piece {
  readonly sql: string
  readonly parameters?: (n: number) => unknown[]
  readonly exceptions?: readonly Exception[]
}

function piece(sql: string, parameters?: Piece['parameters'], ...exceptions: Exception[]): Piece {
  return { sql, exceptions, ...(parameters === undefined ? undefined : { parameters }) }
}

/** Puts pieces where the template has `{}`. */
function join(template: string, ...pieces: readonly Piece[]): Piece {
  const parts = template.split('{}')
  return {
    sql: parts.map((part, i) => part + (pieces[i]?.sql ?? '')).join(''),
    parameters: (n) => pieces.flatMap(({ parameters }) => parameters?.(n) ?? []),
    exceptions: pieces.flatMap(({ exceptions = [] }) => exceptions),
  }
}

/**
 * `t` and `u` have n rows each. In `a`, `b` and `t_id` each value is in five rows, `few` has three
 * values, `d` counts from 0, `c` is a text of its own in each row.
 */
export const TABLES = [
  'create table t (id integer primary key, a integer, b integer, c text, d integer not null, few integer)',
  'create table u (id integer primary key, t_id integer, a integer, e text, d integer not null)',
  `create table w (
    a integer, c text, d integer not null, few integer, primary key (a, c)
  ) without rowid`,
]

export const VIEW = 'create view v as select p.*, q.e from t p join u q on q.t_id = p.id'

/** Made in any combination. */
export const INDEXES = [
  'create index t_a on t (a)',
  'create index t_b on t (b)',
  'create index t_a_d on t (a, d)',
  'create index t_c on t (c)',
  'create index t_c_nocase on t (c collate nocase)',
  'create index t_lower on t (lower(c))',
  'create index t_d on t (d)',
  'create index t_few on t (few)',
  'create index t_part on t (b) where d < 10',
  'create index t_cover on t (b, a, c, d)',
  'create index u_t on u (t_id)',
  'create index u_a on u (a)',
  'create index u_e on u (e)',
  'create index w_d on w (d)',
]

export function fill(n: number): string[] {
  const rows = `with recursive r(i) as (select 0 union all select i + 1 from r where i < ${n - 1})`
  return [
    `${rows} insert into t select i + 1, i % (${n} / 5), (i * 7) % (${n} / 5), 'c' || i || 'x', i, i % 3 from r`,
    `${rows} insert into u select i + 1, 1 + i % (${n} / 5), (i * 3) % (${n} / 5), 'e' || i, i from r`,
    `${rows} insert into w select i % (${n} / 5), 'c' || i || 'x', i, i % 3 from r`,
  ]
}

const value = fc.integer({ min: 0, max: 19 })

/** A condition on the columns that `t` and `w` have. */
const shared = (p: string): fc.Arbitrary<Piece> =>
  fc.oneof(
    value.map((v) => piece(`${p}.a = ?`, () => [v])),
    value.map((v) => piece(`${p}.c = ?`, () => [`c${v}x`])),
    value.map((v) => piece(`${p}.d < ?`, () => [v])),
    value.map((v) => piece(`${p}.d >= ?`, (n) => [n - v])),
    value.map((v) => piece(`${p}.d between ? and ?`, () => [v, v + 5])),
    value.map((v) => piece(`${p}.a in (?, ?, ?)`, () => [v, v + 1, v + 2])),
    value.map((v) =>
      piece(`${p}.a in (select value from json_each(?))`, () => [JSON.stringify([v, v + 1])]),
    ),
    value.map((v) => piece(`${p}.c like ?`, () => [`c${v}x`])),
    value.map((v) => piece(`${p}.c glob ?`, () => [`c${v}x*`])),
    fc.constant(piece(`${p}.few = ?`, () => [1], 'few values')),
    value.map((v) => piece(`(${p}.a = ? or ${p}.d = ?)`, () => [v, v])),
  )

const ofT = (p: string): fc.Arbitrary<Piece> =>
  fc.oneof(
    { weight: 4, arbitrary: shared(p) },
    { weight: 1, arbitrary: value.map((v) => piece(`${p}.id = ?`, () => [v])) },
    { weight: 1, arbitrary: value.map((v) => piece(`${p}.id < ?`, () => [v])) },
    { weight: 2, arbitrary: value.map((v) => piece(`${p}.b = ?`, () => [v])) },
    { weight: 1, arbitrary: value.map((v) => piece(`lower(${p}.c) = ?`, () => [`c${v}x`])) },
    {
      weight: 1,
      arbitrary: value.map((v) => piece(`${p}.b = ? and ${p}.d < 10`, () => [v], 'not reached')),
    },
    {
      weight: 1,
      arbitrary: ofU('q').map((inner) =>
        join(
          `exists (select 1 from u q where q.t_id = ${p}.id and {})`,
          inner,
          piece('', undefined, 'ends early', 'not reached'),
        ),
      ),
    },
    {
      weight: 1,
      arbitrary: ofU('q').map((inner) =>
        join(`${p}.id in (select q.t_id from u q where {})`, inner),
      ),
    },
  )

function ofU(p: string): fc.Arbitrary<Piece> {
  return fc.oneof(
    value.map((v) => piece(`${p}.t_id = ?`, () => [v + 1])),
    value.map((v) => piece(`${p}.a = ?`, () => [v])),
    value.map((v) => piece(`${p}.e = ?`, () => [`e${v}`])),
    value.map((v) => piece(`${p}.id = ?`, () => [v])),
    fc.constant(piece('1')),
  )
}

/** One condition, or two. */
const where = (condition: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc.oneof(
    condition,
    fc
      .tuple(condition, condition)
      .map(([a, b]) => join('{} and {}', a, b, piece('', undefined, 'not reached'))),
  )

const limit = fc.constantFrom(
  piece(''),
  piece(''),
  piece(' limit 3', undefined, 'ends early'),
  piece(' limit 2 offset 3', undefined, 'ends early'),
)

const order = fc.constantFrom('', '', ' order by p.d', ' order by p.c', ' order by p.a, p.d desc')

const columns = fc.constantFrom(
  '*',
  'p.a, p.d',
  'p.c',
  'count(*)',
  'min(p.d)',
  'max(p.c)',
  'sum(p.a)',
)

const select = fc.oneof(
  fc
    .tuple(columns, where(ofT('p')), order, limit)
    .map(([columns, where, order, limit]) =>
      join(
        `select ${columns} from t p where {}${order}{}`,
        where,
        limit,
        piece('', undefined, ...(/m(?:in|ax)/.test(columns) ? (['ends early'] as const) : [])),
      ),
    ),
  fc
    .tuple(columns, order, limit)
    .map(([columns, order, limit]) => join(`select ${columns} from t p${order}{}`, limit)),
  fc
    .tuple(where(shared('p')), order, limit)
    .map(([where, order, limit]) => join(`select * from w p where {}${order}{}`, where, limit)),
  fc
    .tuple(where(ofT('p')), ofU('q'), limit)
    .map(([a, b, limit]) =>
      join('select * from t p join u q on q.t_id = p.id where {} and {}{}', a, b, limit, LATER),
    ),
  fc
    .tuple(where(ofT('p')), limit)
    .map(([a, limit]) =>
      join('select * from t p left join u q on q.a = p.a where {}{}', a, limit, LATER),
    ),
  where(ofT('p')).map((where) =>
    join('select p.few, count(*) from t p where {} group by p.few', where),
  ),
  where(ofT('p')).map((where) => join('select distinct p.a from t p where {}', where)),
  fc
    .tuple(where(ofT('p')), ofU('q'))
    .map(([a, b]) =>
      join('select p.a from t p where {} union all select q.a from u q where {}', a, b),
    ),
  fc
    .tuple(where(ofT('p')), ofU('q'))
    .map(([a, b]) =>
      join('select p.a from t p where {} except select q.a from u q where {}', a, b, LATER),
    ),
  where(ofT('p')).map((where) =>
    join('with m as (select * from t p where {}) select count(*), max(d) from m', where),
  ),
  where(ofT('p')).map((where) =>
    join(
      'with m as materialized (select * from t p where {}) select * from m join u on u.t_id = m.id',
      where,
      LATER,
    ),
  ),
  where(ofT('p')).map((where) =>
    join('select p.d, rank() over (partition by p.a order by p.d) from t p where {}', where),
  ),
  where(ofT('p')).map((where) =>
    join(
      'select p.id, (select count(*) from u q where q.t_id = p.id) from t p where {}',
      where,
      LATER,
    ),
  ),
  where(shared('v')).map((where) => join('select * from v where {}', where, LATER)),
  where(ofT('p')).map((where) =>
    join('select exists (select 1 from t p where {})', where, piece('', undefined, 'ends early')),
  ),
)

const LATER = piece('', undefined, 'not reached')

const write = fc.oneof(
  where(ofT('t')).map((where) => join('update t set few = 7 where {}', where)),
  where(ofT('t')).map((where) => join('update t set a = a + 1 where {} returning id', where)),
  where(ofT('t')).map((where) => join('delete from t where {}', where)),
  where(shared('w')).map((where) => join('delete from w where {}', where)),
  where(ofT('p')).map((where) =>
    join('insert into u (t_id, a, e, d) select p.id, p.a, p.c, p.d from t p where {}', where),
  ),
  ofU('u').map((where) =>
    join('update t set b = u.a from u where u.t_id = t.id and {}', where, LATER),
  ),
  value.map((v) =>
    piece(
      'insert into w (a, c, d) values (?, ?, 0) on conflict (a, c) do update set d = excluded.d',
      () => [v, `c${v}x`],
    ),
  ),
  fc.constant(piece('update t set few = 7')),
  fc.constant(piece('delete from w')),
  fc.constant(piece('delete from t')),
)

export const randomQuery: fc.Arbitrary<RandomQuery> = fc
  .oneof({ weight: 3, arbitrary: select }, { weight: 1, arbitrary: write })
  .map(({ sql, parameters, exceptions = [] }) => ({
    sql,
    parameters: parameters ?? (() => []),
    exceptions: new Set(exceptions),
  }))
