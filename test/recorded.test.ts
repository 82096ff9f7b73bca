/** Real answers of Azure, replayed; and what is recorded here, replayed again. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t, { type Test } from 'tap'
import type { Exchange, Recording } from '../src/arm/recordings.ts'
import { checked, type ServedTool } from './helpers/checked.ts'
import { azureError, fakeArm, json, subscription, vaultPath } from './helpers/fake-arm.ts'
import { argumentsOf, at, faultsOf, type Kind, kinds, type Raw, type Row, termsOf } from './helpers/kinds.ts'
import { root, toolPrefix } from './helpers/server.ts'

t.jobs = 3
t.setTimeout(180_000)

const recordings = path.join(root, '../shared/recordings')
const files = existsSync(recordings) ? readdirSync(recordings).filter(name => name.endsWith('.json')) : []
const skipped = files.length > 0 ? {} : { skip: 'the recordings are not here (../shared/recordings)' }

const time = /^20(1[5-9]|2\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/
const begin = '2015-01-01T00:00:00Z'

/**
 * Where what is asked differs from what was recorded for the same intent: terms of the filter that do not count, by tool,
 * and why.
 */
const differences: Partial<Record<string, { terms: readonly string[]; why: string }>> = {
  list_backup_jobs: {
    terms: ['startTime', 'endTime', 'backupManagementType', 'jobId'],
    why: 'without times Azure answers with a window of its own, so a window is always asked for; jobs are asked for by workload',
  },
  check_registration_status: {
    terms: ['friendlyName'],
    why: 'one machine is meant, so one is asked for, as the recorded client does for containers of VMs and accounts',
  },
  list_recovery_points: {
    terms: ['restorePointQueryType', 'startDate', 'endDate', 'extendedInfo'],
    why: 'both the points and the log ranges of a database are asked for, and merged; a window is asked for only if given',
  },
}
/** What is asked beside what was recorded, by tool, and why. */
const besides: Partial<Record<string, { asked: RegExp; why: string }>> = {
  get_policy_details: {
    asked: /\/backupProtectedItems\?.*policyName/i,
    why: 'it names the items under the policy, which the recorded client did not ask for',
  },
}

interface Asked {
  kind: Kind
  /** Path and filter as recorded, for messages. */
  name: string
  key: string
  terms: ReadonlyMap<string, string>
  args: Row
  /** Bodies that answered it in the recording, in order. */
  bodies: Raw[]
  /** How many answers there are at its path, whatever the filter. */
  most: number
}

/** Path and filter without letter case, spaces and the terms that are known to differ. */
const keyOf = (url: string, tool: string): string => {
  const { pathname, searchParams } = new URL(url)
  const left = differences[tool]?.terms ?? []
  const terms = [...termsOf(searchParams.get('$filter'))].filter(([term]) => !left.includes(term))
  return `${decodeURIComponent(pathname).replace(/\/$/, '')}?${terms.map(term => term.join('=')).join('&')}`.toLowerCase()
}

const rowsIn = (body: unknown, kind: Kind): Raw[] =>
  kind.rows === undefined ? [body as Raw] : ((at(body, 'value') ?? []) as Raw[])

/** Which arguments ask for what a recorded path names. */
const scopeOf = (kind: Kind, pathname: string): Row => {
  const [, scope = '', name] = kind.path.exec(pathname) ?? []
  if (kind.tool === 'list_vaults') {
    const [, subscriptionId, , group] = /^\/subscriptions\/([^/]+)(\/resourceGroups\/([^/]+))?/i.exec(pathname) ?? []
    return { subscription: subscriptionId, ...(group === undefined ? {} : { resource_group: group }) }
  }
  if (kind.tool === 'list_recovery_points') return { item: scope }
  if (kind.tool === 'check_registration_status')
    return { vault: scope, vm: name?.split(';').slice(2).join('/'), workload_type: 'AnyDatabase' }
  if (kind.tool === 'get_policy_details') return { vault: scope, policy_name: name }
  if (kind.tool === 'get_job_details') return { vault: scope, job_id: name }
  return { vault: scope }
}

