import type { LoadedConfig } from '../config/types.ts'
import { programName } from './options.ts'

/** Warnings, one line each, for stderr. */
export const warningLines = ({ warnings }: LoadedConfig): string =>
  warnings.map(warning => `${programName}: warning: ${warning}\n`).join('')

/** Every fault in one line for stderr; empty where there is none. */
export const faultLine = ({ faults }: LoadedConfig): string =>
  faults.length === 0 ? '' : `${programName}: bad configuration: ${faults.join(' ')}\n`
