/**
 * The forms in which the rows of a result could travel from an object to a Worker. `send` runs in the
 * object, `receive` in the Worker; both must keep every value as it is.
 *
 * @module
 */
interface Form<T> {
  send(storage: DurableObjectStorage): T
  receive(sent: T): Row[]
}

type Row = Record<string, SqlStorageValue>

const query = 'select * from event'

function read({ sql }: DurableObjectStorage): { names: string[]; values: SqlStorageValue[][] } {
  const cursor = sql.exec(query)
  return { names: cursor.columnNames, values: [...cursor.raw()] }
}

function toRow(names: readonly string[], values: readonly SqlStorageValue[]): Row {
  const row: Row = {}
  for (let i = 0; i < names.length; i++) {
    row[names[i]!] = values[i]!
  }
  return row
}

function form<T>(it: Form<T>): Form<unknown> {
  return it
}

export const forms = {
  objects: form({
    send: ({ sql }) => sql.exec(query).toArray() as Row[],
    receive: (rows) => rows,
  }),
  arrays: form({
    send: (storage) => read(storage),
    receive: ({ names, values }) => values.map((row) => toRow(names, row)),
  }),
  columns: form({
    send(storage) {
      const { names, values } = read(storage)
      return { names, columns: names.map((_, i) => values.map((row) => row[i]!)) }
    },
    receive: ({ names, columns }) =>
      columns[0]!.map((_, row) =>
        toRow(
          names,
          columns.map((column) => column[row]!),
        ),
      ),
  }),
  /** Only for values that JSON keeps: no BLOB, -0 or Infinity. */
  json: form({
    send(storage) {
      const { names, values } = read(storage)
      return { names, text: JSON.stringify(values) }
    },
    receive: ({ names, text }) =>
      (JSON.parse(text) as SqlStorageValue[][]).map((row) => toRow(names, row)),
  }),
}
