import { quote, read } from '../migration/raw-sql.js'
import type { SqlStorage } from '../platform/storage.js'
import { cursorTarget, type ExplainRow, type Program, toPrograms } from './instructions.js'

/** What a root page is the root of. */
export interface BTree {
  readonly table: string
  /** Undefined for the table itself. */
  readonly index: string | undefined
}

type NameRow = readonly [name: string, table: string, type: 'table' | 'index', rootPage: number]

const NAMES = `select name, tbl_name, type, rootpage from sqlite_schema where type in ('table', 'index')`

/**
 * The names of the tables and indexes of a database, as SQLite has them. They are read each time: the
 * version of the schema, by which they could be kept, comes again after a rollback.
 */
export class SchemaNames {
  readonly #sql: SqlStorage
  readonly #bTrees = new Map<number, BTree>([[1, { table: 'sqlite_schema', index: undefined }]])
  readonly #virtualTables: string[] = []
  /** By address. */
  readonly #byPointer = new Map<string, string | undefined>()

  constructor(sql: SqlStorage) {
    this.#sql = sql
    for (const [name, table, type, rootPage] of read<NameRow>(sql, NAMES)) {
      if (rootPage === 0) {
        this.#virtualTables.push(name)
      } else {
        this.#bTrees.set(rootPage, { table, index: type === 'index' ? name : undefined })
      }
    }
  }

  bTree(rootPage: number): BTree | undefined {
    return this.#bTrees.get(rootPage)
  }

  /**
   * The virtual table that a statement opens. SQLite tells it by an address in memory, which is the
   * same for every statement on the table. Undefined for a function, such as `json_each`.
   */
  virtualTable(pointer: string): string | undefined {
    if (!this.#byPointer.has(pointer)) {
      this.#byPointer.set(pointer, this.#findVirtualTable(pointer))
    }
    return this.#byPointer.get(pointer)
  }

  /** What a cursor is on, if it is a table or an index of one. */
  atCursor(program: Program, cursor: number, address: number): BTree | undefined {
    const target = cursorTarget(program, cursor, address)
    if (target.kind === 'b-tree') {
      return this.bTree(target.rootPage)
    }
    const table = target.kind === 'virtual' ? this.virtualTable(target.pointer) : undefined
    return table === undefined ? undefined : { table, index: undefined }
  }

  #findVirtualTable(pointer: string): string | undefined {
    return this.#virtualTables.find((name) => {
      const statement = `explain select 1 from ${quote(name)}`
      const [program = []] = toPrograms(read<ExplainRow>(this.#sql, statement))
      return program.some(({ opcode, p4 }) => opcode === 'VOpen' && p4 === pointer)
    })
  }
}
