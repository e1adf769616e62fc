import { runProgram } from './program.js'
import { oneLine } from './terminal.js'
import { hasCode, messageOf } from './usage-error.js'

/** Whoever reads may stop, and a disk may be full. */
process.stdout.on('error', (error: unknown) => {
  if (!hasCode(error, 'EPIPE')) {
    process.stderr.write(`The output cannot be written: ${oneLine(messageOf(error))}\n`)
  }
  process.exit(2)
})

process.exitCode = await runProgram(process.argv.slice(2))
