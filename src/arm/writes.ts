/**
 * Never twice. A change may be lost on its way, or its answer may; the two look alike. What was certainly not taken is
 * sent again. What may have been taken is looked for first: a POST by the evidence its tool knows (a job since the
 * moment of sending), anything else by reading what is there and comparing it with what was there before. A POST of
 * doubtful fate is never sent again; the others are, when nothing changed, because repeating them changes nothing.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../clock.ts'
import { Problem } from '../problem.ts'
import type { ArmReply, Standing, WriteOutcome, WriteRequest } from './arm.ts'
import { readBody } from './envelopes.ts'
import { type ArmError, type Asked, unreadableAnswer } from './errors.ts'
import { type Attempt, type Pace, settle } from './retry.ts'
import { type ArmResponse, SendError } from './send.ts'

export interface WritePorts {
  asked: Asked
  clock: Clock
  signal: AbortSignal
  pace: Pace
  /** One try; `onSend` is called when it leaves. */
  send(leftMs: number, onSend: () => void): Promise<ArmResponse>
  reply(response: ArmResponse): ArmReply
  /** What stands at the request's path now. Throws Problem where Azure cannot be asked. */
  read(): Promise<Standing>
  /** What Azure's clock shows now; undefined before its first answer. */
  azureNow(): Date | undefined
  /** A moment of the monotonic clock as Azure's clock showed it: Azure is asked where it has not told its time yet. */
  azureTime(monotonicMs: number): Promise<Date>
}

type Verdict = 'taken' | 'refused' | 'not_taken' | 'doubtful'

const sendVerdicts = {
  not_sent: 'not_taken',
  lost: 'doubtful',
  timeout: 'doubtful',
  no_recording: 'refused',
} as const satisfies Record<SendError['kind'], Verdict>

/**
 * What an attempt means for the change. Azure's 429, and 503 with a time to come back, say that it was not taken; other
 * failures of the server say nothing, nor does a success that nobody can read: that may be a proxy's page.
 */
function verdictOf(attempt: Attempt): Verdict {
  if (attempt instanceof SendError) return sendVerdicts[attempt.kind]
  const { status, headers, body } = attempt
  if (status < 300) return readBody(body).kind === 'unreadable' ? 'doubtful' : 'taken'
  if (status === 429 || (status === 503 && headers['retry-after'] !== undefined)) return 'not_taken'
  return status >= 500 || status === 408 ? 'doubtful' : 'refused'
}

/** Evidence may take a moment to appear: a triggered backup shows as a job within 6 s. */
const evidenceWaitsMs = [0, 3_000, 5_000]

/** Sends a change at most once in effect, and tells how it went. Throws ArmError where Azure refused it. */
export async function write(request: WriteRequest, ports: WritePorts): Promise<WriteOutcome> {
  const { asked, clock, pace } = ports
  const { method, mayBeTaken = () => {} } = request
  const before = method === 'POST' ? undefined : (request.before ?? (await ports.read()))
  const sending: Sending = { atMs: clock.monotonic(), azureTime: undefined }
  let doubt: ArmError | undefined
  const unknown = async (cause: Problem): Promise<WriteOutcome> => {
    const since = await sinceOf(sending, ports)
    return { kind: 'unknown', clientRequestId: asked.clientRequestId, since, cause }
  }

  for (;;) {
    const attempt = await trySending(ports, () => {
      if (doubt) return // what it did is looked for since the first time that it may have been taken
      mayBeTaken(true)
      sending.atMs = clock.monotonic()
      sending.azureTime = ports.azureNow()
    })
    if (attempt instanceof Problem) {
      if (doubt) return unknown(doubt)
      mayBeTaken(false)
      throw attempt
    }
    const verdict = verdictOf(attempt)
    if (verdict === 'taken') return { kind: 'answered', reply: ports.reply(attempt as ArmResponse) }
    if (verdict === 'doubtful') doubt ??= doubtOf(ports, attempt)
    if (!doubt) {
      mayBeTaken(false)
      if (verdict === 'refused' || !(await pace.again(asked, attempt))) throw pace.errorOf(asked, attempt)
      continue
    }
    // From here on an earlier try may have been taken: a refusal may be its echo, and nothing is repeated without a look.
    const status = attempt instanceof SendError ? undefined : attempt.status
    if (method === 'DELETE' && isGone(attempt))
      return { kind: 'answered', reply: ports.reply(attempt as ArmResponse), alreadyGone: true }
    const isRefused = verdict === 'refused' && status !== 409
    const isAgain = method !== 'POST' && !isRefused && (await pace.again(asked, attempt))
    const trace = await lookFor(request, before, ports, sending)
    if (trace.kind === 'found') {
      const since = await sinceOf(sending, ports)
      return { kind: 'found_done', found: trace.found, clientRequestId: asked.clientRequestId, since }
    }
    if (trace.kind === 'unknown' || !isAgain) return unknown(isRefused ? pace.errorOf(asked, attempt) : doubt)
  }
}

