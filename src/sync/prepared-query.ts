import {
  ExpressionWrapper,
  NoResultError,
  PrimitiveValueListNode,
  ValueNode,
  type OperationNode,
} from 'kysely'
import { DurableObjectSqliteError } from '../platform/errors.js'
import { findParameterPlaces } from './parameter-places.js'
import { QueryParameter, type QueryParameters } from './query-parameter.js'
import { planOf, type BoundQuery } from '../statement/query-columns.js'
import { QueryTemplate, type GivenValues } from './query-template.js'
import {
  firstOrThrow,
  type FirstOutput,
  type NoResultErrorFactory,
  type SyncQuery,
} from './sync-query.js'
import type { SyncSession } from './sync-session.js'

/** The arguments of a prepared query: its values, or nothing for a query without parameters. */
export type ParameterValues<P> = [keyof P] extends [never]
  ? [values?: Record<string, never>]
  : [values: P]

const NO_NAMES: ReadonlySet<string> = new Set()

/**
 * A query that {@link SyncExecutor.prepare} compiled once, to run it with other values each time.
 *
 * The methods are those of {@link SyncExecutor}, with values instead of a query, and throw the same
 * errors. They also throw `ERR_PARAMETER_NAME` if the value of a parameter is missing or undefined, or
 * if the query has no parameter of that name.
 *
 * ### Examples
 *
 * ```ts
 * import { type QueryParameters, SyncExecutor } from 'kysely-durable-sqlite'
 *
 * const rename = new SyncExecutor(db, ctx.storage).prepare(
 *   (param: QueryParameters<{ id: number; name: string }>) =>
 *     db.updateTable('person').set({ name: param('name') }).where('id', '=', param('id')),
 * )
 *
 * rename.run({ id: 1, name: 'Ada' })
 * const { numUpdatedRows } = rename.executeTakeFirst({ id: 2, name: 'Grace' })
 * ```
 */
export class PreparedQuery<P extends object, O> {
  readonly #session: SyncSession
  readonly #build: (param: QueryParameters<P>) => SyncQuery<O>
  readonly #names: readonly string[]
  readonly #listNames: ReadonlySet<string>
  /** Undefined where the SQL depends on the values, so that it is compiled for each call. */
  readonly #template: QueryTemplate | undefined
  /** The names of the parameters whose values columns encode, wherever they are used. */
  readonly #encodedNames: ReadonlySet<string>
  /** By the names of the parameters that are bigints. */
  readonly #integerTemplates = new Map<string, QueryTemplate>()

