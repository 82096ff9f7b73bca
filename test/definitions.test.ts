/** Azure's definitions held against what Azure sent, against their own examples, and against the project's fixtures. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { readRecordings } from '../src/arm/recordings.ts'
import { azure, published, skip } from './helpers/definitions/generations.ts'
import type { Operation, Swagger } from './helpers/definitions/swagger.ts'
import { type Exchange, faultsOf, sentFaults } from './helpers/definitions.ts'
import { root } from './helpers/server.ts'
import { fixtures } from './helpers/strict-replay.ts'

const recordings = path.join(root, '../shared/recordings')

type Named = [file: string, exchange: Exchange]

const exchangesIn = async (folder: string): Promise<Named[]> => {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.json'))
  const read = names.sort().map(async name => {
    const found = await readRecordings(path.join(folder, name), fs)
    return found.flatMap(({ exchanges }) => exchanges.map((one): Named => [name, one]))
  })
  return (await Promise.all(read)).flat()
}

/** Faults by exchange: only of those that have any. */
const faulty = (exchanges: readonly Named[]): Record<string, string[]> =>
  Object.fromEntries(
    exchanges
      .map(([file, one]): [string, string[]] => [
        `${file}: ${one.request.method} ${one.request.url} ${one.response?.status}`,
        faultsOf(one),
      ])
      .filter(([, faults]) => faults.length > 0),
  )

/** Published examples that their own definition refuses, and what it has against them. */
const wrongExamples: Record<string, string[]> = {
  // The state has words; an older version had a boolean.
  'BackupResourceEncryptionConfig_Put.json': [
    'request/properties/infrastructureEncryptionState: "true" is none of Invalid, Disabled, Enabled',
  ],
  // Containers are filtered by management type alone, on the wire as well.
  'ProtectableContainers_List.json': [
    'query $filter: workloadType is none of backupManagementType, containerType, backupEngineName, fabricName, status, friendlyName',
  ],
}

interface Example {
  parameters: Record<string, unknown>
  responses: Record<string, { body?: unknown }>
}

/** A published example as exchanges: one for each of its answers. */
const exampleExchanges = (
  swagger: Swagger,
  template: string,
  method: string,
  operation: Operation,
  file: string,
): Named[] => {
  const { parameters, responses } = JSON.parse(readFileSync(path.join(azure, file), 'utf8')) as Example
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, name) => encodeURIComponent(`${parameters[name]}`))
  const url = new URL(filled, 'https://management.azure.com')
  const defined = (operation.parameters ?? []).map(one => swagger.parameter(one))
  for (const { name = '', in: place } of defined)
    if (place === 'query' && parameters[name] !== undefined) url.searchParams.set(name, `${parameters[name]}`)
  const body = parameters[defined.find(({ in: place }) => place === 'body')?.name ?? '']
  const request = { method: method.toUpperCase(), url: url.href, body }
  return Object.entries(responses).map(([status, { body }]) => [
    path.basename(file),
    { request, response: { status: Number(status), body } },
  ])
}

const vault =
  '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault-prod'
const container = `${vault}/backupFabrics/Azure/protectionContainers/VMAppContainer;Compute;rg-data;sql-01`
const item = `${container}/protectedItems/SQLDataBase;mssqlserver;orders`
const jobId = '00000000-0000-0000-0001-000000000001'

const exchange = (asked: string, body?: unknown, response?: Exchange['response']): Exchange => {
  const [, method = '', where = ''] = /^(\w+) (.*)$/.exec(asked) ?? []
  const url = new URL(where, 'https://management.azure.com')
  if (!url.search.includes('api-version=')) url.searchParams.set('api-version', '2025-08-01')
  return { request: { method, url: url.href, body }, ...(response ? { response } : {}) }
}
const answered = (asked: string, body: unknown, status = 200): Exchange => exchange(asked, undefined, { status, body })
const listOf = (...value: unknown[]) => ({ value: value.map(properties => ({ properties })) })
const sqlItem = { protectedItemType: 'AzureVmWorkloadSQLDatabase', policyId: `${vault}/backupPolicies/sql` }
const jobProperties = { jobType: 'AzureIaaSVMJob', backupManagementType: 'AzureIaasVM', operation: 'Backup' }

