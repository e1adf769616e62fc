import { type Migrations, rebuildTable } from 'kysely-durable-sqlite/migration'
import accounts from './0001_accounts.sql'

export const migrations: Migrations = {
  '0001_accounts': accounts,

  /** `alter table` cannot make a table strict. The entries, which refer to it, are kept. */
  '0002_strict_account': {
    foreignKeys: 'off',
    async up(_, sql) {
      rebuildTable(sql, 'account', {
        create: `
          create table account (
            id integer primary key,
            owner text not null unique,
            balance integer not null
          ) strict`,
      })
    },
  },
}