  constructor(session: SyncSession, build: (param: QueryParameters<P>) => SyncQuery<O>) {
    this.#session = session
    this.#build = build
    const names = new Set<string>()
    const query = this.#buildWith((name) => {
      names.add(name)
      return new QueryParameter(name, 'scalar').toOperationNode()
    })
    this.#names = [...names]
    this.#listNames = findListNames(session.toOperationNode(query))
    const template = session.isValueIndependent ? this.#compileTemplate(NO_NAMES) : undefined
    this.#encodedNames = new Set(this.#names.filter((name) => template?.encodes(name) === true))
    this.#template = template
  }

  /** Returns the rows. For a write without `returning` it returns one result. */
  execute(...[values]: ParameterValues<P>): O[] {
    return this.#execute(this.#bind(values))
  }

  /** Returns the first row or result, or undefined. */
  executeTakeFirst(...[values]: ParameterValues<P>): FirstOutput<O> {
    return this.#execute(this.#bind(values))[0] as FirstOutput<O>
  }

  /** Returns the first row or result. If there is none, throws Kysely's `NoResultError` or your error. */
  executeTakeFirstOrThrow(values: P, errorFactory: NoResultErrorFactory = NoResultError): O {
    const bound = this.#bind(values)
    return firstOrThrow(this.#execute(bound), bound.query, errorFactory)
  }

  /** Runs the query only for its effect. Rows that it returns are dropped. */
  run(...[values]: ParameterValues<P>): void {
    const bound = this.#bind(values)
    this.#session.run(bound.query, bound.parameters)
  }

  #execute({ query, parameters }: BoundQuery): O[] {
    // SQLite alone knows the type of the rows; Kysely's types state it.
    return this.#session.execute(query, parameters) as O[]
  }

  #bind(values: object = {}): BoundQuery {
    const given = values as GivenValues
    let integers = ''
    for (const name of this.#names) {
      const value = given[name]
      if (value === undefined) {
        throw missingParameter(name)
      }
      if (typeof value === 'bigint' && !this.#encodedNames.has(name)) {
        integers += `${name}\0`
      }
    }
    const names = Object.keys(given)
    if (names.length !== this.#names.length) {
      this.#assertKnown(names)
    }
    const template = integers === '' ? this.#template : this.#integerTemplate(integers, given)
    return template?.fill(given) ?? this.#compileWith(given)
  }

  #integerTemplate(key: string, given: GivenValues): QueryTemplate | undefined {
    let template = this.#integerTemplates.get(key)
    if (template === undefined && this.#template !== undefined) {
      template = this.#compileTemplate(
        new Set(this.#names.filter((name) => typeof given[name] === 'bigint')),
      )
      if (template !== undefined) {
        this.#integerTemplates.set(key, template)
      }
    }
    return template
  }

  #compileTemplate(integers: ReadonlySet<string>): QueryTemplate | undefined {
    const query = this.#buildWith((name) =>
      new QueryParameter(
        name,
        this.#listNames.has(name) ? 'list' : integers.has(name) ? 'integer' : 'scalar',
      ).toOperationNode(),
    )
    try {
      const compiled = this.#session.compile(query)
      const template = new QueryTemplate(compiled)
      return this.#names.every((name) => template.hasGapFor(name)) &&
        (this.#names.length === 0 || planOf(compiled)?.isForOneExecution !== true)
        ? template
        : undefined
    } catch (error) {
      // The compiler looks at the values where they are more than a query can bind.
      if (error instanceof DurableObjectSqliteError && error.code === 'ERR_UNSUPPORTED_PARAMETER') {
        return undefined
      }
      throw error
    }
  }

  /** Compiles the query with the values themselves, as if it had not been prepared. */
  #compileWith(given: GivenValues): BoundQuery {
    const query = this.#session.compile(this.#buildWith((name) => toValueNode(given[name])))
    return { query, parameters: query.parameters }
  }

  #buildWith(toOperationNode: (name: string) => OperationNode): SyncQuery<O> {
    return this.#build(
      (name) => new ExpressionWrapper<unknown, never, never>(toOperationNode(name)),
    )
  }

  #assertKnown(names: readonly string[]): void {
    const unknown = names.find((name) => !this.#names.includes(name))
    if (unknown !== undefined) {
      throw new DurableObjectSqliteError(
        'ERR_PARAMETER_NAME',
        `The prepared query has no parameter \`${unknown}\`. ` +
          (this.#names.length === 0 ? 'Pass no values.' : `It has: ${this.#names.join(', ')}.`),
      )
    }
  }
}

function findListNames(node: OperationNode): ReadonlySet<string> {
  const { inLists, elsewhere } = findParameterPlaces(node)
  for (const name of inLists) {
    if (elsewhere.has(name)) {
      throw new DurableObjectSqliteError(
        'ERR_UNSUPPORTED_PARAMETER',
        `The parameter \`${name}\` stands for a list behind \`in\` and for one value elsewhere. Use ` +
          'two parameters.',
      )
    }
  }
  return inLists
}

function toValueNode(value: unknown): OperationNode {
  return Array.isArray(value) ? PrimitiveValueListNode.create(value) : ValueNode.create(value)
}

function missingParameter(name: string): DurableObjectSqliteError {
  return new DurableObjectSqliteError(
    'ERR_PARAMETER_NAME',
    `The parameter \`${name}\` of the prepared query has no value. Pass { ${name}: … }, with null for ` +
      'NULL.',
  )
}
