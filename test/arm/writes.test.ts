import t from 'tap'
import type { WriteRequest } from '../../src/arm/arm.ts'
import { ArmError } from '../../src/arm/errors.ts'
import { SendError } from '../../src/arm/send.ts'
import {
  answer,
  armErrorOf,
  createFakeAzure,
  createFakeClock,
  failure,
  item,
  type Scripted,
  subscription,
  vault,
} from './fake-azure.ts'

const dated = answer(200, {}, { date: 'Sun, 22 Nov 2026 12:00:00 GMT' })
const lost = new SendError('lost', 'cut')
const slow = new SendError('timeout', 'slow')
const unsent = new SendError('not_sent', 'refused')
const before = answer(200, { properties: { policyId: 'old' } })
const after = answer(200, { properties: { policyId: 'new' } })
const gone = failure(404, 'ResourceNotFound', 'gone')
const accepted = answer(202)
const page = answer(200, '<html>Sign in</html>')
const comeBack = { 'retry-after': '2' }

const request = (method: WriteRequest['method']): WriteRequest => ({
  method,
  path: method === 'POST' ? `${item}/backup` : item,
  ...(method !== 'DELETE' && { body: { properties: {} } }),
  tool: 'a_tool',
  itemId: item,
})

// Each step is the method of a request and its answer; `evidence` stands for a look at the job list.
type Step = [method: string, answer: Scripted]
const rows: [name: string, method: WriteRequest['method'], steps: Step[], ends: string][] = [
  ['accepted', 'POST', [['POST', accepted]], 'answered 202'],
  [
    'not sent, then accepted',
    'POST',
    [
      ['POST', unsent],
      ['POST', accepted],
    ],
    'answered 202',
  ],
  [
    '429, then accepted',
    'POST',
    [
      ['POST', answer(429, '', comeBack)],
      ['POST', accepted],
    ],
    'answered 202',
  ],
  [
    '503 with Retry-After, then accepted',
    'POST',
    [
      ['POST', answer(503, '', comeBack)],
      ['POST', accepted],
    ],
    'answered 202',
  ],
  ['a 429 too long to wait for', 'POST', [['POST', answer(429, '', { 'retry-after': '90' })]], 'throttled'],
  ['refused', 'POST', [['POST', failure(400, 'BMSUserErrorObjectLocked', 'busy')]], 'BMSUserErrorObjectLocked'],
  ['no recording', 'POST', [['POST', new SendError('no_recording', '')]], 'unreachable'],
  ...([lost, slow, answer(500), answer(502), answer(503), answer(504), answer(408), page] as Scripted[]).map(
    (doubtful, index): (typeof rows)[number] => [`doubtful in way ${index}`, 'POST', [['POST', doubtful]], 'unknown'],
  ),
  [
    'accepted',
    'PUT',
    [
      ['GET', before],
      ['PUT', answer(200, {})],
    ],
    'answered 200',
  ],
  [
    'of something new',
    'PUT',
    [
      ['GET', gone],
      ['PUT', answer(201, {})],
    ],
    'answered 201',
  ],
  [
    'refused',
    'PUT',
    [
      ['GET', before],
      ['PUT', failure(409, 'X', 'busy')],
    ],
    'X',
  ],
  [
    'not sent, then accepted',
    'PUT',
    [
      ['GET', before],
      ['PUT', unsent],
      ['PUT', accepted],
    ],
    'answered 202',
  ],
  [
    'lost, and nothing changed',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', before],
      ['PUT', accepted],
    ],
    'answered 202',
  ],
  [
    'lost, and it is there',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', after],
    ],
    'found_done',
  ],
  [
    'lost, and it came to be',
    'PUT',
    [
      ['GET', gone],
      ['PUT', slow],
      ['GET', after],
    ],
    'found_done',
  ],
  [
    '504, and nothing changed',
    'PUT',
    [
      ['GET', before],
      ['PUT', answer(504)],
      ['GET', before],
      ['PUT', accepted],
    ],
    'answered 202',
  ],
  [
    '502, and it is there',
    'PUT',
    [
      ['GET', before],
      ['PUT', answer(502)],
      ['GET', after],
    ],
    'found_done',
  ],
  [
    'lost, repeated, busy with the first',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', before],
      ['PUT', answer(409)],
      ['GET', after],
    ],
    'found_done',
  ],
  [
    'lost, and nobody can be asked',
    'PUT',
    [['GET', before], ['PUT', lost], ...Array.from({ length: 5 }, (): Step => ['GET', unsent])],
    'unknown',
  ],
  [
    'of what Azure does not show',
    'PUT',
    [
      ['GET', answer(403)],
      ['PUT', lost],
      ['GET', answer(403)],
    ],
    'unknown',
  ],
  [
    'lost, repeated, then held back too long',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', before],
      ['PUT', answer(429, '', { 'retry-after': '90' })],
      ['GET', before],
    ],
    'unknown',
  ],
  [
    'lost, repeated, held back, and looked at before the next try',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', before],
      ['PUT', answer(429, '', comeBack)],
      ['GET', after],
    ],
    'found_done',
  ],
  [
    'lost, repeated, not sent, repeated',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', before],
      ['PUT', unsent],
      ['GET', before],
      ['PUT', accepted],
    ],
    'answered 202',
  ],
  [
    'lost, repeated, refused for what the first did',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', before],
      ['PUT', failure(400, 'BMSUserErrorObjectLocked', 'busy')],
      ['GET', after],
    ],
    'found_done',
  ],
  [
    'lost, repeated, refused, and nothing tells about the first',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', before],
      ['PUT', failure(400, 'BMSUserErrorObjectLocked', 'busy')],
      ['GET', before],
    ],
    'unknown',
  ],
  [
    'a success that nobody can read',
    'PUT',
    [
      ['GET', before],
      ['PUT', page],
      ['GET', after],
    ],
    'found_done',
  ],
  [
    '500 for ever',
    'PUT',
    [
      ['GET', before],
      ...Array.from({ length: 5 }, (): Step[] => [
        ['PUT', answer(500)],
        ['GET', before],
      ]).flat(),
    ],
    'unknown',
  ],
  [
    'lost, repeated, no longer signed in',
    'PUT',
    [
      ['GET', before],
      ['PUT', lost],
      ['GET', before],
      ['PUT', new ArmError('not_signed_in', 'no token', 'sign in')],
    ],
    'unknown',
  ],
  [
    'lost, and nothing changed',
    'PATCH',
    [
      ['GET', before],
      ['PATCH', lost],
      ['GET', before],
      ['PATCH', accepted],
    ],
    'answered 202',
  ],
  [
    'accepted',
    'DELETE',
    [
      ['GET', before],
      ['DELETE', answer(204)],
    ],
    'answered 204',
  ],
  [
    'lost, and it is gone',
    'DELETE',
    [
      ['GET', before],
      ['DELETE', lost],
      ['GET', gone],
    ],
    'found_done',
  ],
  [
    'lost, repeated, already gone',
    'DELETE',
    [
      ['GET', before],
      ['DELETE', answer(500)],
      ['GET', before],
      ['DELETE', gone],
    ],
    'already_gone',
  ],
  [
    "lost, repeated, a page of a proxy's own",
    'DELETE',
    [
      ['GET', before],
      ['DELETE', lost],
      ['GET', before],
      ['DELETE', answer(404, '<html>Not found</html>')],
      ['GET', before],
    ],
    'unknown',
  ],
  [
    'of what is not there',
    'DELETE',
    [
      ['GET', gone],
      ['DELETE', gone],
    ],
    'ResourceNotFound',
  ],
  [
    '429, then not there',
    'DELETE',
    [
      ['GET', before],
      ['DELETE', answer(429, '', comeBack)],
      ['DELETE', gone],
    ],
    'ResourceNotFound',
  ],
]
for (const [name, method, steps, ends] of rows)
  t.test(`${method}, ${name}: ${ends}`, async t => {
    const { arm, requests, lines } = createFakeAzure([dated, ...steps.map(([, scripted]) => scripted)])
    await arm.get(vault)
    requests.length = 0
    await arm.write(request(method)).catch(error => {
      if (!(error instanceof ArmError)) throw error
    })
    t.same(
      requests.map(sent => sent.method),
      steps.map(([sent]) => sent),
      'exactly these requests were sent',
    )
    const notices = lines.filter(({ level }) => level === 'notice')
    const clientRequestId = requests.find(sent => sent.method === method)?.headers['x-ms-client-request-id']
    t.same(
      notices.map(({ fields }) => fields),
      [{ tool: 'a_tool', item_id: item, method, client_request_id: clientRequestId, outcome: ends }],
    )
  })

