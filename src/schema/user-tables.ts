/** Kysely's own tables: https://github.com/kysely-org/kysely/blob/master/src/migration/migrator.ts */
export const KYSELY_TABLES: ReadonlySet<string> = new Set([
  'kysely_migration',
  'kysely_migration_lock',
])

/**
 * The tables and views of the user, as the common table expression `user_table`. In `source` is the
 * name to give to a pragma: one that no table can have where the real one might be an error.
 *
 * The platform keeps tables of its own in the same database as soon as the object has used
 * `storage.put()`, an alarm or local development, and refuses to describe them. The names are
 * compared with `glob`, in which `_` stands for itself. Shadow tables are the storage of a virtual
 * table.
 *
 * A view whose table is gone has no columns (`ncol` is 0), and asking for them is an error. But SQLite
 * stops counting at the first such view, so that one with no columns, or a virtual table, may be a
 * good one. It must be asked for by itself, with {@link ONE_TABLE}.
 * https://github.com/sqlite/sqlite/blob/master/src/pragma.c (PragTyp_TABLE_LIST)
 */
export const USER_TABLE = `user_table as materialized (
  select name, type, wr, strict, iif(ncol > 0, name, 'sqlite_none') as source
  from pragma_table_list
  where schema = 'main' and type <> 'shadow'
    and lower(name) not glob '_cf_*'
    and lower(name) not glob 'sqlite_*'
    and name not glob '__miniflare_*'
)`

/**
 * A view or virtual table as `user_table`: binds its name and its type. Fails if it cannot be read.
 */
export const ONE_TABLE = `user_table as materialized (
  select name, type, 0 as wr, 0 as strict, name as source
  from (select ? as name, ? as type)
)`

/**
 * Whether column `c` of `t` is the rowid under another name, whose value SQLite supplies: the only
 * column of the primary key, which needs no index of its own.
 * https://www.sqlite.org/lang_createtable.html#rowid
 */
export const IS_ROWID_ALIAS = `case when t.type = 'table' and c.pk = 1 then
  not exists (select 1 from pragma_index_list(t.name) where origin = 'pk')
  and not exists (select 1 from pragma_table_xinfo(t.name) where pk > 1)
else 0 end`