/** Azure's own word that nothing is there; a page of some proxy's is none. */
const isGone = (attempt: Attempt): boolean =>
  !(attempt instanceof SendError) && attempt.status === 404 && readBody(attempt.body).kind !== 'unreadable'

/** A try; a Problem (limiter, sign-in) is a value here, because it may come after a doubtful one. */
const trySending = async ({ send, pace, signal }: WritePorts, onSend: () => void): Promise<Attempt | Problem> => {
  try {
    return await settle(send(pace.leftMs(), onSend))
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof Problem) return error
    throw error
  }
}

const doubtOf = ({ asked, pace }: WritePorts, attempt: Attempt): ArmError => {
  const body = attempt instanceof SendError || attempt.status >= 300 ? undefined : readBody(attempt.body)
  return body?.kind === 'unreadable'
    ? unreadableAnswer(asked, attempt as ArmResponse, body.what)
    : pace.errorOf(asked, attempt)
}

/** When the change left, of several times the one that may have been taken. Azure's clock is read then: one that runs faster than ours shows it only then. */
interface Sending {
  atMs: number
  azureTime: Date | undefined
}

/** Azure is asked for its time once at most. */
const sinceOf = async (sending: Sending, ports: WritePorts): Promise<Date> => {
  sending.azureTime ??= await ports.azureTime(sending.atMs)
  return sending.azureTime
}

type Trace = { kind: 'found'; found: unknown } | { kind: 'unchanged' } | { kind: 'unknown' }

/** Looks for what a change of doubtful fate may have done. */
async function lookFor(
  request: WriteRequest,
  before: Standing | undefined,
  ports: WritePorts,
  sending: Sending,
): Promise<Trace> {
  try {
    return before === undefined
      ? await lookForEvidence(request, ports, sending)
      : compare(before, await ports.read(), request)
  } catch (error) {
    ports.signal.throwIfAborted()
    // Azure cannot be asked just now: what became of the change stays open, and nothing is repeated.
    if (error instanceof Problem) return { kind: 'unknown' }
    throw error
  }
}

async function lookForEvidence({ evidence }: WriteRequest, ports: WritePorts, sending: Sending): Promise<Trace> {
  if (!evidence) return { kind: 'unknown' }
  const since = await sinceOf(sending, ports)
  for (const waitMs of evidenceWaitsMs) {
    if (waitMs > 0) await ports.clock.sleep(waitMs, ports.signal)
    const found = await evidence(since)
    if (found !== undefined) return { kind: 'found', found }
  }
  return { kind: 'unknown' }
}

/** Counts down between two looks at the same state. */
const volatile = 'deferredDeleteTimeRemaining'
const settled = (standing: Standing): unknown =>
  JSON.parse(JSON.stringify(standing, (name, value) => (name === volatile ? undefined : value)))

function compare(before: Standing, after: Standing, { isDone }: WriteRequest): Trace {
  if (before.kind === 'unreadable' || after.kind === 'unreadable') return { kind: 'unknown' }
  if (isDeepStrictEqual(settled(before), settled(after))) return { kind: 'unchanged' }
  if (isDone && !isDone(after)) return { kind: 'unknown' }
  return { kind: 'found', found: after.kind === 'present' ? after.body : undefined }
}