const countingDown = (days: number, more: object = {}) => ({
  kind: 'present' as const,
  body: { properties: { policyId: 'old', deferredDeleteTimeRemaining: `${days} days`, ...more } },
})
const planned: [name: string, of: Partial<WriteRequest>, steps: Step[], ends: string][] = [
  ['what the plan read spares a read', { before: { kind: 'absent' } }, [['PUT', accepted]], 'answered'],
  [
    'what the plan read is what counts after a doubt',
    { before: { kind: 'present', body: { properties: { policyId: 'older' } } } },
    [
      ['PUT', lost],
      ['GET', before],
    ],
    'found_done',
  ],
  [
    'a time that runs out is no change',
    { before: countingDown(14) },
    [
      ['PUT', lost],
      ['GET', answer(200, countingDown(13).body)],
      ['PUT', accepted],
    ],
    'answered',
  ],
  [
    'a change beside a time that runs out is one',
    { before: countingDown(14) },
    [
      ['PUT', lost],
      ['GET', answer(200, countingDown(13, { policyId: 'new' }).body)],
    ],
    'found_done',
  ],
  [
    "somebody else's change is no success, and nothing is repeated over it",
    { before: { kind: 'absent' }, isDone: () => false },
    [
      ['PUT', lost],
      ['GET', after],
    ],
    'unknown',
  ],
  [
    'what the request makes is told by the tool',
    { before: { kind: 'absent' }, isDone: standing => standing.kind === 'present' },
    [
      ['PUT', lost],
      ['GET', after],
    ],
    'found_done',
  ],
  [
    'what is as it should be, and was before, may be repeated',
    { before: { kind: 'present', body: { properties: { policyId: 'new' } } }, isDone: () => true },
    [
      ['PUT', lost],
      ['GET', after],
      ['PUT', accepted],
    ],
    'answered',
  ],
]
for (const [name, of, steps, ends] of planned)
  t.test(`${name}: ${ends}`, async t => {
    const { arm, requests } = createFakeAzure([dated, ...steps.map(([, scripted]) => scripted)])
    await arm.get(vault)
    requests.length = 0
    t.equal((await arm.write({ ...request('PUT'), ...of })).kind, ends)
    t.same(
      requests.map(sent => sent.method),
      steps.map(([sent]) => sent),
    )
  })

