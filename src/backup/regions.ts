/**
 * Azure's paired regions: where the secondary copy of a geo-redundant vault is. Some pairs go one way only.
 * https://learn.microsoft.com/azure/reliability/regions-paired
 */
const bothWays: readonly (readonly [string, string])[] = [
  ['eastasia', 'southeastasia'],
  ['australiaeast', 'australiasoutheast'],
  ['australiacentral', 'australiacentral2'],
  ['canadacentral', 'canadaeast'],
  ['northeurope', 'westeurope'],
  ['francecentral', 'francesouth'],
  ['germanywestcentral', 'germanynorth'],
  ['centralindia', 'southindia'],
  ['japaneast', 'japanwest'],
  ['koreacentral', 'koreasouth'],
  ['eastus', 'westus'],
  ['eastus2', 'centralus'],
  ['northcentralus', 'southcentralus'],
  ['westus2', 'westcentralus'],
  ['southafricanorth', 'southafricawest'],
  ['switzerlandnorth', 'switzerlandwest'],
  ['uksouth', 'ukwest'],
  ['uaenorth', 'uaecentral'],
  ['norwayeast', 'norwaywest'],
  ['centraluseuap', 'eastus2euap'],
]
const oneWay: readonly (readonly [string, string])[] = [
  ['brazilsouth', 'southcentralus'],
  ['westindia', 'southindia'],
  ['westus3', 'eastus'],
]

const pairs: ReadonlyMap<string, string> = new Map([
  ...bothWays,
  ...bothWays.map(([a, b]) => [b, a] as const),
  ...oneWay,
])

/** The paired region of a location (`East US` or `eastus`); undefined where it has none that is known. */
export const pairedRegion = (location: string): string | undefined =>
  pairs.get(location.toLowerCase().replaceAll(' ', ''))
