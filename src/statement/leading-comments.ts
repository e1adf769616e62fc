const LEADING_COMMENTS = /^(?:\s|;|--[^\n]*\n|\/\*[^]*?\*\/)+/

/** The statement from its first keyword on: without the white space and comments before it. */
export function withoutLeadingComments(statement: string): string {
  return statement.replace(LEADING_COMMENTS, '')
}
