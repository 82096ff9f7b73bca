/** A fault as Azure words it in jobs and in the health of items, and what to do about it. */
import { remediationOf } from '../arm/error-codes.ts'
import { texts } from './fields.ts'

export interface Fault {
  /** A word or a number; agents give none. */
  code: string | null
  title: string | null
  message: string
  recommendations: string[]
  /** Ours. Null where Azure's recommendations have to do. */
  remediation: string | null
}

/** A fault of its parts as Azure gives them; a title stands in for a message that is not there. */
export const faultOf = (
  code: string | null,
  title: string | null,
  message: string | null,
  recommendations: unknown,
): Fault => ({
  code,
  title,
  message: message ?? title ?? '',
  recommendations: texts(recommendations),
  remediation: remediationOf(code, title),
})
