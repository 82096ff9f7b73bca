import { Problem } from '../problem.ts'

/** One thing that is wrong with the arguments. `path` is a JSON pointer, '' for the arguments as a whole. */
export interface Fault {
  path: string
  message: string
}

/** The JSON pointer (RFC 6901) to a property of the arguments, and the property that one leads to. */
export const pointerTo = (name: string): string => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
const nameAt = (path: string): string => path.slice(1).replaceAll('~1', '/').replaceAll('~0', '~')

/** Arguments that no call can be made of: every fault at once, before anything was sent to Azure. */
export class InputError extends Problem {
  override name = 'InputError'
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    const told = faults.map(({ path, message }) => (path === '' ? message : `${nameAt(path)}: ${message}`)).join('; ')
    super('invalid_arguments', told, 'Correct the named arguments and call again. Nothing was sent to Azure.', {
      details: { faults },
    })
    this.faults = faults
  }
}

/** The same for a single fault. */
export const badArgument = (name: string, message: string): InputError =>
  new InputError([{ path: name === '' ? '' : `/${name}`, message }])

/** Runs every check and throws one InputError with the faults of all that found some. */
export const checkAll = (...checks: (() => unknown)[]): void => {
  const faults = checks.flatMap(check => {
    try {
      check()
      return []
    } catch (error) {
      if (error instanceof InputError) return error.faults
      throw error
    }
  })
  if (faults.length > 0) throw new InputError(faults)
}