/** Everything that a recording asks of what the tools answer, lists first: one question of each path and filter. */
const questionsOf = ({ exchanges }: Recording, tools: readonly ServedTool[]): Asked[] => {
  const found = new Map<string, Asked>()
  for (const { request, response } of exchanges) {
    const url = new URL(request.url)
    const pathname = decodeURIComponent(url.pathname)
    const kind = Object.values<Kind>(kinds).find(each => each.path.test(pathname))
    if (!kind || request.method !== 'GET' || response.status !== 200) continue
    const terms = termsOf(url.searchParams.get('$filter'))
    const tool = tools.find(({ name }) => name === toolPrefix + kind.tool)
    const taken = new Set(Object.keys((tool?.inputSchema.properties ?? {}) as Row))
    const args = {
      ...(kind.tool === 'list_backup_jobs' ? { since: begin } : {}),
      ...(kind.rows === undefined ? {} : { limit: 1000 }),
      ...scopeOf(kind, pathname),
      ...argumentsOf(terms, taken),
    }
    const name = `${pathname}?${[...terms].map(term => term.join(' eq ')).join(' and ')}`
    const key = keyOf(request.url, kind.tool)
    const asked: Asked = found.get(key) ?? { kind, name, key, terms, args, bodies: [], most: 0 }
    found.set(key, asked)
    asked.bodies.push(response.body as Raw)
  }
  const pathOf = ({ key }: Asked) => key.split('?')[0]
  for (const asked of found.values())
    for (const { bodies } of [...found.values()].filter(each => pathOf(each) === pathOf(asked)))
      asked.most += bodies.length
  return [...found.values()].sort((a, b) => Number(a.kind.rows === undefined) - Number(b.kind.rows === undefined))
}

