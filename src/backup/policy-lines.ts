/**
 * Policies in words: "weekly Saturday 22:00 UTC; keep 12 weeks on Saturday, 24 months on first Saturday; instant restore
 * 5 days; archive after 3 months". A policy of VMs, shares, servers or Azure SQL is one part; those of databases have a
 * part per backup type, each with schedule, retention and tiers of its own. Parts differ by the fields they have only.
 */
import { type Fields, fields, list, text, whole } from './fields.ts'
import { joined, plural } from './phrases.ts'
import { named } from './policy-enums.ts'
import { keptFor, rhythmOf, scheduleLine, tiersOf } from './policy-terms.ts'

/** `CopyOnlyFull` as people write it: "copy only full". */
const nameOf = (backupType: string): string => backupType.replace(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()

/** A policy of one part, or one of those of a database's: only these have a name. */
const partOf = (part: Fields, name: string | null) => {
  const vaulted = fields(part.vaultRetentionPolicy)
  const instantDays =
    whole(part.instantRpRetentionRangeInDays) ??
    whole(fields(part.snapshotBackupAdditionalDetails).instantRpRetentionRangeInDays)
  const snapshotDays = whole(vaulted.snapshotRetentionInDays)
  const tiers = tiersOf(part.tieringPolicy)
  const kept = keptFor(vaulted.vaultRetention) ?? keptFor(part.retentionPolicy)
  const rest = [
    instantDays === null ? null : `instant restore ${plural(instantDays, 'days')}`,
    snapshotDays === null ? null : `snapshots ${plural(snapshotDays, 'days')}`,
    ...tiers.filter(({ moves }) => moves).map(({ words }) => words),
  ]
  const all = [kept, ...rest].filter(words => words !== null)
  return {
    name,
    rhythm: rhythmOf(part.schedulePolicy),
    isKept: kept !== null,
    retention: all.length > 0 ? all : ['no retention'],
    tiering: tiers.map(({ words }) => words).join(', ') || null,
    snapshotDays: instantDays ?? snapshotDays,
  }
}
type Part = ReturnType<typeof partOf>

/** Schedules of all parts in a line: "full weekly Sunday 03:00 UTC; differential Monday 12:00; log every 15 minutes". */
const allSchedules = (parts: readonly Part[], zone: string | null): string => {
  const zoned = parts.find(({ rhythm }) => rhythm.days || rhythm.times)
  const weekly = parts.find(({ rhythm }) => rhythm.rhythm === 'weekly')
  return parts
    .map(part => {
      const isSaid = part !== weekly && part.rhythm.rhythm === 'weekly' && part.rhythm.days !== ''
      const rhythm = isSaid ? { ...part.rhythm, rhythm: '' } : part.rhythm
      return joined([part.name, scheduleLine(rhythm, part === zoned ? zone : null)], ' ')
    })
    .join('; ')
}

export interface PolicyLines {
  /** Schedule and retention as one line. */
  summary: string
  schedule: string
  retention: string
  tiering: string | null
  timeZone: string | null
  /** Days that snapshots are kept for instant restore. */
  snapshotDays: number | null
  /** Of a database's policy, in Azure's order; none for other policies. */
  parts: { backup_type: string | null; schedule: string; retention: string; tiering: string | null }[]
}

/** A policy's `properties` in words. Shapes: section 5 of the wire facts; ProtectionPolicy of the definitions. */
export const policyLines = (properties: Fields): PolicyLines => {
  const timeZone = text(properties.timeZone) ?? text(fields(properties.settings).timeZone)
  const own = list(properties.subProtectionPolicy).map(raw => {
    const backupType = named(raw.policyType, 'backupType')
    return { backupType, ...partOf(raw, nameOf(backupType ?? 'backup')) }
  })
  const parts = own.length > 0 ? own : [partOf(properties, null)]
  const schedule = allSchedules(parts, timeZone)
  // Commas inside a part where semicolons divide the parts.
  const retention = parts
    .map(part => joined([part.name, part.retention.join(own.length > 0 ? ', ' : '; ')], ' '))
    .join('; ')
  const tiers = parts.filter(({ tiering }) => tiering !== null)
  return {
    summary: `${schedule}; ${parts.some(({ isKept }) => isKept) ? 'keep ' : ''}${retention}`,
    schedule,
    retention,
    tiering: tiers.map(({ name, tiering }) => joined([name, tiering], ' ')).join('; ') || null,
    timeZone,
    snapshotDays: parts.map(part => part.snapshotDays).find(days => days !== null) ?? null,
    parts: own.map(part => ({
      backup_type: part.backupType,
      schedule: scheduleLine(part.rhythm, timeZone),
      retention: part.retention.join('; '),
      tiering: part.tiering,
    })),
  }
}
