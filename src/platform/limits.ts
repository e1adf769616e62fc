/**
 * The limits that the platform sets on SQLite.
 *
 * https://developers.cloudflare.com/durable-objects/platform/limits/
 *
 * @module
 */

/** Bound parameters of a statement. */
export const MAX_PARAMETERS = 100

/** Bytes of a value that is bound. */
export const MAX_VALUE_BYTES = 2_000_000
