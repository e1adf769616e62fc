import { type ColumnType, Kysely, sql } from 'kysely'
import { DurableObjectSqliteDialect } from '../dialect/dialect.js'
import { DurableObjectSqliteError } from '../platform/errors.js'
import type { DurableObjectStorageLike } from '../platform/storage.js'

/**
 * Kysely's table, and three columns that its `Migrator` does not look at. It leaves them NULL.
 *
 * https://github.com/kysely-org/kysely/blob/master/src/migration/migrator.ts
 */
interface JournalDatabase {
  kysely_migration: {
    name: ColumnType<string, string, never>
    /** ISO 8601, in UTC; each is later than that of the migration before. */
    timestamp: string
    /** Of the SQL text. Null where it is not known: functions, and migrations that Kysely ran. */
    checksum: string | null
    /** Of all migrations that are applied. Only in the last row, and only while that is true. */
    fingerprint: string | null
    /** The point in time before the migration. */
    bookmark: string | null
  }
}

export interface JournalEntry {
  readonly name: string
  readonly timestamp: string
  readonly checksum: string | null
  readonly bookmark: string | null
}

const ADDED_COLUMNS = ['checksum', 'fingerprint', 'bookmark'] as const

/** The journal of the migrations that an object has applied, seen through a Kysely instance. */
export class Journal {
  /**
   * Sees what is committed: it waits for a transaction of Kysely to end. Throws `ERR_INVALID_STORAGE`
   * for anything but `ctx.storage`.
   */
  static open(storage: DurableObjectStorageLike): Journal {
    if (storage?.sql === undefined) {
      throw new DurableObjectSqliteError(
        'ERR_INVALID_STORAGE',
        'Pass the storage of the Durable Object: migrateToLatest(ctx.storage, migrations).',
      )
    }
    return new Journal(new Kysely({ dialect: new DurableObjectSqliteDialect(storage) }))
  }

  readonly #db: Kysely<JournalDatabase>

  // oxlint-disable-next-line typescript/no-explicit-any -- of whatever database
  constructor(db: Kysely<any>) {
    this.#db = db.withoutPlugins()
  }

  /**
   * The fingerprint of all that is applied: one query that reads one row, the last. Undefined if
   * there is none, for whatever reason.
   */
  async readFingerprint(): Promise<string | undefined> {
    try {
      const last = await this.#db
        .selectFrom('kysely_migration')
        .select('fingerprint')
        .orderBy(sql`rowid`, 'desc')
        .limit(1)
        .executeTakeFirst()
      return last?.fingerprint ?? undefined
    } catch (error) {
      // The table is not there (yet, or after deleteAll()), or is as Kysely made it.
      if (error instanceof DurableObjectSqliteError && error.code === 'SQLITE_ERROR') {
        return undefined
      }
      throw error
    }
  }

  /** All entries, in the order in which they were applied. Changes nothing. */
  async read(): Promise<JournalEntry[]> {
    const columns = await this.#readColumns()
    if (columns.size === 0) {
      return []
    }
    const orNull = (name: 'checksum' | 'bookmark') =>
      columns.has(name) ? sql<string | null>`${sql.ref(name)}` : sql<string | null>`null`
    return this.#db
      .selectFrom('kysely_migration')
      .select(['name', 'timestamp'])
      .select([orNull('checksum').as('checksum'), orNull('bookmark').as('bookmark')])
      .orderBy('timestamp')
      .orderBy(sql`rowid`)
      .execute()
  }

  async has(name: string): Promise<boolean> {
    const entry = await this.#db
      .selectFrom('kysely_migration')
      .select('name')
      .where('name', '=', name)
      .executeTakeFirst()
    return entry !== undefined
  }

  /** Makes the table as Kysely does, and adds what it lacks. */
  async prepare(): Promise<void> {
    const columns = await this.#readColumns()
    if (columns.size === 0) {
      await this.#db.schema
        .createTable('kysely_migration')
        .addColumn('name', 'varchar(255)', (column) => column.notNull().primaryKey())
        .addColumn('timestamp', 'varchar(255)', (column) => column.notNull())
        .execute()
    }
    for (const name of ADDED_COLUMNS) {
      if (!columns.has(name)) {
        await this.#db.schema.alterTable('kysely_migration').addColumn(name, 'text').execute()
      }
    }
    // Whoever deletes an entry, Kysely's Migrator or a person, need not know of the fingerprint.
    await sql`
      create trigger if not exists kysely_migration_fingerprint after delete on kysely_migration
      begin
        update kysely_migration set fingerprint = null where fingerprint is not null;
      end
    `.execute(this.#db)
  }

  async add(entry: JournalEntry): Promise<void> {
    await this.#db.insertInto('kysely_migration').values(entry).execute()
  }

  async remove(name: string): Promise<void> {
    await this.#db.deleteFrom('kysely_migration').where('name', '=', name).execute()
  }

  /** States that all the migrations of this fingerprint, so many, are applied, if that is so. */
  async writeFingerprint(fingerprint: string, count: number): Promise<void> {
    await sql`
      update kysely_migration set fingerprint = ${fingerprint}
      where rowid = (select max(rowid) from kysely_migration)
        and (select count(*) from kysely_migration) = ${count}
    `.execute(this.#db)
  }

  transaction<T>(body: (journal: Journal) => Promise<T>): Promise<T> {
    return this.#db.transaction().execute((trx) => body(new Journal(trx)))
  }

  async #readColumns(): Promise<Set<string>> {
    const { rows } = await sql<{
      name: string
    }>`select name from pragma_table_info('kysely_migration')`.execute(this.#db)
    return new Set(rows.map(({ name }) => name))
  }
}
