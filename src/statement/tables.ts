const TABLE = `
  select count(*) as tables, max(wr = 0 and type <> 'view') as hasRowid, max(strict) as isStrict
  from pragma_table_list(?)`

interface TableFacts {
  /** 0 where there is no table of the name, else 1. */
  readonly tables: number
  readonly hasRowid: number | null
  readonly isStrict: number | null
}

/** What SQLite says of tables, asked once for each until the schema changes. */
export class Tables {
  readonly #ask: (question: string, name: string) => object
  readonly #facts: Map<string, TableFacts>

  /** `ask` runs a query that binds one value, and returns its one row. What is known is shared. */
  constructor(ask: (question: string, name: string) => object, shared?: Tables) {
    this.#ask = ask
    this.#facts = shared === undefined ? new Map() : shared.#facts
  }

  hasRowid(name: string): boolean {
    return this.#read(name).hasRowid === 1
  }

  isStrict(name: string): boolean {
    return this.#read(name).isStrict === 1
  }

  /** To be called when the schema has changed. */
  forget(): void {
    this.#facts.clear()
  }

  /** A name that there is no table of is asked for again. */
  #read(name: string): TableFacts {
    let facts = this.#facts.get(name)
    if (facts === undefined) {
      facts = this.#ask(TABLE, name) as TableFacts
      if (facts.tables > 0) {
        this.#facts.set(name, facts)
      }
    }
    return facts
  }
}
