import { type Options, SqliteDriver } from '@mikro-orm/sql'
import { Author, Book, BookTag, Tag } from './entities.ts'

/** What the Worker and `mikro-orm compile` share. The README says what each setting is for. */
const config: Options<SqliteDriver> = {
  driver: SqliteDriver,
  dbName: 'durable-object',
  entities: [Author, Book, Tag, BookTag],
  batchSize: 90,
  schemaGenerator: { skipTables: [/^_cf_/i, /^__miniflare_/] },
}

export default config
