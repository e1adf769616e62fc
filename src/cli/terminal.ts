import { styleText } from 'node:util'
import yoctoSpinner from 'yocto-spinner'
import { escapeUnprintable } from '../codegen/identifier.js'

/** Names and messages come from databases and files of others: none of it speaks to the terminal. */
export function printable(text: string): string {
  return text.split('\n').map(escapeUnprintable).join('\n')
}

/** The same on one line. */
export function oneLine(text: string): string {
  return escapeUnprintable(text.replace(/\s+/g, ' ').trim())
}

export function writeOut(text: string): void {
  process.stdout.write(text)
}

/** A line for a person, beside what is written to standard output. */
export function note(line: string): void {
  process.stderr.write(`${printable(line)}\n`)
}

export type Style = Parameters<typeof styleText>[0]

/** Styled where standard output or error is a terminal that wants it: see `NO_COLOR`. */
export function styled(
  style: Style,
  text: string,
  stream: NodeJS.WriteStream = process.stdout,
): string {
  return styleText(style, text, { stream })
}

/** Runs the body with a spinner, where a person looks on. The body may say what it is at. */
export async function withSpinner<T>(
  text: string,
  body: (say: (text: string) => void) => Promise<T>,
): Promise<T> {
  if (!process.stderr.isTTY) {
    return body(() => {})
  }
  const spinner = yoctoSpinner({ text, stream: process.stderr }).start()
  try {
    return await body((said) => {
      spinner.text = oneLine(said)
    })
  } finally {
    spinner.stop()
  }
}

/** JSON for a script, in ASCII, so that it can be shown as well. */
export function writeJson(value: unknown): void {
  const text = JSON.stringify(value, undefined, 2)
  writeOut(
    `${text.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`,
  )
}
