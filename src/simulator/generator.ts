/** Large estates by their sizes, as an author would have listed them: for load tests. */
import type { Seed, SeedItem, SeedVault, SeedVirtualMachine } from '../generated/seed.ts'

const numbered = (prefix: string, index: number, digits: number): string =>
  `${prefix}-${String(index + 1).padStart(digits, '0')}`

const failed = { failing_since: -24, trouble: 'UserErrorGuestAgentStatusUnavailable' } as const

/** The items whose last backup failed are spread evenly. */
const isFailing = (index: number, percent: number): boolean =>
  Math.floor(((index + 1) * percent) / 100) > Math.floor((index * percent) / 100)

/** The estate with what its `generate` asks for beside what it lists. */
export const withGenerated = (estate: Seed): Seed => {
  const { generate, ...listed } = estate
  if (!generate) return estate
  const { vaults: count, items_per_vault: items, points_per_item: points = 30, location = 'eastus' } = generate
  const { unprotected_per_vault: unprotected = 0, failing_percent: percent = 2 } = generate
  const vaults: SeedVault[] = []
  const machines: SeedVirtualMachine[] = []
  for (let at = 0; at < count; at++) {
    const name = numbered('vault', at, 3)
    const resource_group = numbered('rg', at, 3)
    const rows: SeedItem[] = []
    for (let index = 0; index < items + unprotected; index++) {
      const vm = numbered(`vm-${name.slice('vault-'.length)}`, index, 4)
      const agent_ready = index >= items || !isFailing(index, percent)
      machines.push({ name: vm, resource_group, location, os: index % 3 === 0 ? 'Linux' : 'Windows', agent_ready })
      if (index >= items) continue
      const history = { days: points, ...(agent_ready ? {} : failed) }
      const source = { vm: `${resource_group}/${vm}` }
      rows.push({ source, policy: 'vm-daily', ...(points > 0 ? { history } : {}) })
    }
    const policies: SeedVault['policies'] = [
      { name: 'vm-daily', workload: 'VM', keep: { days: Math.max(points, 7) + 1 } },
    ]
    vaults.push({ name, resource_group, location, policies, items: rows })
  }
  return {
    ...listed,
    virtual_machines: [...(listed.virtual_machines ?? []), ...machines],
    vaults: [...(listed.vaults ?? []), ...vaults],
  }
}
