import { Problem } from '../problem.ts'

/** One thing that is wrong with the arguments. `path` is a JSON pointer, '' for the arguments as a whole. */
export interface Fault {
  path: string
  message: string
}

/** Arguments that no call can be made of: every fault at once, before anything was sent to Azure. */
export class InputError extends Problem {
  override name = 'InputError'

  constructor(faults: readonly Fault[]) {
    const told = faults.map(({ path, message }) => (path === '' ? message : `${path.slice(1)}: ${message}`)).join('; ')
    super('invalid_arguments', told, 'Correct the named arguments and call again. Nothing was sent to Azure.', {
      details: { faults },
    })
  }
}

/** The same for a single fault. */
export const badArgument = (name: string, message: string): InputError =>
  new InputError([{ path: name === '' ? '' : `/${name}`, message }])
