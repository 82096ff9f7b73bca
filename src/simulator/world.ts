/** The state with what moves it: ids from the seed, and things that happen at their time. */
import type { VirtualClock } from './clock.ts'
import type { Due, State } from './state.ts'
import type { TokenCheck } from './token-check.ts'

/** What happens at its time, by `Due.kind`. */
export type Effects = Readonly<Record<string, (world: World, due: Due) => void>>

export interface World {
  readonly state: State
  readonly clock: VirtualClock
  /** Looks at tokens that the seed does not name; there where the seed names the keys of a sign-in service. */
  readonly checkToken: TokenCheck | undefined
  /** A GUID that follows from the seed and how many came before. */
  newGuid(): string
  /** Digits, more than a JavaScript number holds. */
  newPointId(): string
  /** A number from 0 to below 1 that follows from the seed and these words, whenever it is asked for. */
  chance(...words: (string | number)[]): number
  /** Lets something happen at its time. */
  schedule(due: Omit<Due, 'order'>): void
  /** Takes back what was scheduled for one thing. */
  unschedule(kind: string, vault: string, of: string): void
  /** Lets everything happen that is due by now. */
  settle(): void
}

/** Mixes words into 32 bits (FNV-1a with a last avalanche): quick, and the same everywhere. */
const mixed = (text: string): number => {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
const hex = (text: string): string => mixed(text).toString(16).padStart(8, '0')

const isBefore = (a: Due, b: Due): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)

/** A binary heap in an array, so that it is saved as it is. */
const push = (heap: Due[], due: Due): void => {
  let at = heap.push(due) - 1
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!isBefore(due, heap[parent] as Due)) break
    heap[at] = heap[parent] as Due
    at = parent
  }
  heap[at] = due
}

const pop = (heap: Due[]): Due | undefined => {
  const first = heap[0]
  const last = heap.pop()
  if (!first || !last || heap.length === 0) return first
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child++
    if (!isBefore(heap[child] as Due, last)) break
    heap[at] = heap[child] as Due
    at = child
  }
  heap[at] = last
  return first
}

export const createWorld = (state: State, clock: VirtualClock, effects: Effects, checkToken?: TokenCheck): World => {
  const world: World = {
    state,
    clock,
    checkToken,
    newGuid: () => {
      const from = `${state.seed}:${state.idsMade++}`
      const digits = ['a', 'b', 'c', 'd'].map(part => hex(`${part}:${from}`)).join('')
      return digits.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
    },
    newPointId: () => {
      const from = `${state.seed}:${state.pointsMade++}`
      const digits = String(mixed(`p:${from}`)).padStart(10, '0') + String(mixed(`q:${from}`)).padStart(10, '0')
      return `2${digits.slice(-18)}`
    },
    chance: (...words) => mixed(`${state.seed}:${words.join(':')}`) / 2 ** 32,
    schedule: due => push(state.due, { ...due, order: state.duesMade++ }),
    unschedule: (kind, vault, of) => {
      const left = state.due.filter(due => due.kind !== kind || due.vault !== vault || due.of !== of)
      state.due.length = 0
      for (const due of left) push(state.due, due)
    },
    settle: () => {
      const nowMs = clock.now()
      for (let first = state.due[0]; first && first.atMs <= nowMs; first = state.due[0]) {
        const due = pop(state.due) as Due
        state.nowMs = Math.max(state.nowMs, due.atMs)
        const effect = effects[due.kind]
        if (!effect) throw new Error(`nothing is known to happen as "${due.kind}"`)
        effect(world, due)
      }
      state.nowMs = Math.max(state.nowMs, nowMs)
    },
  }
  return world
}
