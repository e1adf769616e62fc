import {
  type DeclarationReflection,
  type ParameterReflection,
  type ProjectReflection,
  ReflectionKind,
  type SignatureReflection,
} from 'typedoc'

/**
 * Removes the members that are documented elsewhere: those of an interface that another one extends, and
 * those that are there because Kysely, or JavaScript's `Error`, asks for them, and have no text here.
 */
export function hideInherited(project: ProjectReflection): void {
  const kinds = ReflectionKind.Method | ReflectionKind.Property | ReflectionKind.Accessor
  for (const member of project.getReflectionsByKind(kinds) as DeclarationReflection[]) {
    const declared = [member, ...(member.signatures ?? []), member.getSignature ?? member]
    const isAskedFor = declared.some(isOfAnotherPackage) && !declared.some(hasOwnComment)
    if (isAskedFor || member.inheritedFrom !== undefined) {
      project.removeReflection(member)
    }
  }
}

type Declared = DeclarationReflection | SignatureReflection

function isOfAnotherPackage({ implementationOf, overwrites }: Declared): boolean {
  const type = implementationOf ?? overwrites
  return type !== undefined && type.reflection === undefined
}

function hasOwnComment({ comment }: Declared): boolean {
  return comment !== undefined && comment.inheritedFromParentDeclaration !== true
}

/** A parameter that is taken apart has no name. It gets the last word of its type's. */
export function nameParameters(project: ProjectReflection): void {
  for (const parameter of project.getReflectionsByKind(ReflectionKind.Parameter)) {
    const { type } = parameter as ParameterReflection
    if (parameter.name === '__namedParameters' && type?.type === 'reference') {
      parameter.name = /[A-Z][a-z]+$/.exec(type.name)?.[0].toLowerCase() ?? parameter.name
    }
  }
}

const KINDS = [
  ReflectionKind.Class,
  ReflectionKind.Function,
  ReflectionKind.Variable,
  ReflectionKind.Interface,
  ReflectionKind.TypeAlias,
  ReflectionKind.Reference,
]

/** What has a value comes first. Not by TypeDoc, which sorts names as the locale does. */
export function sortExports({ children = [] }: ProjectReflection): void {
  for (const entry of children) {
    entry.children?.sort((a, b) =>
      a.kind === b.kind
        ? a.name < b.name
          ? -1
          : 1
        : KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind),
    )
  }
}

/** The exported functions and classes whose docstring has no example. */
export function withoutExample(project: ProjectReflection): string[] {
  const exported = project.getReflectionsByKind(ReflectionKind.Function | ReflectionKind.Class)
  return (exported as DeclarationReflection[])
    .filter(({ comment, signatures }) =>
      [comment, ...(signatures ?? []).map((signature) => signature.comment)].every(
        (found) => found?.summary.some(({ kind, text }) => isExample(kind, text)) !== true,
      ),
    )
    .map((reflection) => reflection.getFriendlyFullName())
}

function isExample(kind: string, text: string): boolean {
  return kind === 'code' && text.startsWith('```ts')
}
