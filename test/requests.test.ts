/** What tools cost in requests to Azure, so that a look-up too many is seen where it comes in. */
import t from 'tap'
import { entries } from '../src/generated/catalog.ts'
import { createEstate, vaultId } from './helpers/estate.ts'
import { plainUses, requestsOf } from './helpers/plain-uses.ts'

for (const { name } of entries)
  t.test(`${name} sends as many requests as its row says`, async t => {
    const { sent, requests } = await requestsOf(name)
    t.same(requests, plainUses[name].requests, sent.join('\n'))
  })

const vault = vaultId('vault-prod')
const itemOf = (name: string): string => {
  const container = `iaasvmcontainerv2;rg-app;${name}`
  return `${vault}/backupFabrics/Azure/protectionContainers/IaasVMContainer;${container}/protectedItems/VM;${container}`
}
const readsOf = (name: string, ...policies: string[]): string[] =>
  [
    vault,
    `${itemOf(name)}?$filter=expand eq 'extendedInfo'`,
    ...policies.map(policy => `${vault}/backupPolicies/${policy}`),
  ].map(path => `GET ${path}`)

const protecting: [what: string, name: string, args: Record<string, unknown>, reads: string[]][] = [
  ['a VM', 'app-03', { workload_type: 'VM' }, readsOf('app-03', 'vm-daily-30d')],
  ["a VM, its workload the policy's", 'app-03', {}, readsOf('app-03', 'vm-daily-30d')],
  [
    'a VM that is under another policy',
    'web-01',
    { policy_name: 'DefaultPolicy' },
    readsOf('web-01', 'DefaultPolicy', 'vm-daily-30d'),
  ],
]
for (const [what, name, args, reads] of protecting)
  t.test(`protecting ${what}, by group and name, takes single reads, one write and its polls; no list`, async t => {
    const { call, taken } = createEstate({ confirmation: 'off' })
    const { isError } = await call('enable_protection', {
      item: `rg-app/${name}`,
      policy_name: 'vm-daily-30d',
      ...args,
    })
    t.notOk(isError)
    const sent = taken()
    t.same(sent.slice(0, reads.length).toSorted(), reads)
    const [write, ...polls] = sent.slice(reads.length)
    t.equal(write, `PUT ${itemOf(name)}`)
    t.same(
      polls.filter(text => !/^GET .*\/(backupOperations|backupJobs)\/[\w-]+$/.test(text)),
      [],
    )
  })
