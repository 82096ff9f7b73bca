/** What all resources lie in: subscriptions, groups, providers; and who may do what. */
import { page } from './answers.ts'
import { type Answer, type Call, ok, type Route } from './call.ts'
import { groupOf, inGroup, inSubscription, inVault, subscriptionOf, vaultOf } from './finding.ts'
import { isSame } from './odata.ts'
import { Refusal } from './refusal.ts'
import { listed } from './resources.ts'
import type { ResourceGroup, Subscription } from './state.ts'
import type { World } from './world.ts'

const toSubscription = ({ state }: World, { id, name }: Subscription) => ({
  id: `/subscriptions/${id}`,
  subscriptionId: id,
  tenantId: state.tenantId,
  displayName: name,
  state: 'Enabled',
  subscriptionPolicies: {
    locationPlacementId: 'Public_2014-09-01',
    quotaId: 'PayAsYouGo_2014-09-01',
    spendingLimit: 'Off',
  },
  authorizationSource: 'RoleBased',
  managedByTenants: [],
})

const toTenant = (tenantId: string) => ({
  id: `/tenants/${tenantId}`,
  tenantId,
  displayName: 'Contoso',
  defaultDomain: 'contoso.onmicrosoft.com',
  tenantCategory: 'Home',
})

const toGroup = ({ subscriptionId, name, location }: ResourceGroup) => ({
  id: `/subscriptions/${subscriptionId}/resourceGroups/${name}`,
  name,
  type: 'Microsoft.Resources/resourceGroups',
  location,
  properties: { provisioningState: 'Succeeded' },
})

/** Classic providers are gone (section 11.2): whoever asks them is told so. */
const classic = ({ path }: Call): never => {
  const [, namespace] = /\/providers\/([^/]+)/i.exec(path) ?? []
  throw new Refusal(404, 'InvalidResourceNamespace', `The resource namespace '${namespace}' is invalid.`)
}

const providers: readonly (readonly [namespace: string, ...types: string[]])[] = [
  ['Microsoft.RecoveryServices', 'vaults', 'operations', 'locations', 'locations/backupStatus', 'backupProtectedItems'],
  ['Microsoft.Compute', 'virtualMachines', 'disks', 'locations'],
  ['Microsoft.Network', 'virtualNetworks', 'locations'],
  ['Microsoft.Storage', 'storageAccounts', 'locations'],
]

const toProvider = (subscriptionId: string, [namespace, ...types]: (typeof providers)[number]) => ({
  id: `/subscriptions/${subscriptionId}/providers/${namespace}`,
  namespace,
  registrationState: 'Registered',
  registrationPolicy: 'RegistrationRequired',
  resourceTypes: types.map(resourceType => ({
    resourceType,
    locations: [],
    apiVersions: ['2025-08-01', '2016-06-01'],
  })),
})

const getProvider = (call: Call): Answer => {
  const { id } = subscriptionOf(call)
  const found = providers.find(([namespace]) => isSame(namespace, call.params.namespace))
  if (found) return ok(toProvider(id, found))
  throw new Refusal(404, 'InvalidResourceNamespace', `The resource namespace '${call.params.namespace}' is invalid.`)
}

/** The one caller that there is owns everything. */
const permissions = (call: Call): Answer =>
  page(call, [{ actions: ['*'], notActions: [], dataActions: [], notDataActions: [] }], row => row)
/** Asked of a thing that must be there. */
const permissionsOn =
  (thing: (call: Call) => unknown) =>
  (call: Call): Answer => {
    thing(call)
    return permissions(call)
  }

const listSubscriptions = (call: Call): Answer =>
  page(call, [...call.world.state.subscriptions.values()], row => toSubscription(call.world, row))

const listGroups = (call: Call): Answer => {
  const { id } = subscriptionOf(call)
  const groups = [...call.world.state.groups.values()].filter(({ subscriptionId }) => isSame(subscriptionId, id))
  return page(call, groups, toGroup)
}

const authorization = 'providers/Microsoft.Authorization/permissions'
const get = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, handle })

export const estateRoutes: readonly Route[] = [
  get('/subscriptions', listSubscriptions),
  get(inSubscription, call => ok(toSubscription(call.world, subscriptionOf(call)))),
  get('/tenants', call => page(call, [call.world.state.tenantId], toTenant)),
  get(`${inSubscription}/resourceGroups`, listGroups),
  get(inGroup, call => ok(toGroup(groupOf(call)))),
  get(`${inSubscription}/${authorization}`, permissionsOn(subscriptionOf)),
  get(`${inGroup}/${authorization}`, permissionsOn(groupOf)),
  get(`${inVault}/${authorization}`, permissionsOn(vaultOf)),
  ...['Microsoft.ClassicStorage/storageAccounts', 'Microsoft.ClassicCompute/virtualMachines'].flatMap(type => [
    ...listed(type, classic),
    get(`${inGroup}/providers/${type}/{name}`, classic),
  ]),
  get(`${inSubscription}/providers`, call => {
    const { id } = subscriptionOf(call)
    return page(call, providers, provider => toProvider(id, provider))
  }),
  get(`${inSubscription}/providers/{namespace}`, getProvider),
]
