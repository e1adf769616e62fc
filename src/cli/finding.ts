import { oneLine, styled, writeJson, writeOut } from './terminal.js'

/** Something that is wrong with the project, found by the program. */
export interface Finding {
  /** As given by the user, or relative to the working directory. */
  readonly file?: string | undefined
  /** From 1. */
  readonly line?: number | undefined
  /** What is wrong, and what to do. */
  readonly message: string
}

/** What keeps the program from going on, with the place of each. */
export class FindingsError extends Error {
  override readonly name = 'FindingsError'

  constructor(readonly findings: readonly Finding[]) {
    super(findings.map(({ message }) => message).join('\n'))
  }
}

/** One line each: `src/migrations/0002_email.sql:3 …`. */
export function writeFindings(findings: readonly Finding[], json = false): void {
  if (json) {
    writeJson(findings)
    return
  }
  for (const finding of findings) {
    writeOut(`${findingLine(finding)}\n`)
  }
}

export function findingLine(
  { file, line, message }: Finding,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  const place = [file, ...(line === undefined ? [] : [line])].filter((part) => part !== undefined)
  const text = oneLine(message)
  return place.length === 0 ? text : `${styled('cyan', oneLine(place.join(':')), stream)} ${text}`
}
