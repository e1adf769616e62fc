/** How a statement finds its rows, as {@link explain} returns it. */
export interface QueryPlan {
  /** In the order in which SQLite lists them. Those of triggers and foreign-key actions come last. */
  readonly steps: readonly QueryPlanStep[]
  /**
   * The names of the tables that may be read, sorted. Those that views, triggers and foreign keys lead to
   * are among them.
   */
  readonly reads: readonly string[]
  /**
   * The names of the tables that may be written, sorted. Those that triggers and foreign-key actions write
   * are among them.
   */
  readonly writes: readonly string[]
}

/** One line of a plan. */
export interface QueryPlanStep {
  /**
   * The line of `explain query plan`: `SEARCH p USING INDEX person_team (team_id=?)`. SQLite has none there
   * for triggers and foreign-key actions; theirs is in the same words.
   *
   * https://www.sqlite.org/eqp.html
   */
  readonly detail: string
  /** The table that is read, by its own name. Undefined for a list, a sub-select, a CTE. */
  readonly table?: string
  /**
   * `'scan'` goes through the whole table, `'scan of index'` through a whole index of it. A search
   * goes to the rows that it needs.
   */
  readonly access?: 'scan' | 'scan of index' | 'search'
  /** The index used. Undefined where it is the table itself. */
  readonly index?: string
  /** Whether the scan ends after the rows of a `limit`, whatever is in the table. */
  readonly limited?: true
  /** Whether SQLite makes an index of the whole table for this one run. */
  readonly automaticIndex?: true
  /** What SQLite sorts or keeps rows for: `'order by'`, `'group by'`, `'distinct'`, … */
  readonly temporaryBTree?: string
  /**
   * The name of the trigger whose step it is; null for a foreign-key action; undefined for a step of the
   * statement itself.
   */
  readonly trigger?: string | null
}
