/**
 * Which data disks of a VM its backups take (section 6.1 of the wire facts). A PUT without `extendedProperties` takes all of
 * them again, so whoever changes something else sends what the item has.
 */
import { badArgument } from '../tools/input-error.ts'
import { type Fields, fields, flag, number } from './fields.ts'
import { joined } from './phrases.ts'

export interface DiskInput {
  exclude_disk_luns?: number[]
  include_disk_luns?: number[]
}

/** Throws InputError where both are given. */
export const checkDisks = ({ exclude_disk_luns: exclude, include_disk_luns: include }: DiskInput): void => {
  if (exclude && include) throw badArgument('include_disk_luns', 'cannot be given with exclude_disk_luns; choose one')
}

/** `diskExclusionProperties`; null for all disks, undefined where nothing was asked for. */
const asked = ({ exclude_disk_luns: exclude, include_disk_luns: include }: DiskInput): Fields | null | undefined => {
  if (include) return { diskLunList: include, isInclusionList: true }
  if (exclude) return exclude.length > 0 ? { diskLunList: exclude, isInclusionList: false } : null
  return undefined
}

/** The part of a PUT that says which disks: those that were asked for, else those that the item has. */
export const diskProperties = (item: Fields, input: DiskInput = {}): Fields => {
  const { diskExclusionProperties: present, ...others } = fields(item.extendedProperties)
  const wanted = asked(input)
  const exclusion = wanted === undefined ? present : wanted
  const extendedProperties = { ...others, ...(exclusion ? { diskExclusionProperties: exclusion } : {}) }
  return Object.keys(extendedProperties).length > 0 ? { extendedProperties } : {}
}

/** The data disks that are named, and whether those are taken or left out. */
const choiceOf = (properties: Fields): { luns: number[]; isInclusion: boolean } => {
  const { diskLunList, isInclusionList } = fields(fields(properties.extendedProperties).diskExclusionProperties)
  const luns = (Array.isArray(diskLunList) ? diskLunList : []).map(number).filter(lun => lun !== null)
  return { luns: luns.sort((a, b) => a - b), isInclusion: flag(isInclusionList) === true }
}

const inWords = (luns: readonly number[]): string =>
  joined(
    luns.map(lun => `${lun}`),
    ', ',
  )

/** The disks of an item, or of a PUT, in words: "all disks but LUN 0, 1". */
export const disksInWords = (properties: Fields): string => {
  const { luns, isInclusion } = choiceOf(properties)
  if (isInclusion) return luns.length > 0 ? `the OS disk and LUN ${inWords(luns)}` : 'the OS disk only'
  return luns.length > 0 ? `all disks but LUN ${inWords(luns)}` : 'all disks'
}

/** The disks that backups took and take no more, in words: "LUN 1"; undefined where there are none. */
export const disksLeftOut = (before: Fields, after: Fields): string | undefined => {
  const [was, is] = [choiceOf(before), choiceOf(after)]
  if (!was.isInclusion && is.isInclusion) {
    const others = [...new Set([...was.luns, ...is.luns])].sort((a, b) => a - b)
    return others.length > 0 ? `all data disks but LUN ${inWords(others)}` : 'all data disks'
  }
  // Of two lists of one kind, and of taken disks that are left out, all that are concerned are named.
  const named = was.isInclusion ? was.luns : is.luns
  const isGone = (lun: number) => (was.isInclusion ? is.luns.includes(lun) !== is.isInclusion : !was.luns.includes(lun))
  const gone = named.filter(isGone)
  return gone.length > 0 ? `LUN ${inWords(gone)}` : undefined
}