t.test('what may have been taken is told while it is so', async t => {
  const told: Record<string, boolean[]> = {}
  const ends: Record<string, Scripted[]> = {
    accepted: [accepted],
    refused: [answer(403)],
    'not sent, then lost': [unsent, lost],
    'held back too long': [answer(429, '', { 'retry-after': '90' })],
    'no longer signed in': [new ArmError('not_signed_in', 'no token', 'sign in')],
  }
  for (const [name, script] of Object.entries(ends)) {
    const { arm } = createFakeAzure([dated, ...script])
    await arm.get(vault)
    told[name] = []
    const mayBeTaken = (isSo: boolean) => told[name]?.push(isSo)
    await arm.write({ ...request('POST'), mayBeTaken }).catch(() => {})
  }
  t.same(told, {
    accepted: [true],
    refused: [true, false],
    'not sent, then lost': [true, false, true],
    'held back too long': [true, false],
    'no longer signed in': [true, false],
  })
})

t.test('after a repeat the moment of sending is that of the first try that may have been taken', async t => {
  const { arm, clock } = createFakeAzure([dated, unsent, lost, before, lost, before, answer(400), before], {
    random: () => 1,
  })
  await arm.get(vault)
  clock.advance(10_000)
  const outcome = await arm.write({
    ...request('PUT'),
    before: { kind: 'present', body: { properties: { policyId: 'old' } } },
  })
  t.match(outcome, { kind: 'unknown' })
  t.equal('since' in outcome && outcome.since.toISOString(), '2026-11-22T12:00:10.500Z')
})

t.test("a clock of Azure's that runs sixty times faster is read when the change leaves", async t => {
  const clock = createFakeClock()
  const fast = () =>
    answer(200, {}, { date: new Date(Date.UTC(2026, 10, 22, 8) + clock.monotonic() * 60).toUTCString() })
  const { arm } = createFakeAzure(
    [
      fast,
      () => {
        clock.advance(20_000) // twenty minutes there
        throw lost
      },
      fast,
      fast,
    ],
    { clock },
  )
  await arm.get(vault)
  const looks: string[] = []
  await arm.write({
    ...request('POST'),
    evidence: async since => {
      await arm.get(vault)
      looks.push(since.toISOString())
      return looks.length === 2 ? 'job' : undefined
    },
  })
  t.same(looks, ['2026-11-22T08:00:00.000Z', '2026-11-22T08:00:00.000Z'])
})

t.test('a change that cannot be prepared is not sent, and logged so', async t => {
  const { arm, asked, lines } = createFakeAzure([failure(401, 'ExpiredAuthenticationToken', 'old')])
  t.equal((await armErrorOf(arm.write(request('PUT')))).code, 'not_signed_in')
  t.match(asked(), [/^GET /])
  const notices = lines.filter(({ level }) => level === 'notice')
  t.match(notices, [{ fields: { client_request_id: 'id-1', outcome: 'ExpiredAuthenticationToken, not sent' } }])
})

