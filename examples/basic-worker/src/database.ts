import type { Generated, Kysely } from 'kysely'

/** Amounts are in cents. */
export interface Database {
  account: {
    id: Generated<number>
    owner: string
    balance: number
  }
  entry: {
    id: Generated<number>
    account_id: number
    amount: number
    text: string
  }
}

export async function createTables(db: Kysely<Database>): Promise<void> {
  await db.schema
    .createTable('account')
    .ifNotExists()
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('owner', 'text', (column) => column.notNull().unique())
    .addColumn('balance', 'integer', (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('entry')
    .ifNotExists()
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('account_id', 'integer', (column) => column.notNull().references('account.id'))
    .addColumn('amount', 'integer', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .execute()
  await db.schema
    .createIndex('entry_account_id')
    .ifNotExists()
    .on('entry')
    .column('account_id')
    .execute()
}
