import {
  type DeclarationReflection,
  type PageDefinition,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
  type RouterTarget,
} from 'typedoc'
import { ModuleRouter } from 'typedoc-plugin-markdown'

/**
 * Whether it has a heading of its own: what a module exports, and the methods of that. Everything else
 * is in a list below one.
 */
function hasHeading({ kind, parent }: Reflection): boolean {
  return (
    parent?.kind === ReflectionKind.Module ||
    (kind === ReflectionKind.Method && parent?.parent?.kind === ReflectionKind.Module)
  )
}

/** No other of the page is the same, so that links do not depend on the order of the page. */
export function headingOf(reflection: Reflection): string {
  const { kind, name, parent } = reflection
  const call = (reflection as DeclarationReflection).signatures === undefined ? '' : '()'
  return kind === ReflectionKind.Method ? `${parent!.name}.${name}${call}` : `${name}${call}`
}

/** One page a module, and anchors as GitHub makes them of the headings. */
export class ReferenceRouter extends ModuleRouter {
  override buildPages(project: ProjectReflection): PageDefinition[] {
    const pages = super.buildPages(project)
    const uses = new Map<string, number>()
    for (const target of this.anchors.keys()) {
      const titled = headed(target as Reflection)
      if (titled !== target) {
        this.#moveTo(target, this.anchors.get(titled)!)
        continue
      }
      const anchor = slug(headingOf(titled))
      const page = this.fullUrls.get(target)!.replace(/#.*/, '')
      const used = uses.get(`${page}#${anchor}`) ?? 0
      uses.set(`${page}#${anchor}`, used + 1)
      this.#moveTo(target, used === 0 ? anchor : `${anchor}-${used}`)
    }
    return pages
  }

  #moveTo(target: RouterTarget, anchor: string): void {
    this.anchors.set(target, anchor)
    this.fullUrls.set(target, this.fullUrls.get(target)!.replace(/#.*/, `#${anchor}`))
  }
}

/** The reflection, or the one that it is listed below. */
function headed(reflection: Reflection): Reflection {
  return hasHeading(reflection) ? reflection : headed(reflection.parent!)
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}
