import { defineConfig, SqliteDriver } from '@mikro-orm/sql'
import {
  entities,
  entitiesWithoutPivotEntity,
  newEntities,
  oldEntities,
  Ticket,
} from './entities.ts'

/** For `mikro-orm compile`, which reads the entities and opens no database. */
export default defineConfig({
  driver: SqliteDriver,
  dbName: ':memory:',
  entities: [...entities, ...oldEntities, ...newEntities, ...entitiesWithoutPivotEntity, Ticket],
  discovery: { checkDuplicateTableNames: false },
})
