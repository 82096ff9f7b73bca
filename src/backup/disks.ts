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

/** The disks of an item, or of a PUT, in words: "all disks but the data disks at LUN 0 and 1". */
export const disksInWords = (properties: Fields): string => {
  const { diskLunList, isInclusionList } = fields(fields(properties.extendedProperties).diskExclusionProperties)
  const luns = (Array.isArray(diskLunList) ? diskLunList : []).map(number).filter(lun => lun !== null)
  const sorted = joined(
    luns.sort((a, b) => a - b).map(lun => `${lun}`),
    ', ',
  )
  if (flag(isInclusionList) === true) return luns.length > 0 ? `the OS disk and LUN ${sorted}` : 'the OS disk only'
  return luns.length > 0 ? `all disks but LUN ${sorted}` : 'all disks'
}
