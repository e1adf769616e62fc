import type { Generated } from 'kysely'

/** What the migrations make. Amounts are in cents. */
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
