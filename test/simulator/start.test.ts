/** How a simulated Azure begins, and what of it is kept for the next time. */
import { readFile, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { realClock } from '../../src/clock.ts'
import { openSimulation } from '../../src/simulation.ts'
import { answer } from '../../src/simulator/azure.ts'
import { toFault } from '../../src/simulator/control.ts'
import { createKeeper } from '../../src/simulator/keeper.ts'
import { blankState } from '../../src/simulator/making.ts'
import { simulatedSend } from '../../src/simulator/send.ts'
import type { Simulation } from '../../src/simulator/start.ts'
import { loadState, saveState } from '../../src/simulator/state-file.ts'

const today = Date.parse('2026-11-22T17:31:00Z')
const morning = '2026-11-22T08:00:00.000Z'

/** The clock of a test: real time stands until it is moved. */
const standing = () => {
  let passedMs = 0
  return {
    pass: (ms: number) => {
      passedMs += ms
    },
    clock: { ...realClock, now: () => today + passedMs, monotonic: () => passedMs },
  }
}

const open = async (t: Test, flags: Partial<Parameters<typeof openSimulation>[0]>, { clock } = standing()) => {
  const faults: unknown[] = []
  const simulation = await openSimulation(
    { timeScale: 60, ...flags },
    { cwd: t.testdirName, clock, log: (_, message) => faults.push(message) },
  )
  return { ...simulation, faults, vault: vaultOf(simulation) }
}

const vaultOf = ({ defaultVault }: Simulation) =>
  `/subscriptions/${defaultVault.subscription_id}/resourceGroups/${defaultVault.resource_group}/providers/Microsoft.RecoveryServices/vaults/${defaultVault.vault_name}`

const patch = (simulation: Simulation & { vault: string }, tags: object) => {
  const [token] = simulation.world.state.tokens
  const { status } = answer(simulation.world, {
    method: 'PATCH',
    url: `${simulation.vault}?api-version=2016-06-01`,
    base: 'http://x',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ tags }),
  })
  simulation.onAnswered('PATCH')
  return status
}

const now = ({ world }: Simulation) => new Date(world.clock.now()).toISOString()

t.test('it begins at eight in the morning of the real day, and runs by its scale', async t => {
  t.testdir({})
  const rows: [timeScale: number, after: string][] = [
    [60, '2026-11-22T08:01:00.000Z'],
    [0, morning],
    [0.5, '2026-11-22T08:00:00.500Z'],
    [86_400, '2026-11-23T08:00:00.000Z'],
  ]
  for (const [timeScale, after] of rows) {
    const time = standing()
    time.pass(5000)
    const simulation = await open(t, { timeScale }, time)
    t.equal(now(simulation), morning, `${timeScale}`)
    time.pass(1000)
    t.equal(now(simulation), after)
    await simulation.close()
  }
})

t.test('the same seed gives the same ids', async t => {
  t.testdir({})
  const [one, other] = [await open(t, {}), await open(t, {})]
  t.equal(one.world.newGuid(), other.world.newGuid())
  t.same(one.world.state, other.world.state)
})

t.test('state that is kept goes on where it was', async t => {
  t.testdir({})
  const file = path.join(t.testdirName, 'state.json')
  const time = standing()
  const first = await open(t, { state: 'state.json' }, time)
  t.equal((await stat(file)).mode & 0o777, 0o600, 'it is there at once, for its owner alone')
  time.pass(10_000)
  t.equal(patch(first, { kept: 'yes' }), 200)
  const nextId = first.world.newGuid()
  time.pass(10_000)
  await first.close()
  await first.close()

  time.pass(1_000_000)
  const second = await open(t, { state: 'state.json', seed: 'is not looked at' }, time)
  t.equal(now(second), '2026-11-22T08:20:00.000Z', 'time stood still meanwhile')
  t.match([...second.world.state.vaults.values()].find(({ id }) => id === second.vault)?.tags, { kept: 'yes' })
  t.not(second.world.newGuid(), nextId, 'ids go on too')
  t.same(second.defaultVault, first.defaultVault)
  await second.close()
  t.same([...first.faults, ...second.faults], [])
})

t.test('a change is kept soon, not only at the end', async t => {
  t.testdir({})
  const simulation = await open(t, { state: 'state.json', timeScale: 0 })
  patch(simulation, { soon: 'yes' })
  const file = path.join(t.testdirName, 'state.json')
  for (let turn = 0; !(await readFile(file, 'utf8')).includes('"soon"'); turn++) {
    if (turn > 1000) throw new Error('it was never written')
    await new Promise(go => setImmediate(go))
  }
  const text = await readFile(file, 'utf8')
  simulation.onAnswered('GET')
  await new Promise(go => setImmediate(go))
  t.equal(await readFile(file, 'utf8'), text, 'what only reads is not written down')
  await simulation.close()
})

