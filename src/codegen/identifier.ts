/**
 * What is not part of a name of ours. Of the characters beyond ASCII only scripts are kept that every
 * version of TypeScript knows whole, whichever version of Unicode it was made with.
 */
const NOT_IN_IDENTIFIER =
  /[^A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0233\u0400-\u0481\u0531-\u0556\u0561-\u0587\u05d0-\u05ea\u0e01-\u0e30\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fa5\uac00-\ud7a3]+/u

/** The name of a table as the name of a type, not unique: `user_role` is `UserRole`. */
export function toTypeName(name: string): string {
  const typeName = name
    .split(NOT_IN_IDENTIFIER)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
  if (typeName === '') {
    return 'Table'
  }
  return /^\d/.test(typeName) ? `_${typeName}` : typeName
}

/** The name as a property of an interface, quoted where it must be. */
export function toPropertyName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name)
}

/** What would end a line, be invisible, or change the order of what is seen. */
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]/gu

/** The text as a string literal. */
export function quote(text: string): string {
  return `'${escapeUnprintable(text.replace(/[\\']/g, String.raw`\$&`))}'`
}

/** The text without anything that a terminal or an editor would not show as it is. */
export function escapeUnprintable(text: string): string {
  return text.replace(UNPRINTABLE, escapeCharacter)
}

function escapeCharacter(character: string): string {
  return `\\u{${character.codePointAt(0)!.toString(16)}}`
}

/** Everything in a piece of TypeScript that looks like a name. */
export function namesIn(type: string): readonly string[] {
  return type.match(/[A-Za-z_$][\w$]*/g) ?? []
}
