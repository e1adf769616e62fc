/**
 * What queries cost, before the bill arrives: plans that read whole tables, and budgets of rows.
 *
 * @module
 */
export { explain } from './explain.js'
export type { QueryPlan, QueryPlanStep } from './query-plan.js'
export { type AllowedScan, QueryRecorder, type Scan, type ScanOptions } from './query-recorder.js'
export type { ScanReason } from './scan.js'
export type { TransactionSyncStorage } from './suggest-index.js'
export { QueryBudget } from './query-budget.js'
export type { QueryBudgetOptions, QueryCosts } from './query-budget-options.js'
export type { QueryMeter } from './query-meter.js'
export type { StatementCost } from './statement-costs.js'
