/** What is wrong with the words of a policy before any rule of Azure's: parts that are missing, or that it cannot have. */
import type { Fault } from '../tools/input-error.ts'
import { datasources, type Workload } from './datasources.ts'
import { and } from './phrases.ts'
import type { PartWords, RetentionWords, ScheduleWords } from './policy-body.ts'
import type { PolicyParts } from './policy-words.ts'
import { nearestZone, windowsZone } from './time-zones.ts'

const databases: readonly Workload[] = ['SQL', 'SAPHana', 'SAPAse']

/** The workloads that have a part, and where others find the like of it. */
const owners: readonly [part: keyof PolicyParts, workloads: readonly Workload[], instead?: string][] = [
  ['policy_type', ['VM']],
  ['schedule', ['VM', 'AzureFileShare'], 'put it in full'],
  ['retention', ['VM', 'AzureFileShare'], 'put it in full'],
  ['instant_restore_days', ['VM']],
  ['archive_after_days', ['VM', 'SQL', 'SAPHana']],
  ['full', databases, 'use schedule and retention'],
  ['differential', databases],
  ['incremental', databases],
  ['log', databases],
  ['compression', databases],
]

const lacking = (words: PolicyParts, workload: Workload): Fault[] =>
  owners
    .filter(([part, workloads]) => words[part] !== undefined && !workloads.includes(workload))
    .map(([part, , instead]) => ({
      path: `/${part}`,
      message: `is no part of a policy for ${datasources[workload].noun}s; ${instead ?? 'leave it out'}`,
    }))

/** What each part is made of. */
const members: Readonly<Record<'full' | 'differential' | 'incremental' | 'log', readonly (keyof PartWords)[]>> = {
  full: ['schedule', 'retention'],
  differential: ['schedule', 'retention_days'],
  incremental: ['schedule', 'retention_days'],
  log: ['frequency_minutes', 'retention_days'],
}
const partNames = ['full', 'differential', 'incremental', 'log'] as const

const ofParts = (words: PolicyParts): Fault[] =>
  partNames.flatMap(name => {
    const part = words[name]
    if (part === undefined) return []
    const known = members[name]
    const others = (Object.keys(part) as (keyof PartWords)[]).filter(member => !known.includes(member))
    return [
      ...known
        .filter(member => part[member] === undefined)
        .map(member => ({ path: `/${name}/${member}`, message: 'is needed' })),
      ...others.map(member => ({ path: `/${name}/${member}`, message: `is not in ${name}, which has ${and(known)}` })),
    ]
  })

const ofWhole = (words: PolicyParts, workload: Workload): Fault[] =>
  databases.includes(workload)
    ? []
    : (['schedule', 'retention'] as const)
        .filter(name => words[name] === undefined)
        .map(name => ({ path: `/${name}`, message: 'is needed, or a preset' }))

type Frequency = NonNullable<ScheduleWords['frequency']>
const scheduleWords: readonly [word: keyof ScheduleWords, frequencies: readonly Frequency[]][] = [
  ['times', ['daily', 'weekly']],
  ['days', ['weekly']],
  ['interval_hours', ['hourly']],
  ['window_start', ['hourly']],
  ['window_hours', ['hourly']],
]

const ofSchedule = (schedule: ScheduleWords, at: string): Fault[] => {
  const { frequency, time_zone: zone } = schedule
  const stray = scheduleWords
    .filter(([word, of]) => schedule[word] !== undefined && frequency !== undefined && !of.includes(frequency))
    .map(([word, of]) => ({
      path: `${at}/${word}`,
      message: `is for a schedule that is ${of.join(' or ')}, not ${frequency}; leave it out`,
    }))
  if (zone === undefined || windowsZone(zone) !== undefined) return stray
  const meant = nearestZone(zone)
  const message = `${JSON.stringify(zone.slice(0, 80))} is no time zone by IANA's or Windows' name${meant ? `; did you mean ${meant}?` : ''}`
  return [...stray, { path: `${at}/time_zone`, message }]
}

const isDate = (day: unknown): boolean =>
  day === 'last' || (Number.isInteger(day) && Number(day) >= 1 && Number(day) <= 28)

const ofRetention = ({ monthly, yearly }: RetentionWords, at: string): Fault[] =>
  Object.entries({ monthly, yearly }).flatMap(([name, term]) => {
    const path = `${at}/${name}/days`
    if (term?.days === undefined) return []
    const wrong = term.days.some(day => !isDate(day)) ? [{ path, message: 'must be 1 to 28 or last' }] : []
    const isTwice = term.week !== undefined || term.weekday !== undefined
    return isTwice ? [...wrong, { path, message: 'stands beside week and weekday; say one of them' }] : wrong
  })

/** A policy of databases has one zone for all of its parts. */
const ofZones = (words: PolicyParts): Fault[] => {
  const told = partNames.flatMap(name => {
    const zone = words[name]?.schedule?.time_zone
    return zone === undefined ? [] : [{ name, zone, windows: windowsZone(zone) }]
  })
  return told
    .filter(({ windows }) => windows !== undefined && windows !== told[0]?.windows)
    .map(({ name }) => ({
      path: `/${name}/schedule/time_zone`,
      message: `must be that of ${told[0]?.name}: a policy has one time zone`,
    }))
}

/** Every fault of the words by themselves, for a workload. */
export const wordFaults = (words: PolicyParts, workload: Workload): Fault[] => {
  const lacks = lacking(words, workload)
  const kept = Object.fromEntries(
    Object.entries(words).filter(([name]) => !lacks.some(({ path }) => path === `/${name}`)),
  ) as PolicyParts
  const places = [{ at: '', part: kept as PartWords }, ...partNames.map(name => ({ at: `/${name}`, part: kept[name] }))]
  return [
    ...lacks,
    ...ofWhole(kept, workload),
    ...ofParts(kept),
    ...places.flatMap(({ at, part }) => [
      ...(part?.schedule ? ofSchedule(part.schedule, `${at}/schedule`) : []),
      ...(part?.retention ? ofRetention(part.retention, `${at}/retention`) : []),
    ]),
    ...ofZones(kept),
  ]
}
