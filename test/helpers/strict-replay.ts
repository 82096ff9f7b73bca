/**
 * Replay for tests: the recorded exchanges have to be asked for exactly and in their order, and all of them. What a tool
 * sends is part of what it promises, so a request too many is a fault as one too few is.
 */
import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import path from 'node:path'
import { type Exchange, readRecordings } from '../../src/arm/recordings.ts'
import { answerOf, liveSide, recordedSide, score } from '../../src/arm/replay.ts'
import { scrubbed } from '../../src/arm/scrub.ts'
import type { ArmRequest, Send } from '../../src/arm/send.ts'
import { sentFaults } from './definitions.ts'

/** The folder of the project's own fixtures. */
export const fixtures = path.resolve(import.meta.dirname, '../../../fixtures')

const fits = (request: ArmRequest, { request: recorded }: Exchange): boolean => {
  const [live, past] = [liveSide(request), recordedSide(recorded)]
  const counted = [...past.query.values()].filter(value => value !== scrubbed).length
  return live.key === past.key && score(live, past) === counted + 1
}

const describe = ({ method, url, body }: { method: string; url: string; body?: unknown }): string =>
  `${method} ${url}${body ? ` ${typeof body === 'string' ? body : JSON.stringify(body)}` : ''}`

const nearest = (request: ArmRequest, exchanges: readonly Exchange[]): string => {
  const live = liveSide(request)
  const ranked = exchanges
    .map(exchange => {
      const past = recordedSide(exchange.request)
      const words = new Set(past.key.split(/[/ ;]/))
      const shared = live.key.split(/[/ ;]/).filter(word => words.has(word)).length
      return { exchange, points: past.key === live.key ? 1000 + score(live, past) : shared }
    })
    .sort((a, b) => b.points - a.points)
  return ranked[0] ? describe(ranked[0].exchange.request) : 'none'
}

export interface StrictReplay {
  send: Send
  /** Throws if an exchange was not asked for, or a request was not expected (however its caller took the rejection). */
  done(): void
}

/** A strict replay of `exchanges`. */
export const strictly = (exchanges: readonly Exchange[]): StrictReplay => {
  let next = 0
  let unexpected: Error | undefined
  return {
    send: async (request, signal) => {
      signal.throwIfAborted()
      const exchange = exchanges[next]
      if (exchange && fits(request, exchange)) {
        next++
        return answerOf(exchange)
      }
      unexpected ??= new assert.AssertionError({
        message: [
          `unexpected request: ${describe(request)}`,
          `expected next:      ${exchange ? describe(exchange.request) : 'nothing more'}`,
          `nearest:            ${nearest(request, exchanges)}`,
        ].join('\n'),
      })
      throw unexpected
    },
    done: () => {
      if (unexpected) throw unexpected
      assert.deepEqual(
        exchanges.slice(next).map(({ request }) => describe(request)),
        [],
        'exchanges nobody asked for',
      )
    },
  }
}

/**
 * A strict replay of one of the project's fixtures, e.g. `jobs/get-failed`, that is checked when the test ends: for what was
 * asked and what was not, and that Azure defines all of it.
 */
export const strictReplay = async (t: { teardown(check: () => void): unknown }, name: string): Promise<Send> => {
  const recordings = await readRecordings(path.join(fixtures, `${name}.json`), fs)
  const replay = strictly(recordings.flatMap(({ exchanges }) => exchanges))
  const faults: string[] = []
  t.teardown(() => {
    replay.done()
    if (faults.length > 0) throw new assert.AssertionError({ message: faults.join('\n') })
  })
  return (request, signal) => {
    faults.push(...sentFaults(request.method, request.url, request.body))
    return replay.send(request, signal)
  }
}
