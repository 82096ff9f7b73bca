import { Problem } from '../problem.ts'

/** Nobody is signed in, or not in a way that works. Its remediation says what to do about it. */
export class AuthError extends Problem {
  override name = 'AuthError'
}
