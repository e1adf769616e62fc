import { CommanderError } from 'commander'
import { FindingsError, findingLine } from './finding.js'
import { createProgram } from './program.js'
import { oneLine, printable } from './terminal.js'
import { hasCode, messageOf } from './usage-error.js'

/** Whoever reads may stop, and a disk may be full. */
process.stdout.on('error', (error: unknown) => {
  if (!hasCode(error, 'EPIPE')) {
    process.stderr.write(`The output cannot be written: ${oneLine(messageOf(error))}\n`)
  }
  process.exit(2)
})

try {
  await createProgram((code) => {
    process.exitCode = code
  }).parseAsync()
} catch (error) {
  process.exitCode = 2
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
  } else if (error instanceof FindingsError) {
    for (const finding of error.findings) {
      process.stderr.write(`${findingLine(finding, process.stderr)}\n`)
    }
  } else {
    process.stderr.write(`${printable(messageOf(error))}\n`)
  }
}
