import type { ChecksummedMigration, NamedMigration } from './migration.js'

/**
 * The migrations with their checksums: SHA-256 over the SQL text, in hexadecimal, where line ends count
 * alike. A function has none: its text is whatever the bundler made of it.
 */
export function withChecksums(
  migrations: readonly NamedMigration[],
): Promise<ChecksummedMigration[]> {
  return Promise.all(
    migrations.map(async (named) => {
      const { up } = named.migration
      const checksum = typeof up === 'string' ? await sha256(withUnixLineEnds(up)) : null
      return { ...named, checksum }
    }),
  )
}

/** One checksum over the names and the SQL texts of all migrations. */
export function fingerprintOf(migrations: readonly NamedMigration[]): Promise<string> {
  return sha256(
    JSON.stringify(
      migrations.map(({ name, migration: { up } }) => [
        name,
        typeof up === 'string' ? withUnixLineEnds(up) : null,
      ]),
    ),
  )
}

/** Git may check the same file out with either. */
function withUnixLineEnds(text: string): string {
  return text.replaceAll('\r\n', '\n')
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