t.test('a doubtful POST', async t => {
  t.test('is found by its evidence, which may take a moment to appear', async t => {
    const { arm, requests, clock } = createFakeAzure([lost, dated])
    const looks: number[] = []
    const outcome = await arm.write({
      ...request('POST'),
      evidence: async () => {
        looks.push(clock.monotonic())
        return looks.length === 2 ? 'the job' : undefined
      },
    })
    t.match(outcome, { kind: 'found_done', found: 'the job', clientRequestId: 'id-1' })
    t.same(looks, [0, 3000])
    t.equal(requests.filter(({ method }) => method === 'POST').length, 1)
  })

  t.test('stays unknown without evidence, with what came in place of an answer', async t => {
    const { arm, requests } = createFakeAzure([dated, failure(500, 'CloudInternalError', 'oops')])
    await arm.get(vault)
    const outcome = await arm.write({ ...request('POST'), evidence: async () => undefined })
    t.match(outcome, {
      kind: 'unknown',
      clientRequestId: 'id-2',
      cause: { azureCode: 'CloudInternalError', message: 'oops' },
    })
    t.equal(requests.filter(({ method }) => method === 'POST').length, 1)
  })

  t.test('stays unknown where the evidence cannot be had', async t => {
    const { arm } = createFakeAzure([lost, dated, failure(403, 'X', 'no')])
    const outcome = await arm.write({ ...request('POST'), evidence: () => arm.get(vault) })
    t.equal(outcome.kind, 'unknown')
  })

  t.test('a fault in the evidence is not hidden', async t => {
    const { arm } = createFakeAzure([lost, answer(200, {})])
    const evidence = () => Promise.reject(new TypeError('a bug'))
    await t.rejects(arm.write({ ...request('POST'), evidence }), TypeError)
  })
})

t.test('the moment of sending is told by the clock of Azure', async t => {
  const since = async (script: Scripted[], clock = createFakeClock(), first = true) => {
    const azure = createFakeAzure(script, { clock })
    if (first) await azure.arm.get(vault)
    clock.advance(10_000)
    let seen: Date | undefined
    await azure.arm.write({
      ...request('POST'),
      evidence: async moment => {
        seen = moment
        return 'job'
      },
    })
    return { since: seen?.toISOString(), asked: azure.asked() }
  }
  t.equal((await since([dated, lost])).since, '2026-11-22T12:00:10.000Z', 'carried on from an earlier answer')

  const clock = createFakeClock()
  const late = () => {
    clock.advance(5000)
    throw lost
  }
  const asked = await since([late, dated], clock, false)
  t.equal(asked.since, '2026-11-22T11:59:55.000Z', 'asked for afterwards where there was none')
  t.match(asked.asked[1], `GET /subscriptions/${subscription}?`)

  const refused = await since(
    [lost, answer(403, '', { date: 'Sun, 22 Nov 2026 12:00:00 GMT' })],
    createFakeClock(),
    false,
  )
  t.equal(refused.since, '2026-11-22T12:00:00.000Z', 'any answer tells the time')

  const silent = await since([lost, lost], createFakeClock(), false)
  t.equal(silent.since, '2026-11-22T10:00:10.000Z', 'the local clock is the last resort')
  t.equal(silent.asked.length, 2, 'after asking once')
})

t.test('a cancelled write ends with the reason and is logged, sent or not', async t => {
  const { arm, control, lines } = createFakeAzure([
    before,
    () => {
      control.abort(new Error('enough'))
      throw lost
    },
  ])
  await t.rejects(arm.write(request('PUT')), { message: 'enough' })
  await t.rejects(arm.write(request('POST')), { message: 'enough' })
  const outcomes = lines.filter(({ level }) => level === 'notice').map(({ fields }) => fields.outcome)
  t.same(outcomes, ['cancelled', 'cancelled, not sent'])
})

t.test('a write cancelled while it looks for evidence ends with the reason', async t => {
  const { arm, control, requests } = createFakeAzure([dated, lost])
  await arm.get(vault)
  const cancelled = new ArmError('cancelled', 'enough', '')
  const evidence = async () => {
    setImmediate(() => control.abort(cancelled))
    return undefined
  }
  t.equal(await armErrorOf(arm.write({ ...request('POST'), evidence })), cancelled)
  t.equal(requests.filter(({ method }) => method === 'POST').length, 1)
})