/** What is defined, so that what follows fails for the one thing that is wrong with it. */
const rightRows: [name: string, Exchange][] = [
  ['a list', exchange(`GET ${vault}/backupJobs`)],
  ['any letter case in a path', exchange(`GET ${vault.toUpperCase()}/BACKUPJOBS`)],
  ['an encoded name', exchange(`GET ${item.replaceAll(';', '%3B')}?$filter=expand eq 'extendedInfo'`)],
  [
    'a filter with times, words and a quote',
    exchange(
      `GET ${vault}/backupJobs?$filter=startTime eq '2026-11-21 12:00:00 AM' and operation eq 'Backup' and jobId eq 'o''b'`,
    ),
  ],
  ['a boolean in a filter', exchange(`GET ${item}/recoveryPoints?$filter=extendedInfo eq 'True'`)],
  ['a word that came later', exchange(`GET ${vault}/backupProtectedItems?$filter=itemType eq 'SAPHanaDBInstance'`)],
  ['the next page', exchange(`GET ${vault}/backupPolicies?$skipToken=abc`)],
  [
    'a state that only lists of the paired region have',
    answered(
      `GET ${item}/recoveryPoints/?api-version=2021-11-15`,
      listOf({ objectType: 'IaasVMRecoveryPoint', crossRegionRestoreState: 'Supported' }),
    ),
  ],
  ['the list of the paired region', exchange(`GET ${vault}/backupProtectedItems/?api-version=2021-11-15`)],
  ['a signed polling URL', exchange(`GET ${vault}/backupOperations/${jobId}?t=1&c=2&s=3&h=4`)],
  [
    'a polling URL of two question marks',
    exchange(`GET ${vault}/backupOperationResults/1?fabricName=Azure?api-version=2020-10-01`),
  ],
  ['a change', exchange(`PUT ${item}`, { properties: sqlItem }, { status: 202 })],
  ['an error', answered(`GET ${vault}/backupJobs`, { error: { code: 'Busy', message: 'Later.' } }, 429)],
  [
    'numbers of 2020-10-01',
    answered(`GET ${vault}/backupJobs/1?api-version=2020-10-01`, {
      properties: { ...jobProperties, actionsInfo: [1] },
    }),
  ],
  [
    'a state that came later',
    answered(`GET ${item}`, { properties: { ...sqlItem, protectionState: 'BackupsSuspended' } }),
  ],
  [
    'what a class gained that is not in the type files',
    exchange(
      `POST ${item}/recoveryPoints/1/restore`,
      { properties: { objectType: 'IaasVMRestoreRequest', securedVMDetails: {}, resourceGuardOperationRequests: [] } },
      { status: 202 },
    ),
  ],
  [
    'nothing where a value may be missing',
    answered(`GET ${item}`, { properties: { ...sqlItem, lastRecoveryPoint: null } }),
  ],
]

