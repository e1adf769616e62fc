import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** To the projects that test/harness.ts is for. */
    remote: boolean
    tarball: string
  }
}

/** The path of the package, packed once for all tests by pack.ts. */
export const tarball = inject('tarball')
