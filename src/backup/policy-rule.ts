/** What a rule of policies is, and what rules ask of a part. */
import { clockOf, type PolicyPart, type Term } from './policy-parts.ts'

export interface Rule {
  applies: (part: PolicyPart) => boolean
  /** The places that break it, in the words of a policy and as seen from the part; after a `/`, as seen from the policy. */
  check: (part: PolicyPart, parts: readonly PolicyPart[]) => readonly (string | false)[]
  message: string | ((part: PolicyPart, parts: readonly PolicyPart[], place: string) => string)
  /** [D]: general product knowledge; [I]: reported by users; [S]: published. */
  source: 'D' | 'I' | 'S'
}

export type Range = readonly [least: number, most: number]

export const isIn = ([least, most]: Range, amount: number | null | undefined): boolean =>
  Number.isInteger(amount) && Number(amount) >= least && Number(amount) <= most
export const range = ([least, most]: Range): string => (least === most ? `${least}` : `${least} to ${most}`)
export const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && new Set([...a, ...b]).size === new Set(a).size
export const isHalfHour = (time: string | undefined): boolean => /^([01]\d|2[0-3]):(00|30)$/.test(clockOf(time ?? ''))

export const isVm = ({ workload }: PolicyPart): boolean => workload === 'VM'
/** Kept by days, weeks, months and years: all parts but those between full backups. */
export const isLongTerm = ({ backupType, workload }: PolicyPart): boolean =>
  workload !== undefined && (backupType === null || backupType === 'Full')
export const isBetween = ({ backupType }: PolicyPart): boolean =>
  backupType === 'Differential' || backupType === 'Incremental'
export const isLog = ({ backupType }: PolicyPart): boolean => backupType === 'Log'

const runs = (frequency: string) => (part: PolicyPart) => isLongTerm(part) && part.schedule.frequency === frequency
export const runsDaily = runs('Daily')
export const runsWeekly = runs('Weekly')
export const runsHourly = runs('Hourly')
/** Runs at times of day. */
export const isClocked = (part: PolicyPart): boolean =>
  runsWeekly(part) || runsDaily(part) || (isBetween(part) && part.schedule.frequency !== null)

export const has = ({ terms }: PolicyPart, name: Term['name']): boolean => terms.some(term => term.name === name)
/** The terms that name days of a month. */
export const byMonth = ({ terms }: PolicyPart): Term[] =>
  terms.filter(({ name }) => name === 'monthly' || name === 'yearly')
/** The places of the terms that are broken, or of a word of each. */
export const inTerms = (terms: readonly Term[], word: string, isBroken: (term: Term) => boolean): string[] =>
  terms.filter(isBroken).map(({ name }) => `retention/${name}${word && `/${word}`}`)
