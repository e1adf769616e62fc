import { afterEach, beforeEach } from 'vitest'

const { Function: OriginalFunction, eval: originalEval } = globalThis

/**
 * Makes code from strings an error in the tests of a file. Production refuses it while it handles a
 * request; this test runner allows it.
 */
export function refuseCodeGeneration(): void {
  beforeEach(() => {
    const refuse = (): never => {
      throw new EvalError('Code generation from strings disallowed for this context')
    }
    const refusing = new Proxy(OriginalFunction, { apply: refuse, construct: refuse })
    Object.assign(globalThis, { Function: refusing, eval: refuse })
    OriginalFunction.prototype.constructor = refusing
  })

  afterEach(() => {
    OriginalFunction.prototype.constructor = OriginalFunction
    Object.assign(globalThis, { Function: OriginalFunction, eval: originalEval })
  })
}
