/** Rules of retentions by days, weeks, months and years (section 5.6 of the wire facts). */
import { and } from './phrases.ts'
import { clockOf, type PolicyPart, type Term } from './policy-parts.ts'
import {
  byMonth,
  has,
  inTerms,
  isIn,
  isLongTerm,
  isSameSet,
  type Range,
  type Rule,
  range,
  runsDaily,
  runsWeekly,
} from './policy-rule.ts'

type Limits = Readonly<Record<Term['name'], Range>>
const vaultLimits: Limits = { daily: [7, 9999], weekly: [1, 5163], monthly: [1, 1188], yearly: [1, 99] }
const snapshotLimits: Limits = { daily: [1, 200], weekly: [1, 200], monthly: [1, 120], yearly: [1, 10] }
const limitsOf = ({ isSnapshot }: PolicyPart): Limits => (isSnapshot ? snapshotLimits : vaultLimits)

const termAt = ({ terms }: PolicyPart, place: string): Term | undefined =>
  terms.find(({ name }) => place.startsWith(`retention/${name}`))

export const retentionRules: readonly Rule[] = [
  {
    applies: part => runsDaily(part) || runsWeekly(part),
    check: ({ terms, schedule }) => inTerms(terms, '', ({ times }) => !isSameSet(times, schedule.times.map(clockOf))),
    message: 'must have the run times of the schedule as its retention times',
    source: 'D',
  },
  {
    applies: part => isLongTerm(part) && !runsWeekly(part),
    check: part => [!has(part, 'daily') && 'retention/daily'],
    message: 'is needed: what does not run weekly is kept by days',
    source: 'D',
  },
  {
    applies: runsWeekly,
    check: part => [has(part, 'daily') && 'retention/daily'],
    message: 'must be left out: what runs weekly is kept by weeks, not by days',
    source: 'D',
  },
  {
    applies: runsWeekly,
    check: part => [!has(part, 'weekly') && 'retention/weekly'],
    message: 'is needed: what runs weekly is kept by weeks',
    source: 'D',
  },
  {
    applies: part => runsWeekly(part) && part.schedule.days.length > 0,
    check: ({ terms, schedule }) =>
      inTerms(terms, 'days', ({ name, days }) => name === 'weekly' && !isSameSet(days, schedule.days)),
    message: ({ schedule }) => `must be the days of the schedule: ${and(schedule.days)}`,
    source: 'D',
  },
  {
    applies: part => isLongTerm(part) && !runsWeekly(part),
    check: ({ terms }) => inTerms(terms, 'days', ({ name, days }) => name === 'weekly' && days.length === 0),
    message: 'is needed: the day whose backup is kept for weeks',
    source: 'D',
  },
  {
    applies: isLongTerm,
    check: ({ terms }) => inTerms(terms, 'months', ({ name, months }) => name === 'yearly' && months.length === 0),
    message: 'is needed: the months whose backup is kept for years',
    source: 'D',
  },
  {
    applies: isLongTerm,
    check: part => inTerms(byMonth(part), '', ({ format }) => format !== 'Daily' && format !== 'Weekly'),
    message: 'must say the day: days, or week and weekday',
    source: 'S',
  },
  {
    applies: isLongTerm,
    check: part => inTerms(byMonth(part), 'days', ({ format, dates }) => format === 'Daily' && dates === 0),
    message: 'must name a day, 1 to 28 or last',
    source: 'S',
  },
  {
    applies: runsWeekly,
    check: part => inTerms(byMonth(part), 'days', ({ format, dates }) => format === 'Daily' && dates > 0),
    message: 'are for what runs daily; say week and weekday instead',
    source: 'D',
  },
  {
    applies: isLongTerm,
    check: part => inTerms(byMonth(part), 'week', ({ format, weeks }) => format === 'Weekly' && weeks.length === 0),
    message: 'is needed with weekday: First to Fourth, or Last',
    source: 'S',
  },
  {
    applies: isLongTerm,
    check: part =>
      inTerms(byMonth(part), 'weekday', ({ format, weekdays }) => format === 'Weekly' && weekdays.length === 0),
    message: 'is needed with week',
    source: 'S',
  },
  {
    applies: runsWeekly,
    check: part =>
      inTerms(
        byMonth(part),
        'weekday',
        ({ format, weekdays }) => format === 'Weekly' && weekdays.some(day => !part.schedule.days.includes(day)),
      ),
    message: ({ schedule }) => `must be a day of the schedule: ${and(schedule.days)}`,
    source: 'D',
  },
  {
    applies: isLongTerm,
    check: ({ terms }) =>
      inTerms(terms, '', ({ given, unit }) => given !== undefined && given.unit.toLowerCase() !== unit),
    message: (part, _, place) => `must count in ${termAt(part, place)?.unit}`,
    source: 'D',
  },
  {
    applies: isLongTerm,
    check: part =>
      part.terms
        .filter(({ name, given }) => !isIn(limitsOf(part)[name], given?.count))
        .map(({ name, unit }) => `retention/${name}/${unit}`),
    message: (part, _, place) => {
      const term = termAt(part, place)
      return `must be ${term ? range(limitsOf(part)[term.name]) : 'within limits'}`
    },
    source: 'D',
  },
]