/** True for a row that a filter means. In a replay, a request that was not recorded is answered by the nearest list. */
const isMeant = (raw: Raw, terms: ReadonlyMap<string, string>): boolean =>
  ['status', 'operation'].every(term => {
    const [wanted, own] = [terms.get(term), String(at(raw, `properties.${term}`)).replace(/ \(.*/, '')]
    return wanted === undefined || wanted.toLowerCase() === own.toLowerCase()
  })

/** What a server recorded since the last look. */
const witness = (folder: string) => {
  let seen = 0
  return (): Exchange[] => {
    const [name] = existsSync(folder) ? readdirSync(folder).filter(file => file.endsWith('.json')) : []
    if (name === undefined) return []
    const { exchanges } = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Recording
    const fresh = exchanges.slice(seen)
    seen = exchanges.length
    return fresh
  }
}

const replayed = async (t: Test, file: string): Promise<Set<string>> => {
  const recording = JSON.parse(readFileSync(path.join(recordings, file), 'utf8')) as Recording
  const folder = path.join(t.testdir({}), 'sent')
  const calls = await checked(t, {
    args: ['--replay', path.join(recordings, file), '--record', folder],
    env: { AZURE_SUBSCRIPTION_ID: '00000000-0000-0000-0000-000000000000' },
  })
  const sent = witness(folder)
  const answered = new Set<string>()
  const good = async (tool: string, args: Row): Promise<Row> => {
    answered.add(tool)
    const body = await calls.good(tool, args)
    t.notMatch(JSON.stringify(body), /"(0001|2001)-01-01T/, `${tool}: no time that stands for none`)
    return body
  }

  for (const { kind, name, key, terms, args, bodies, most } of questionsOf(recording, calls.tools)) {
    if (!calls.tools.some(tool => tool.name === toolPrefix + kind.tool)) continue
    const unseen = new Set(bodies.flatMap(body => rowsIn(body, kind)).map(raw => JSON.stringify(raw)))
    // An empty answer before a full one: the same question was asked again, and got more.
    // A filter that was never recorded to the letter takes turns with all answers at its path.
    for (let turn = 0; turn < bodies.length || (turn < most && unseen.size > 0); turn++) {
      const body = await good(kind.tool, args)
      const fresh = sent()
      const gets = fresh.filter(({ response }) => response.status === 200)
      const own = gets.filter(({ request }) => kind.path.test(decodeURIComponent(new URL(request.url).pathname)))
      t.ok(own.map(({ request }) => keyOf(request.url, kind.tool)).includes(key), `${kind.tool} asks ${name}`)
      const others = gets
        .map(({ request }) => request.url)
        .filter(url => keyOf(url, kind.tool) !== key && !besides[kind.tool]?.asked.test(decodeURIComponent(url)))
      t.same(others, [], `${kind.tool} ${JSON.stringify(args)} asks nothing else`)

      const raws = new Map(own.flatMap(({ response }) => rowsIn(response.body, kind)).map(raw => [String(raw.id), raw]))
      for (const [id, raw] of raws) if (!isMeant(raw, terms)) raws.delete(id)
      const rows = kind.rows === undefined ? [body] : ((body[kind.rows] ?? []) as Row[])
      t.same(rows.map(({ id }) => id).sort(), [...raws.keys()].sort(), `${kind.tool} ${name}: every row, once`)
      for (const row of rows) {
        const raw = raws.get(String(row.id)) ?? {}
        t.same(faultsOf(row, raw, kind.fields), [], `${kind.tool}: ${row.id}`)
        unseen.delete(JSON.stringify(raw))
      }
    }
    t.same([...unseen], [], `${kind.tool} ${name}: every row that was recorded came out`)
  }

  const once = new Set<string>()
  for (const { request, response } of recording.exchanges) {
    const { origin, pathname } = new URL(request.url)
    if (request.method !== 'GET' || response.status !== 200 || once.has(request.url)) continue
    once.add(request.url)
    const [container] = rowsIn(response.body, kinds.jobs)
    if (container && /backupProtectionContainers\?.*AzureWorkload/i.test(decodeURIComponent(request.url))) {
      const inVault = pathname.replace(/\/backupProtectionContainers$/i, '')
      const vm = at(container, 'properties.friendlyName')
      sent()
      const status = await good('check_registration_status', { vault: inVault, vm, workload_type: 'AnyDatabase' })
      t.same(faultsOf(status, container, kinds.container.fields), [], 'check_registration_status')
      const [list] = sent()
      const [live, recorded] = [list?.request.url ?? 'https://nothing/', request.url]
      t.equal(keyOf(live, 'check_registration_status'), keyOf(recorded, 'check_registration_status'), recorded)
    }
    const vault = /\/vaults\/([^/]+)$/i.exec(pathname)?.[1]
    if (vault !== undefined) {
      const posture = await good('get_vault', { vault: pathname, include_raw: true })
      t.match(posture, { vault_name: vault, provisioning_state: 'Succeeded', raw: { name: vault } })
      const { checks } = (await good('test_connection', { vault: pathname })) as { checks: Row[] }
      t.match(checks[3], { name: 'vault', status: 'ok' })
    }
    if (/\/backupOperations\/[^/]+$/i.test(pathname))
      t.match(await good('track_async_operation', { operation_url: origin + pathname }), {
        vault_name: String,
        status: /^(in_progress|succeeded|succeeded_with_warnings|failed)$/,
        start_time: time,
      })
  }
  t.equal(await calls.server.end(), 0)
  // Some of them hold a 429 or a 504, which is asked again.
  t.match(calls.server.stderr, /^(\S+ warning asking Azure again .*\n)*$/)
  return answered
}

t.test('recordings', skipped, async t => {
  const answered = new Set<string>()
  for (const file of files)
    t.test(file, async t => {
      for (const tool of await replayed(t, file)) answered.add(tool)
    })
  t.test('every reading tool that lists was asked', async t => {
    // No recording here lists workload items.
    const { workloadItems: _, ...others } = kinds
    for (const { tool } of Object.values(others)) t.ok(answered.has(tool), tool)
  })
})

t.test('what was recorded is replayed alike, and holds no secret', async t => {
  const secrets = [
    'test-token-0123456789',
    'c2VjcmV0LXNpZ25hdHVyZQ',
    'SIGNED-PART',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln',
  ]
  const [token, signature, signed, jwt] = secrets
  const job = '00000000-0000-0000-0001-000000000001'
  const sas = `https://account.blob.core.windows.net/c/script.py?sv=2024-01-01&sig=${signature}%3D`
  const azure = await fakeArm(t, ({ url }, response) => {
    const [place = ''] = url.replace(vaultPath, '').split('?')
    if (place === '') {
      const redundancySettings = { standardTierStorageRedundancy: 'GeoRedundant' }
      const securitySettings = { softDeleteSettings: { softDeleteState: 'Enabled' } }
      return json(response, 200, {
        id: vaultPath,
        name: 'vault-prod',
        location: 'eastus',
        tags: { link: sas, note: `Bearer ${jwt}` },
        properties: { redundancySettings, securitySettings },
      })
    }
    if (place === '/backupPolicies') {
      const page = url.includes('skipToken') ? 2 : 1
      const properties = { backupManagementType: 'AzureIaasVM' }
      const nextLink = `${azure.endpoint}${vaultPath}/backupPolicies?api-version=2025-08-01&$skipToken=2`
      const value = [{ id: `${vaultPath}/backupPolicies/p${page}`, name: `p${page}`, properties }]
      return json(response, 200, page === 1 ? { value, nextLink } : { value }, { 'set-cookie': `session=${signed}` })
    }
    if (place.startsWith('/backupJobs/'))
      return json(response, 200, {
        id: `${vaultPath}/backupJobs/${job}`,
        name: job,
        properties: { operation: 'Backup', status: 'Completed', extendedInfo: { propertyBag: { 'Script link': sas } } },
      })
    if (place.startsWith('/backupOperations/'))
      return json(response, 200, {
        id: 'o',
        name: 'o',
        status: 'Succeeded',
        properties: { objectType: 'x', jobId: job },
      })
    azureError(response, 404, 'ResourceNotFound', `Nothing at ${sas}`)
  })
  const operation_url = `${azure.endpoint}${vaultPath}/backupOperations/00000000-0000-0000-0002-000000000001?api-version=2025-08-01&t=1&c=${signed}&s=${signed}&h=${signed}`
  const folder = t.testdirName.concat('-recorded')
  const run = async (args: readonly string[]): Promise<unknown[]> => {
    const calls = await checked(t, { args: [...azure.args, ...args], env: azure.env })
    const told = [
      await calls.good('get_vault', { include_raw: true }),
      await calls.good('list_policies', { limit: 1000 }),
      await calls.good('get_job_details', { job_id: job, include_raw: true }),
      await calls.good('track_async_operation', { operation_url }),
      // Each request has an id of its own.
      { ...(await calls.bad('get_vault', { vault: 'rg-backup/vault-gone' })), details: undefined },
    ]
    t.equal(await calls.server.end(), 0)
    t.equal(calls.server.stderr, '')
    return told
  }
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const live = await run(['--record', folder])
  const [name = '', ...others] = readdirSync(folder)
  t.same(others, [])
  t.match(name, /^\d{4}-\d\d-\d\dT[\d-]+(\.\d+)?Z-\d+\.json$/)
  const file = path.join(folder, name)
  t.equal(statSync(file).mode & 0o777, 0o600)
  const text = readFileSync(file, 'utf8')
  for (const secret of secrets) t.notOk(text.includes(secret), `${secret} is not in the file`)
  for (const secret of secrets) t.notOk(JSON.stringify(live).includes(secret), `${secret} is in no result`)
  t.ok(azure.seen.some(({ headers }) => headers.authorization === `Bearer ${token}`))

  const schema = JSON.parse(readFileSync(path.join(root, 'schemas/fixture.json'), 'utf8'))
  const ajv = new Ajv2020({ allErrors: true, strict: false })
  addFormats.default(ajv)
  t.ok(ajv.validate(schema, JSON.parse(text)), JSON.stringify(ajv.errors))
  t.match(JSON.parse(text), { source: { kind: 'recorded', apiVersion: '2025-08-01' } })
  t.equal(JSON.parse(text).exchanges.length, azure.seen.length)
  t.ok(text.includes(subscription), 'ids and names stay')

  const asked = azure.seen.length
  const again = await run(['--replay', folder])
  t.equal(azure.seen.length, asked, 'nothing was asked again')
  t.same(again, live)
})
