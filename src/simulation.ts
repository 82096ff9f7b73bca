/** The simulated Azure in this process: its files are files here, its clock runs by this machine's. */
import fs from 'node:fs/promises'
import path from 'node:path'
import { replaceFile } from './arm/recordings.ts'
import type { SimulationFlags } from './cli/runtime-types.ts'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import { type Simulation, startSimulation } from './simulator/start.ts'

/** Paths in the flags are relative to `cwd`. Throws ConfigError for a file that cannot be used. */
export const openSimulation = (
  { timeScale, seed, state }: SimulationFlags,
  { cwd, clock, log }: { cwd: string; clock: Clock; log: Log },
): Promise<Simulation> =>
  startSimulation(
    {
      timeScale,
      ...(seed !== undefined && { seed: path.resolve(cwd, seed) }),
      ...(state !== undefined && { state: path.resolve(cwd, state) }),
    },
    {
      ...clock,
      readFile: file => fs.readFile(file, 'utf8'),
      replaceFile: (file, text) => replaceFile(file, text, fs),
      onFault: error => log('error', `the state of the simulated Azure was not saved: ${String(error)}`),
    },
  )
