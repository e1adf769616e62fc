/** How a statement finds its rows, as {@link explain} returns it. */
export interface QueryPlan {
  /**
   * The steps, in the order in which SQLite lists them. Those of triggers and foreign-key actions come
   * last.
   */
  readonly steps: readonly QueryPlanStep[]
  /**
   * The names of the tables that may be read, sorted, including those read through views, triggers and
   * foreign keys.
   */
  readonly reads: readonly string[]
  /**
   * The names of the tables that may be written, sorted, including those written by triggers and
   * foreign-key actions.
   */
  readonly writes: readonly string[]
}

/** One line of a plan. */
export interface QueryPlanStep {
  /**
   * The line of `explain query plan`, such as `SEARCH p USING INDEX person_team (team_id=?)`. SQLite
   * has no such line for triggers and foreign-key actions. Theirs is written in the same form.
   *
   * https://www.sqlite.org/eqp.html
   */
  readonly detail: string
  /**
   * The table that is read, by its own name rather than its alias. Undefined for a list, a sub-select
   * or a CTE.
   */
  readonly table?: string
  /**
   * `'scan'` reads the whole table, and `'scan of index'` a whole index of it. `'search'` reads only
   * the rows that it needs.
   */
  readonly access?: 'scan' | 'scan of index' | 'search'
  /** The index used. Undefined if it is the table itself. */
  readonly index?: string
  /** Whether the scan ends after the rows of a `limit`, whatever is in the table. */
  readonly limited?: true
  /** Whether SQLite builds an index of the whole table for this one run. */
  readonly automaticIndex?: true
  /** What SQLite sorts or collects rows for: `'order by'`, `'group by'`, `'distinct'`, … */
  readonly temporaryBTree?: string
  /**
   * The name of the trigger that the step belongs to. Null for a foreign-key action; undefined for a
   * step of the statement itself.
   */
  readonly trigger?: string | null
}
