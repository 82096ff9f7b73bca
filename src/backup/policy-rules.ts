/**
 * What Azure refuses in a policy, as rows: what a rule is about, what breaks it and where, and from where the rule is known
 * (section 5.6 of the wire facts). Azure itself never says which rule was broken.
 */
import { sameText } from './arm-ids.ts'
import { type Fields, list, text } from './fields.ts'
import { partsOf, workloadOfPolicy } from './policy-parts.ts'
import { retentionRules } from './policy-retention-rules.ts'
import type { Rule } from './policy-rule.ts'
import { scheduleRules } from './policy-schedule-rules.ts'
import { workloadRules } from './policy-workload-rules.ts'

/** A rule that is broken, and where in the words of a policy: `full/retention/weekly/days`. */
export interface BrokenRule {
  place: string
  message: string
}

const rules: readonly Rule[] = [...scheduleRules, ...retentionRules, ...workloadRules]

const backupTypes = new Set(
  'Full Differential Log CopyOnlyFull Incremental SnapshotFull SnapshotCopyOnlyFull'.split(' '),
)
const isOfDatabases = ({ backupManagementType }: Fields): boolean =>
  sameText(text(backupManagementType), 'AzureWorkload')
const typesOf = ({ subProtectionPolicy }: Fields): string[] =>
  list(subProtectionPolicy).map(({ policyType }) => text(policyType) ?? '')

/** Rules of a policy as a whole. */
const wholeRules: readonly (BrokenRule & { isBroken: (properties: Fields) => boolean; source: Rule['source'] })[] = [
  {
    isBroken: properties => workloadOfPolicy(properties) === undefined,
    place: 'backupManagementType and workLoadType',
    message: 'must say a VM, an SQL, SAP HANA or SAP ASE database, or a file share',
    source: 'S',
  },
  {
    isBroken: properties =>
      isOfDatabases(properties) &&
      !typesOf(properties).includes('Full') &&
      !sameText(text(properties.workLoadType), 'SAPHanaDBInstance'),
    place: 'full',
    message: 'is needed, with schedule and retention',
    source: 'S',
  },
  {
    isBroken: properties => new Set(typesOf(properties)).size !== typesOf(properties).length,
    place: 'subProtectionPolicy',
    message: 'must have each policyType once',
    source: 'S',
  },
  {
    isBroken: properties => typesOf(properties).some(type => !backupTypes.has(type)),
    place: 'subProtectionPolicy policyType',
    message: `must be one of ${[...backupTypes].join(', ')}`,
    source: 'S',
  },
]

/** Every rule that a policy's `properties` break, each place once. Empty: Azure takes it, as far as is known. */
export const brokenRules = (properties: Fields): BrokenRule[] => {
  const parts = partsOf(properties)
  const ofParts = parts.flatMap(part =>
    rules.flatMap(({ applies, check, message }) =>
      applies(part)
        ? check(part, parts)
            .filter(place => place !== false)
            .map(place => ({
              place: place.startsWith('/') ? place.slice(1) : `${part.at}${place}`.replace(/\/$/, ''),
              message: typeof message === 'string' ? message : message(part, parts, place),
            }))
        : [],
    ),
  )
  const broken = [...wholeRules.filter(({ isBroken }) => isBroken(properties)), ...ofParts]
  const first = new Map(broken.toReversed().map(({ place, message }) => [place, message]))
  return [...first].reverse().map(([place, message]) => ({ place, message }))
}
