import type { Generated } from 'kysely'

/** What the pages read and write. better-auth's own tables are beside these. */
export interface Database {
  readonly note: {
    readonly id: Generated<number>
    readonly author: string
    readonly text: string
  }
  readonly author: {
    readonly name: string
    readonly notes: number
  }
}