const wrongRows: [name: string, Exchange, faults: RegExp[]][] = [
  ['a path', exchange(`GET ${vault}/backupThings`), [/^path: nothing is defined at .*backupThings$/]],
  ['a fabric that is not Azure', exchange(`GET ${vault}/backupFabrics/Other/protectableContainers`), [/^path: /]],
  ['an empty name in a path', exchange(`GET ${vault}/backupPolicies/`), [/^path: /]],
  ['a method', exchange(`POST ${vault}/backupJobs`), [/^method: .* is defined for GET, not for POST$/]],
  ['a version', exchange(`GET ${vault}/backupJobs?api-version=2025-08-02`), [/^query api-version: 2025-08-02 is none/]],
  [
    'a version of the paired region for what is not there',
    exchange(`GET ${vault}/backupProtectedItems/?api-version=2025-08-01`),
    [/^query api-version: /],
  ],
  ['a query parameter', exchange(`GET ${vault}/backupJobs?$top=5`), [/^query \$top: is not defined for GET /]],
  [
    'a query parameter twice',
    exchange(`GET ${vault}/backupJobs?$skipToken=a&$skiptoken=b`),
    [/^query \$skiptoken: is there twice$/],
  ],
  [
    'a filter where there is none',
    exchange(`GET ${vault}/usages?$filter=a eq 'b'`),
    [/^query \$filter: is not defined/],
  ],
  [
    'a name in a filter',
    exchange(`GET ${vault}/backupJobs?$filter=state eq 'Failed'`),
    [/^query \$filter: state is none of status, /],
  ],
  [
    'a word in a filter',
    exchange(`GET ${vault}/backupJobs?$filter=status eq 'Fine'`),
    [/^query \$filter status: "Fine" is none of /],
  ],
  [
    'a time in a filter',
    exchange(`GET ${vault}/backupJobs?$filter=startTime eq '2026-11-21T00:00:00Z'`),
    [/^query \$filter startTime: /],
  ],
  [
    'the grammar of a filter',
    exchange(`GET ${vault}/backupJobs?$filter=status eq Failed`),
    [/^query \$filter: cannot be read from "status eq Failed"$/],
  ],
  [
    'an end of a filter',
    exchange(`GET ${vault}/backupJobs?$filter=status eq 'Failed' and `),
    [/^query \$filter: cannot be read from /],
  ],
  [
    'a filter that must be there',
    exchange(`GET ${vault}/backupProtectionContainers`),
    [/^query \$filter: backupManagementType must be there$/],
  ],
  ['no body', exchange(`PUT ${item}`), [/^request: must have a body$/]],
  ['a body where there is none', exchange(`POST ${vault}/backupJobs/1/cancel`, {}), [/^request: must have no body$/]],
  [
    'no discriminator',
    exchange(`PUT ${item}`, { properties: { policyId: '' } }),
    [/^request\/properties\/protectedItemType: must say which of /],
  ],
  [
    'a discriminator',
    exchange(`PUT ${item}`, { properties: { protectedItemType: 'Thing' } }),
    [/^request\/properties\/protectedItemType: "Thing" is none of /],
  ],
  [
    'a property that is sent',
    exchange(`PUT ${item}`, { properties: { ...sqlItem, colour: 'red' } }),
    [/^request\/properties\/colour: is not defined$/],
  ],
  [
    'a property of another kind',
    exchange(`PUT ${item}`, { properties: { ...sqlItem, fabricName: 'Azure' } }),
    [/^request\/properties\/fabricName: is not defined$/],
  ],
  [
    'what is read-only',
    exchange(`PUT ${item}`, { id: item, properties: { ...sqlItem, workloadType: 'SQLDataBase' } }),
    [/^request\/id: is read-only$/, /^request\/properties\/workloadType: is read-only$/],
  ],
  ['a status', answered(`GET ${vault}/backupJobs`, listOf(), 201), [/^status: 201 is none of 200 for GET /]],
  ['an empty answer', answered(`GET ${vault}/backupJobs`, undefined), [/^response: must have a body$/]],
  [
    'an answer with something for nothing',
    answered(`GET ${container}/operationResults/1`, { id: '1' }, 202),
    [/^response\/id: is not defined$/],
  ],
  ['an error', answered(`GET ${vault}/backupJobs`, { message: 'Later.' }, 500), [/^response: must be an error/]],
  [
    'types deep inside',
    answered(
      `GET ${vault}/backupJobs`,
      listOf(jobProperties, {
        ...jobProperties,
        errorDetails: [{ errorCode: '1', recommendations: [2] }],
        duration: {},
      }),
    ),
    [
      /^response\/value\/1\/properties\/errorDetails\/0\/errorCode: must be integer, is "1"$/,
      /^response\/value\/1\/properties\/errorDetails\/0\/recommendations\/0: must be string, is 2$/,
      /^response\/value\/1\/properties\/duration: must be string, is \{\}$/,
    ],
  ],
  [
    'a time',
    answered(`GET ${vault}/backupJobs`, listOf({ ...jobProperties, startTime: 'now' })),
    [/^response\/value\/0\/properties\/startTime: "now" is no time$/],
  ],
  [
    'numbers after 2020-10-01',
    answered(`GET ${vault}/backupJobs/1`, { properties: { ...jobProperties, actionsInfo: [1] } }),
    [/^response\/properties\/actionsInfo\/0: must be string, is 1$/],
  ],
  [
    'a state before its time',
    answered(`GET ${item}?api-version=2020-10-01`, { properties: { ...sqlItem, protectionState: 'BackupsSuspended' } }),
    [/^response\/properties\/protectionState: "BackupsSuspended" is none of /],
  ],
  [
    'values of a map',
    answered(`GET ${item}`, { properties: { ...sqlItem, kpisHealths: { 'a/b': { resourceHealthStatus: 'Ill' } } } }),
    [/^response\/properties\/kpisHealths\/a~1b\/resourceHealthStatus: "Ill" is none of /],
  ],
  [
    'what must be there',
    answered('GET /subscriptions', { value: [{ id: '/subscriptions/1' }] }),
    [
      /^response\/value\/0\/subscriptionId: must be there$/,
      /^response\/value\/0\/displayName: must be there$/,
      /^response\/value\/0\/state: must be there$/,
    ],
  ],
]

