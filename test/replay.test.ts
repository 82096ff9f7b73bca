/** All fixtures: that they say what they are, hold no secret, and tell one story when they are replayed together. */
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { parseRecording, readRecordings, recordedOrigins } from '../src/arm/recordings.ts'
import { loadReplay, recordedSide } from '../src/arm/replay.ts'
import { scrubBody, scrubHeaders, scrubUrl } from '../src/arm/scrub.ts'
import type { Method } from '../src/arm/send.ts'
import { fixtures } from './helpers/strict-replay.ts'

const names = (await fs.readdir(fixtures, { recursive: true })).filter(name => name.endsWith('.json'))
const { signal } = new AbortController()

t.test('there are fixtures for every noun', async t => {
  t.same([...new Set(names.map(name => path.dirname(name)))].sort(), [
    'containers',
    'jobs',
    'operations',
    'policies',
    'protectable-containers',
    'protectable-items',
    'protected-items',
    'recovery-points',
    'subscriptions',
    'vaults',
    'workload-items',
  ])
})

for (const name of names)
  t.test(`${name} fits the schema, says where it is from, and holds nothing that is scrubbed`, async t => {
    const { about, source, exchanges } = await parseRecording(
      await fs.readFile(path.join(fixtures, name), 'utf8'),
      name,
    )
    t.match(about, /https:\/\/learn\.microsoft\.com\//)
    t.same(source, { kind: 'documented', on: '2026-11-22', apiVersion: '2025-08-01' })
    t.ok(exchanges.length > 0)
    for (const { request, response } of exchanges) {
      t.equal(scrubUrl(request.url), request.url)
      t.strictSame(scrubBody(request.body), request.body)
      t.strictSame(scrubHeaders(response.headers ?? {}), response.headers)
      t.strictSame(scrubBody(response.body), response.body)
    }
  })

t.test('all fixtures come from the default endpoint, and no two files answer the same request', async t => {
  const recordings = await readRecordings(fixtures, fs)
  t.same(recordedOrigins(recordings), ['https://management.azure.com'])
  const files = new Map<string, Set<number>>()
  for (const [file, { exchanges }] of recordings.entries())
    for (const { request } of exchanges) {
      const { key, query, body } = recordedSide(request)
      const asked = JSON.stringify([key, [...query].sort(), body])
      files.set(asked, (files.get(asked) ?? new Set()).add(file))
    }
  t.same(
    [...files].filter(([, set]) => set.size > 1).map(([asked]) => asked),
    [],
  )
})

t.test('replayed together, every recorded request gets its own answer, in order', async t => {
  const { send } = await loadReplay(fixtures, fs)
  for (const { request, response } of (await readRecordings(fixtures, fs)).flatMap(({ exchanges }) => exchanges)) {
    const body = request.body ? { body: JSON.stringify(request.body) } : {}
    const answer = await send({ method: request.method as Method, url: request.url, headers: {}, ...body }, signal)
    t.equal(answer.status, response.status, request.url)
    t.strictSame(answer.body ? JSON.parse(answer.body) : undefined, response.body, request.url)
  }
})

t.test(
  'the pages of the unfiltered list hold together what the filtered lists hold, and every policy counts its items',
  async t => {
    const { send } = await loadReplay(fixtures, fs)
    const vault =
      'https://management.azure.com/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault-prod'
    interface Row {
      id: string
      properties: { policyId?: string; protectedItemsCount?: number }
    }
    const rows = async (url: string): Promise<Row[]> => {
      const page = JSON.parse((await send({ method: 'GET', url, headers: {} }, signal)).body) as {
        value: Row[]
        nextLink?: string
      }
      return page.nextLink ? [...page.value, ...(await rows(page.nextLink))] : page.value
    }
    const all = await rows(`${vault}/backupProtectedItems?api-version=2025-08-01`)
    t.equal(all.length, 11)
    const parts: Row[] = []
    for (const type of ['AzureIaasVM', 'AzureWorkload', 'AzureStorage'])
      parts.push(...(await rows(`${vault}/backupProtectedItems?$filter=backupManagementType eq '${type}'`)))
    t.same(parts.map(({ id }) => id).sort(), all.map(({ id }) => id).sort())
    for (const { id, properties } of await rows(`${vault}/backupPolicies`))
      t.equal(properties.protectedItemsCount, all.filter(item => item.properties.policyId === id).length, id)
  },
)