t.test('a file that cannot be used is refused by name, and left as it is', async t => {
  const state = saveState(blankState(1, 0, 't', ['t']))
  const bad: Record<string, string> = {
    'empty.json': '',
    'cut.json': state.slice(0, -20),
    'other.json': '{"format":1}',
    'null.json': 'null',
    'newer.json': state.replace('"format":1', '"format":2'),
    'less.json': state.replace('"due":[]', '"due":{}'),
    'list.json': '[1]',
  }
  t.testdir({ ...bad, folder: {} })
  for (const [name, text] of Object.entries(bad)) {
    await t.rejects(
      open(t, { state: name }),
      {
        code: 'not_configured',
        message: new RegExp(`^--state \\S+/${name} cannot be used, and is left as it is: it is`),
      },
      name,
    )
    t.equal(await readFile(path.join(t.testdirName, name), 'utf8'), text)
  }
  const rows: [flags: object, message: RegExp][] = [
    [{ state: 'folder' }, /^--state \S+\/folder cannot be read: EISDIR\.$/],
    [{ state: 'nowhere/x.json' }, /^--state \S+\/nowhere\/x\.json cannot be written: ENOENT\.$/],
    [{ seed: 'folder' }, /^--seed \S+\/folder cannot be read: EISDIR\.$/],
    [{ seed: 'gone.json' }, /^--seed \S+\/gone\.json cannot be read: ENOENT\.$/],
    [{ seed: 'empty.json' }, /^--seed \S+\/empty\.json is not JSON/],
    [{ seed: 'list.json' }, /^--seed \S+\/list\.json is no estate: /],
    [{ seed: 'null.json' }, /^--seed \S+\/null\.json is no estate: /],
  ]
  for (const [flags, message] of rows)
    await t.rejects(open(t, flags), { code: 'not_configured', message }, JSON.stringify(flags))
})

t.test('whatever callers have stored comes back as it was', async t => {
  const state = blankState(1, 5, 't', ['t'])
  const hostile = JSON.parse('{"$map":[1],"__proto__":{"a":1},"deep":[{"$set":{},"$plain":7}],"n":null}')
  state.requests.set('GET /a', 2)
  state.due.push({ atMs: 1, order: 1, kind: 'k', vault: 'v', of: 'o', more: hostile })
  state.defaultVault = { subscription_id: 's', resource_group: 'g', vault_name: 'v' }
  const back = loadState(saveState(state))
  t.strictSame(back, state)
  t.ok(back.requests instanceof Map)
})

t.test('the file is written again only when the last writing is long past', async t => {
  const writes: number[] = []
  let atMs = 0
  let awake = () => {}
  const faults: unknown[] = []
  const keeper = createKeeper({
    write: async () => {
      writes.push(atMs)
      atMs += 10
      if (writes.length === 2) throw new Error('the disk is full')
    },
    monotonic: () => atMs,
    sleep: ms =>
      new Promise(resolve => {
        awake = () => {
          atMs += ms
          resolve()
        }
      }),
    onFault: error => faults.push(error),
  })
  const turn = () => new Promise(go => setImmediate(go))
  keeper.note()
  await turn()
  for (let change = 0; change < 5; change++) keeper.note()
  await turn()
  t.same(writes, [0])
  awake()
  await turn()
  t.same(writes, [0, 50], 'five changes are one writing')
  t.match(faults, [{ message: 'the disk is full' }])
  awake()
  await turn()
  t.same(writes, [0, 50], 'nothing has changed since')
  keeper.note()
  await turn()
  keeper.note()
  await keeper.close()
  keeper.note()
  t.equal(writes.length, 4, 'the end waits for nothing, and is the last')
})

t.test('in this process too faults are met, and what is cut is a lost answer', async t => {
  t.testdir({})
  const { world, vault } = await open(t, {})
  const slept: number[] = []
  const answered: string[] = []
  const send = simulatedSend(
    world,
    async ms => void slept.push(ms),
    method => answered.push(method),
  )
  const request = {
    method: 'GET',
    url: `https://management.azure.com${vault}?api-version=2025-08-01`,
    headers: {},
  } as const
  const { signal } = new AbortController()
  const fault = (given: object) => {
    world.state.faults = [toFault({ times: 1, ...given })]
  }
  const whole = await send(request, signal)
  t.match(whole, { status: 200, headers: { 'x-ms-request-id': /./ } })
  fault({ kind: 'slow', delay_ms: 700 })
  t.equal((await send(request, signal)).body, whole.body)
  t.same(slept, [700])
  fault({ kind: 'truncate' })
  t.equal((await send(request, signal)).body, whole.body.slice(0, whole.body.length >> 1))
  for (const cut_at of ['before', 'inside']) {
    fault({ kind: 'cut', cut_at })
    await t.rejects(send(request, signal), { message: 'the connection was cut' })
  }
  t.same(answered, ['GET', 'GET', 'GET', 'GET', 'GET'])
  await t.rejects(send(request, AbortSignal.abort(new Error('enough'))), { message: 'enough' })
})

t.test('a state file that can no longer be written is told of, at the end too', async t => {
  t.testdir({})
  const simulation = await open(t, { state: 'state.json' })
  await writeFile(path.join(t.testdirName, 'state.json.new'), '')
  t.testdir({ 'state.json.new': { folder: {} } })
  patch(simulation, { a: 'b' })
  await t.rejects(simulation.close())
  t.match(simulation.faults, [/was not saved/])
})
