import { readRows } from '../../src/statement/rows.ts'
import type { Workload } from '../workload.ts'

/** How the rows of a result are best read: the platform's `toArray()` against `readRows()`. */
function readingRows(rows: number, columns: number, operations: number, blobs = false): Workload {
  const names = Array.from({ length: columns }, (_, index) => `column_${index}`)
  const query = `select * from t limit ${rows}`
  return {
    title: `reading ${rows} × ${columns}${blobs ? ', every other column a BLOB' : ''}`,
    order: 100 + columns * 10_000 + rows,
    operations,
    onlyByName: true,
    setup({ sql }) {
      const values = names.map((_, index) =>
        index % 2 === 0 ? 'i' : blobs ? "x'00112233'" : "'text ' || i",
      )
      sql.exec(`
        create table if not exists t (${names.join(', ')});
        delete from t;
        with recursive n(i) as (select 1 union all select i + 1 from n where i < ${rows})
        insert into t select ${values.join(', ')} from n;
      `)
    },
    variants: {
      'toArray()': ({ sql }) =>
        blobs
          ? () => sql.exec(query).toArray().map(withUint8Arrays)
          : () => sql.exec(query).toArray(),
      'readRows()': ({ sql }) => {
        return () => {
          const cursor = sql.exec(query)
          return readRows(cursor, cursor.columnNames)
        }
      },
    },
  }
}

function withUint8Arrays(row: Record<string, unknown>): Record<string, unknown> {
  for (const [name, value] of Object.entries(row)) {
    if (value instanceof ArrayBuffer) {
      row[name] = new Uint8Array(value)
    }
  }
  return row
}

export default [2, 8, 20].flatMap((columns) => [
  readingRows(0, columns, 3000),
  readingRows(1, columns, 2000),
  readingRows(10, columns, 800),
  readingRows(1000, columns, 10),
  readingRows(1, columns, 2000, true),
  readingRows(1000, columns, 8, true),
])