t.test("Azure's own definitions", { skip }, async t => {
  t.test('every exchange of every fixture is one that Azure defines', async t => {
    t.strictSame(faulty(await exchangesIn(fixtures)), {})
  })

  t.test(
    'every recorded exchange is one that Azure defines, but for what is known',
    { skip: existsSync(recordings) ? false : 'needs ../shared/recordings, which is not there' },
    async t => {
      const exchanges = await exchangesIn(recordings)
      t.ok(exchanges.length > 500)
      t.strictSame(faulty(exchanges), {})
    },
  )

  t.test('every published example is what its definition says, but for those known to be wrong', async t => {
    const exchanges = published().flatMap(swagger =>
      Object.entries(swagger.document.paths ?? {}).flatMap(([template, methods]) =>
        Object.entries(methods).flatMap(([method, operation]) =>
          Object.values(operation['x-ms-examples'] ?? {}).flatMap(({ $ref }) =>
            exampleExchanges(swagger, template, method, operation, $ref),
          ),
        ),
      ),
    )
    t.ok(exchanges.length > 100)
    const wrong = exchanges.map(([file, one]): [string, string[]] => [file, faultsOf(one)])
    t.strictSame(Object.fromEntries(wrong.filter(([, faults]) => faults.length > 0)), wrongExamples)
  })

  for (const [name, one] of rightRows) t.test(`defined: ${name}`, async t => t.strictSame(faultsOf(one), []))

  for (const [name, one, expected] of wrongRows)
    t.test(`not defined: ${name}`, async t => {
      const faults = faultsOf(one)
      t.equal(faults.length, expected.length, JSON.stringify(faults))
      for (const [index, fault] of expected.entries()) t.match(faults[index], fault)
    })

  t.test('what a test saw being sent is named with all that is wrong with it', async t => {
    const url = `https://management.azure.com${vault}/backupJobs?api-version=2025-08-01`
    t.strictSame(sentFaults('GET', url, ''), [])
    t.strictSame(sentFaults('GET', `${url}&a=1`, 'text'), [
      [
        `Azure does not define GET ${url}&a=1`,
        '  query a: is not defined for GET /subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupJobs',
        '  request: must have no body',
      ].join('\n'),
    ])
    t.match(sentFaults('PUT', url.replace('backupJobs', 'backupPolicies/p'), 'text'), [
      /request: must be object, is "text"/,
    ])
  })
})
