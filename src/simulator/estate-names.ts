/**
 * The things of an estate by their names, as an author refers to them: by name, by group and name, by ARM id. What is read
 * here may be no good yet: an estate's faults are all told at once, so names are looked up beside a schema's faults.
 */
import { type Fields, fields, text } from '../backup/fields.ts'
import { vaultIdOf } from './finding.ts'
import { keyOf } from './state.ts'

export interface Place {
  /** ARM id. */
  id: string
  subscriptionId: string
  group: string
  name: string
  /** JSON pointer. */
  at: string
  given: Fields
}

export type Places = ReadonlyMap<string, readonly Place[]>

/** Every object of a list with its JSON pointer. */
export const eachOf = (value: unknown, at: string): { at: string; given: Fields }[] =>
  (Array.isArray(value) ? value : []).map((given, index) => ({ at: `${at}/${index}`, given: fields(given) }))

const named = (value: unknown): string => text(value) ?? ''

/** The id of a subscription by its id or name; that of the first without one. Undefined where there is none such. */
export const subscriptionIdOf = (estate: Fields, given: unknown): string | undefined => {
  const rows = eachOf(estate.subscriptions, '').map(row => row.given)
  const wanted = text(given)?.toLowerCase()
  const found =
    wanted === undefined
      ? rows[0]
      : rows.find(({ id, name }) => named(id).toLowerCase() === wanted || named(name).toLowerCase() === wanted)
  return text(found?.id) ?? undefined
}

const armId =
  (type: string) =>
  (subscriptionId: string, group: string, name: string): string =>
    `/subscriptions/${subscriptionId}/resourceGroups/${group}/providers/${type}/${name}`

const idsOf = {
  virtual_machines: armId('Microsoft.Compute/virtualMachines'),
  storage_accounts: armId('Microsoft.Storage/storageAccounts'),
  virtual_networks: armId('Microsoft.Network/virtualNetworks'),
  vaults: vaultIdOf,
} as const

export type Kind = keyof typeof idsOf
export const kinds = Object.keys(idsOf) as Kind[]

/** All of one kind, in their order; those in an unknown subscription are left out. */
export const placesOf = (estate: Fields, kind: Kind): Place[] =>
  eachOf(estate[kind], `/${kind}`).flatMap(({ at, given }) => {
    const subscriptionId = subscriptionIdOf(estate, given.subscription)
    const group = named(given.resource_group)
    const name = named(given.name)
    return subscriptionId === undefined
      ? []
      : [{ id: idsOf[kind](subscriptionId, group, name), subscriptionId, group, name, at, given }]
  })

export const byName = (places: readonly Place[]): Places => {
  const found = new Map<string, Place[]>()
  for (const place of places)
    for (const key of [place.id, keyOf(place.group, place.name), place.name]) {
      const under = found.get(key.toLowerCase())
      if (under) under.push(place)
      else found.set(key.toLowerCase(), [place])
    }
  return found
}

/** What a reference means: of several in different subscriptions the one near by. More than one: it is not clear. */
export const meant = (places: Places, ref: unknown, nearSubscription?: string): readonly Place[] => {
  const all = places.get(named(ref).toLowerCase()) ?? []
  const near = all.filter(({ subscriptionId }) => subscriptionId === nearSubscription)
  return near.length > 0 ? near : all
}
