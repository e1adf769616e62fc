/** How a statement finds its rows, as {@link explain} returns it. */
export interface QueryPlan {
  /** In the order in which SQLite lists them; those of triggers and foreign-key actions at the end. */
  readonly steps: readonly QueryPlanStep[]
  /**
   * The names of the tables that may be read, sorted: those that views, triggers and foreign keys lead
   * to, too.
   */
  readonly reads: readonly string[]
  /** The names of the tables that may be written, sorted; those of triggers and actions too. */
  readonly writes: readonly string[]
}

/** One line of a plan. */
export interface QueryPlanStep {
  /**
   * As in `explain query plan`: `SEARCH p USING INDEX person_team (team_id=?)`. Of a trigger or a
   * foreign-key action, of which SQLite says nothing there, in the same words.
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
  /** Whether SQLite makes an index of the whole table, for this one run of the statement. */
  readonly automaticIndex?: true
  /** What SQLite sorts or keeps rows for: `'order by'`, `'group by'`, `'distinct'`, … */
  readonly temporaryBTree?: string
  /** The trigger whose step it is; null for a foreign-key action. Undefined for the statement's own. */
  readonly trigger?: string | null
}
