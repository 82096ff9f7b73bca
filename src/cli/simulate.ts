import { toSimulate, type Values } from './options.ts'
import type { CliIo } from './runtime-types.ts'

/** `simulate`: says where it listens, then runs until it is told to end. */
export const simulateCommand = async (values: Values, io: CliIo): Promise<number> => {
  const { close, ...place } = await io.simulate(toSimulate(values))
  try {
    await io.stdout(`${JSON.stringify(place)}\n`)
    await Promise.race([aborted(io.signal), ...(values['until-stdin-closes'] === true ? [io.stdinClosed()] : [])])
  } finally {
    await close()
  }
  return 0
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
