import { Problem, type ProblemCode, type ProblemFacts } from '../problem.ts'
import type { CachedAccount } from './cached-accounts.ts'

export interface NewSignIn {
  /** What conditional access asks of it, a JSON text. */
  claims?: string | undefined
  /** The account whose cached sign-in is of no use any more. */
  insteadOf?: CachedAccount | undefined
}

/** Nobody is signed in, or not in a way that works. Its remediation says what to do about it. */
export class AuthError extends Problem {
  override name = 'AuthError'
  /** There where a person who signs in anew mends it. */
  readonly person: NewSignIn | undefined

  constructor(
    code: ProblemCode,
    message: string,
    remediation: string,
    facts: ProblemFacts & { person?: NewSignIn | undefined } = {},
  ) {
    super(code, message, remediation, facts)
    this.person = facts.person
  }
}
