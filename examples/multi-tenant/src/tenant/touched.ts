import { date } from 'kysely-durable-sqlite/columns'

const now = (): Date => new Date()

/** When a row was last written: each insert and update that does not say sets it. */
export const touched = date('milliseconds', { default: now, onUpdate: now })
