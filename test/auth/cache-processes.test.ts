/**
 * Eight processes share one token cache: every token that expires is wanted by all of them at once, accounts are added
 * meanwhile, and some of the processes are killed at moments that a seed decides (CACHE_SEED repeats a run).
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { accountsIn, cacheFault } from '../../src/auth/cached-accounts.ts'
import { Authority, contoso, fabrikam, type User } from '../helpers/authority.ts'
import type { Order, Told, WorkerSettings } from '../helpers/cache-worker.ts'
import { temporaryFolder } from '../helpers/sign-in.ts'

// Where each core has four other processes to serve, eight more take long; a lock that was left behind lapses in real time.
t.setTimeout(300_000)

const workers = 8
const steps = 32
/** Every so many steps one more account signs in. */
const stepsPerAccount = 8
/** Of these steps a process is killed; where `holder`, it is the one that asks the authority, which holds the lock. */
const kills = { holder: 2, any: 4 }
const hourMs = 3_600_000

/** Numbers from 0 to 1 (mulberry32). */
const randomFrom = (seed: number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const user = (n: number): User => ({
  name: `user${n}@${n % 2 ? 'contoso' : 'fabrikam'}.example`,
  tenant: n % 2 ? contoso : fabrikam,
})

/** A process, and what became of the last order. */
class Worker {
  static count = 0
  readonly name = String(++Worker.count)
  readonly process: ChildProcess
  readonly exit: Promise<void>
  readonly ready: Promise<void>
  isDead = false
  stderr = ''
  onAsk = () => {}
  #told: (told: Told | undefined) => void = () => {}

  constructor(settings: Omit<WorkerSettings, 'name'>) {
    const script = path.join(import.meta.dirname, '../helpers/cache-worker.js')
    this.process = fork(script, [JSON.stringify({ ...settings, name: this.name })], {
      execArgv: [],
      env: { PATH: process.env.PATH },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.process.stderr?.on('data', chunk => {
      this.stderr += chunk
    })
    this.exit = new Promise(resolve =>
      this.process.once('exit', () => {
        this.isDead = true
        this.#told(undefined)
        resolve()
      }),
    )
    this.ready = new Promise(resolve => {
      this.process.on('message', (told: Told) => {
        if (told.kind === 'ready') resolve()
        else if (told.kind === 'asks') this.onAsk()
        else this.#told(told)
      })
      void this.exit.then(resolve)
    })
  }

  /** What it said when it was done; undefined where it was killed at it. */
  do(order: Order): Promise<Extract<Told, { kind: 'done' }> | undefined> {
    return new Promise(resolve => {
      if (this.isDead) return resolve(undefined)
      this.#told = told => resolve(told?.kind === 'done' ? told : undefined)
      this.process.send(order, error => error && resolve(undefined))
    })
  }

  kill(): void {
    // From here on it counts as dead: what it has sent may still be on its way.
    this.isDead = true
    this.process.kill('SIGKILL')
  }
}

/** Reads the file as often as it can, until it is told to stop; says what was wrong with it. */
const watch = (file: string, names: () => string[]) => {
  const faults = new Set<string>()
  let reads = 0
  let timer: NodeJS.Timeout
  const look = () => {
    reads++
    try {
      const text = readFileSync(file, 'utf8')
      const fault = cacheFault(text)
      if (fault !== undefined) faults.add(fault)
      const there = accountsIn(text).map(({ username }) => username)
      for (const name of names()) if (!there.includes(name)) faults.add(`${name} is lost`)
    } catch (error) {
      faults.add(String(error))
    }
    timer = setTimeout(look, 10)
  }
  look()
  return () => {
    clearTimeout(timer)
    return { faults: [...faults], reads }
  }
}

const plan = (random: () => number): ('holder' | 'any' | undefined)[] => {
  const order = Array.from({ length: steps - 1 }, (_, step) => ({ step, rank: random() })).sort(
    (a, b) => a.rank - b.rank,
  )
  const kinds: ('holder' | 'any' | undefined)[] = Array(steps).fill(undefined)
  for (const [n, { step }] of order.entries())
    kinds[step] = n < kills.holder ? 'holder' : n < kills.holder + kills.any ? 'any' : undefined
  return kinds
}

t.test('eight processes share a token cache, some are killed, and nothing is lost or asked for twice', async t => {
  const seed = Number(process.env.CACHE_SEED ?? Math.floor(Math.random() * 2 ** 31))
  t.comment(`CACHE_SEED=${seed}`)
  const random = randomFrom(seed)
  const authority = await Authority.start(t)
  const folder = temporaryFolder(t)
  const file = path.join(folder, 'recovery_services_auth.json')
  const users = [1, 2, 3, 4, 5, 6].map(user)
  writeFileSync(file, authority.cacheText(users), { mode: 0o600 })

  const settings = { file, authorityHost: authority.origin, caFile: authority.caFile }
  const team: Worker[] = []
  const byName = new Map<string, Worker>()
  const hire = () => {
    const worker = new Worker(settings)
    byName.set(worker.name, worker)
    team.push(worker)
    return worker
  }
  t.teardown(async () => {
    for (const worker of team) worker.kill()
    await Promise.all(team.map(({ exit }) => exit))
  })
  for (let n = 0; n < workers; n++) hire()
  await Promise.all(team.map(({ ready }) => ready))

  // A refresh token is taken once. Whoever was killed before it wrote what came for it leaves it in the file, and the next
  // process finds it there: then, and only then, it is taken again.
  const usersOf = (token: string) =>
    authority.grants('refresh_token').filter(({ fields }) => fields.refresh_token === token)
  authority.mayUseAgain = token =>
    usersOf(token)
      .slice(0, -1)
      .every(({ fields }) => byName.get(fields.worker ?? '')?.isDead)

  let known = users.map(({ name }) => name)
  const stop = watch(file, () => known)
  const begun = Date.now() + 120_000
  const errors: string[] = []
  const warnings: string[] = []
  const grantsOf: { step: number; tokens: string[] }[] = []
  const killPlan = plan(random)

  for (let step = 0; step < steps; step++) {
    const before = authority.grants('refresh_token').length
    // MSAL reckons by the real time, so tokens last until the hour of this step has passed.
    authority.lifetimeSeconds = ((step + 1) * hourMs) / 1000
    const isAdding = step % stepsPerAccount === stepsPerAccount - 1
    const added = isAdding ? user(users.length + 1) : undefined
    const addedText = added && authority.cacheText([added], { isExpired: false })
    const kind = killPlan[step]
    const present = team.filter(({ isDead }) => !isDead)
    const adder = present[Math.floor(random() * present.length)]
    arm(kind, present, random)
    const accounts = known
    const done = await Promise.all(
      present.map(async worker => {
        // All after the same token, or each after another.
        const order = step % 2 ? accounts : [...accounts].sort(() => random() - 0.5)
        if (worker === adder && addedText) await add(worker, addedText)
        return worker.do({ kind: 'fetch', now: begun + step * hourMs, accounts: order })
      }),
    )
    for (const said of done) {
      errors.push(...(said?.errors ?? []))
      warnings.push(...(said?.warnings ?? []))
    }
    for (const worker of present) worker.onAsk = () => {}
    if (added && addedText) {
      // Killed before it wrote: then another does it.
      const isThere = accountsIn(readFileSync(file, 'utf8')).some(({ username }) => username === added.name)
      const [survivor] = present.filter(({ isDead }) => !isDead)
      if (!isThere && survivor) await add(survivor, addedText)
      users.push(added)
      known = users.map(({ name }) => name)
    }
    const asked = authority.grants('refresh_token').slice(before)
    grantsOf.push({ step, tokens: asked.map(({ fields }) => fields.refresh_token ?? '') })
    const wanted = accounts.length
    if (new Set(grantsOf.at(-1)?.tokens).size !== wanted)
      errors.push(`step ${step}: ${wanted} tokens expired, ${new Set(grantsOf.at(-1)?.tokens).size} were asked for`)
    const dead = present.filter(({ isDead }) => isDead)
    for (const worker of dead) {
      await worker.exit
      hire()
    }
    if (dead.length > 0) await Promise.all(team.map(({ ready }) => ready))
  }

  async function add(worker: Worker, text: string): Promise<void> {
    const said = await worker.do({ kind: 'add', added: text })
    errors.push(...(said?.errors ?? []))
  }

  const { faults, reads } = stop()
  t.strictSame(errors, [], 'every process that lives gets its token, and each expiry is answered by one refresh')
  t.strictSame(warnings, [])
  t.strictSame(faults, [], 'the file always parses and holds every account')
  const all = authority.grants('refresh_token').map(({ fields }) => fields)
  const killed = team.filter(({ process }) => process.signalCode === 'SIGKILL')
  const again = all.filter(
    ({ refresh_token }, n) => all.findIndex(fields => fields.refresh_token === refresh_token) < n,
  )
  t.comment(
    `${all.length} refreshes, ${killed.length} killed, ${again.length} after one was killed at it, ${reads} reads`,
  )
  t.ok(all.length >= 200)
  t.ok(reads > 100)
  t.ok(again.length <= killed.length)
  for (const worker of team) t.equal(worker.stderr, '')
  t.strictSame(readdirSync(folder), [path.basename(file)], 'no lock, draft or broken file is left')
})

/** Lets one of them be killed within this step. */
function arm(kind: 'holder' | 'any' | undefined, team: readonly Worker[], random: () => number): void {
  if (kind === 'any') {
    const victim = team[Math.floor(random() * team.length)]
    setTimeout(() => victim?.kill(), random() * 120)
  }
  if (kind !== 'holder') return
  let skip = Math.floor(random() * 3)
  const delayMs = random() * 20
  for (const worker of team)
    worker.onAsk = () => {
      if (skip-- === 0) setTimeout(() => worker.kill(), delayMs)
    }
}
