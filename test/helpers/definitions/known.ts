/**
 * Where Azure does otherwise than its definitions say, and what lies outside of them: written as definitions themselves,
 * each part with its reason, and merged with those of the same name or path. Nothing else is let through.
 *
 * What a class is known to have, everything that comes of it has as well. Paths are as in the definitions, of which
 * `bms.json#/definitions/…` takes a part.
 */
import type { Document, Operation, Parameter, Schema } from './swagger.ts'
import type { Family } from './views.ts'

export interface Difference {
  about: string
  family: Family
  /** Undefined: then as now. */
  when?: 'until 2022-02-01' | 'since then'
  document: Document
}

const location =
  '/subscriptions/{subscriptionId}/providers/Microsoft.RecoveryServices/locations/{azureRegion}/deletedVaults'
const vault =
  '/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}'
const fabric = `${vault}/backupFabrics/{fabricName}`
const container = `${fabric}/protectionContainers/{containerName}`

const object = (properties: Record<string, Schema>, description?: string): Schema => ({
  type: 'object',
  properties,
  ...(description === undefined ? {} : { description }),
})
const listOf = ($ref: string): Schema =>
  object({ value: { type: 'array', items: { $ref } }, nextLink: { type: 'string' } })
const query = (name: string): Parameter => ({ name, in: 'query' })

/** A GET that is answered 200 with `schema`. */
const gets = (schema: Schema, description: string, ...queries: string[]): Record<string, Operation> => ({
  get: { parameters: queries.map(query), responses: { 200: { description, schema } } },
})
const emptyObject = (description: string): Operation['responses'] => ({
  202: { description, schema: { type: 'object', additionalProperties: false } },
})
const status = { $ref: 'bms.json#/definitions/OperationStatus' }
const polledHere = 'Azure-AsyncOperation leads here, at 2019-05-13-preview (section 10.1)'

/** Of later versions, in which the id of the recovery point stands beside. */
const validation: Operation = {
  parameters: [
    {
      name: 'parameters',
      in: 'body',
      required: true,
      schema: {
        type: 'object',
        required: ['id', 'properties'],
        properties: { id: { type: 'string' }, properties: { $ref: 'bms.json#/definitions/ValidateOperationRequest' } },
      },
    },
  ],
  responses: {},
}

/** Is sent so, and comes back as AlwaysON (section 1.1). */
const alwaysOn: Schema = { type: 'string', enum: ['AlwaysOn'] }

const backup: Difference[] = [
  {
    about: 'backup, then as now',
    family: 'backup',
    document: {
      definitions: {
        AzureWorkloadJob: object({ isUserTriggered: { type: 'boolean' } }, 'on jobs of databases too (section 7.3)'),
        RecoveryPoint: object(
          { crossRegionRestoreState: { type: 'string', enum: ['Supported'] } },
          'in the lists of the paired region (section 8)',
        ),
        AzureVmWorkloadProtectableItem: object(
          { IsProtectable: { type: 'boolean' } },
          'starts with a capital, and stands in no definition (section 4.1)',
        ),
      },
      paths: {
        [`${vault}/backupResourceGuardProxies/{resourceGuardProxyName}`]: {
          put: {
            parameters: [
              { name: 'body', in: 'body', schema: { $ref: 'bms.json#/definitions/ResourceGuardProxyBaseResource' } },
            ],
            responses: {},
          },
        },
        [container]: { put: { responses: emptyObject('accepted with {} (section 2.2)') } },
        [`${container}/operationResults/{operationId}`]: {
          get: { responses: emptyObject('still running: {} (sections 2.2, 2.5)') },
        },
        [`${container}/operationsStatus/{operationId}`]: gets(status, polledHere),
        [`${fabric}/operationsStatus/{operationId}`]: gets(status, polledHere),
        [`${vault}/backupJobs/{jobName}/operationsStatus/{operationId}`]: gets(status, polledHere),
      },
    },
  },
  {
    about: 'backup, until 2022-02-01',
    family: 'backup',
    when: 'until 2022-02-01',
    document: {
      definitions: {
        Job: object(
          { actionsInfo: { type: 'array', items: { type: 'integer', enum: [0, 1, 2] } } },
          'numbers instead of words at 2020-10-01 (section 7.3)',
        ),
        RecoveryPointTierInformation: object(
          { type: { type: 'integer', enum: [0, 1, 2, 3] }, status: { type: 'integer', enum: [0, 1, 2, 3, 4] } },
          'numbers instead of words at 2020-10-01 (section 7.3)',
        ),
      },
    },
  },
  {
    about: 'backup, since then',
    family: 'backup',
    when: 'since then',
    document: {
      definitions: {
        BackupResourceVaultConfig: object({ softDeleteFeatureState: alwaysOn, enhancedSecurityState: alwaysOn }),
        ProtectedItem: object(
          { softDeleteRetentionPeriod: { type: 'integer' } },
          'on the wire without the InDays that the types say (section 4.3)',
        ),
        Resource: object(
          { systemData: { $ref: '#/definitions/SystemData' } },
          'of every resource in the type files, which do not tie it to these names',
        ),
        SystemData: object({}),
        AzureFileshareProtectedItem: object({ fileShareProtocol: { type: 'string' } }, 'SMB (section 4.3)'),
        IaasVMRecoveryPoint: object({ createdWithPolicyType: { type: 'string', enum: ['V1', 'V2'] } }, 'section 8'),
        AzureVmWorkloadSQLAvailabilityGroupProtectableItem: object(
          { nodesList: { type: 'array', items: { $ref: 'bms.json#/definitions/DistributedNodesInfo' } } },
          'as its container and the items in it have them; the type files leave protectable items out (assumed)',
        ),
        // Two kinds that are seen, or named beside those that are defined (section 4.1).
        WorkloadProtectableItem: { type: 'object', properties: {}, discriminator: 'protectableItemType' },
        SAPHanaDBInstanceProtectableItem: {
          allOf: [
            { $ref: 'bms.json#/definitions/AzureVmWorkloadProtectableItem' },
            { $ref: '#/definitions/WorkloadProtectableItem' },
          ],
          'x-ms-discriminator-value': 'SAPHanaDBInstance',
        },
        SAPAseDatabaseProtectableItem: {
          allOf: [
            { $ref: 'bms.json#/definitions/AzureVmWorkloadProtectableItem' },
            { $ref: '#/definitions/WorkloadProtectableItem' },
          ],
          'x-ms-discriminator-value': 'SAPAseDatabase',
        },
      },
      paths: {
        [`${vault}/backupValidateOperation`]: { post: validation },
        [`${vault}/backupTriggerValidateOperation`]: { post: validation },
        [`${vault}/backupPolicies/{policyName}`]: {
          delete: { responses: { 202: { description: 'newer clients follow it as an operation (section 5)' } } },
        },
        [`${vault}/backupDeletedProtectionContainers`]: {
          get: {
            parameters: [query('$filter')],
            responses: {
              200: {
                description: 'since 2023-06-01 (section 2.3)',
                schema: { $ref: 'bms.json#/definitions/ProtectionContainerResourceList' },
              },
            },
            'x-ms-odata': 'bms.json#/definitions/BMSContainerQueryObject',
          },
        },
      },
    },
  },
]

const operation = { $ref: 'vaults.json#/definitions/OperationResource' }

const vaults: Difference[] = [
  {
    about: 'vaults, then as now',
    family: 'vaults',
    document: {
      definitions: {
        UserIdentity: object({ objectId: { type: 'string' } }, 'recorded at 2016-06-01'),
        IdentityData: object(
          {
            type: {
              type: 'string',
              enum: ['none', 'systemassigned', 'userassigned', 'systemassigned,userassigned'],
            },
          },
          'so the Azure CLI 2.45.0 writes it (az backup vault identity assign)',
        ),
      },
      paths: {
        [vault]: {
          delete: { responses: { 204: { description: 'there is none: so answers Azure Resource Manager itself' } } },
        },
      },
    },
  },
  {
    about: 'vaults, since then',
    family: 'vaults',
    when: 'since then',
    document: {
      definitions: {
        VaultProperties: object({
          securitySettings: object({
            softDeleteSettings: object({ softDeleteState: alwaysOn, enhancedSecurityState: alwaysOn }),
          }),
        }),
        // Beside the rest, which the type files say.
        DeletedVault: object({ location: { type: 'string' } }, 'a field of its own (section 1.6)'),
        DeletedVaultUndeleteInput: object({}),
      },
      paths: {
        [vault]: {
          delete: {
            responses: {
              202: { description: 'an operation by now (section 1.3)' },
            },
          },
        },
        [location]: gets(listOf('#/definitions/DeletedVault'), 'since 2025-08-01 (section 1.6)'),
        [`${location}/{deletedVaultName}`]: gets({ $ref: '#/definitions/DeletedVault' }, 'section 1.6'),
        [`${location}/{deletedVaultName}/undelete`]: {
          post: {
            parameters: [
              {
                name: 'body',
                in: 'body',
                required: true,
                schema: { $ref: '#/definitions/DeletedVaultUndeleteInput' },
              },
            ],
            responses: { 200: { description: 'section 1.6' }, 202: { description: 'section 1.6' } },
          },
        },
        [`${location}/{deletedVaultName}/operations/{operationId}`]: gets(operation, 'section 1.6'),
      },
    },
  },
]

/** A resource of another provider: only what every resource of Azure has, and otherwise what it likes. */
const resource: Schema = {
  type: 'object',
  required: ['id', 'name', 'type'],
  properties: { id: { type: 'string' }, name: { type: 'string' }, type: { type: 'string' } },
  additionalProperties: {},
}
const subscription: Schema = {
  type: 'object',
  required: ['id', 'subscriptionId', 'displayName', 'state'],
  properties: {
    id: { type: 'string' },
    subscriptionId: { type: 'string' },
    displayName: { type: 'string' },
    state: { type: 'string', enum: ['Enabled', 'Warned', 'PastDue', 'Disabled', 'Deleted'] },
  },
  additionalProperties: {},
}
const names: Schema = { type: 'array', items: { type: 'string' } }
const permission: Schema = {
  type: 'object',
  properties: { actions: names, notActions: names, dataActions: names, notDataActions: names },
  additionalProperties: {},
}
const manyOf = (items: Schema): Schema => ({
  type: 'object',
  required: ['value'],
  properties: { value: { type: 'array', items }, nextLink: { type: 'string' } },
  additionalProperties: {},
})
const groups = '/subscriptions/{subscriptionId}/resourceGroups'
const anywhere = '/subscriptions/{subscriptionId}/providers'
const group = `${groups}/{resourceGroupName}`
const machines = `${group}/providers/Microsoft.Compute/virtualMachines`

const outside: Difference[] = [
  {
    about: 'outside of Recovery Services',
    family: 'outside',
    document: {
      paths: {
        '/subscriptions': gets(manyOf(subscription), 'Microsoft.Resources'),
        '/subscriptions/{subscriptionId}': gets(subscription, 'Microsoft.Resources'),
        [groups]: gets(manyOf(resource), 'Microsoft.Resources'),
        [`${groups}/{resourceGroupName}`]: gets(resource, 'Microsoft.Resources'),
        [`${anywhere}/Microsoft.Storage/storageAccounts`]: gets(manyOf(resource), 'Microsoft.Storage'),
        [`${anywhere}/Microsoft.Network/virtualNetworks`]: gets(manyOf(resource), 'Microsoft.Network'),
        [machines]: gets(manyOf(resource), 'Microsoft.Compute'),
        [`${machines}/{vmName}`]: gets(resource, 'Microsoft.Compute', '$expand'),
        [`${group}/providers/Microsoft.Storage/storageAccounts/{accountName}`]: gets(resource, 'Microsoft.Storage'),
        [`${group}/providers/Microsoft.ClassicStorage/storageAccounts/{accountName}`]: gets(
          resource,
          'gone, yet asked for',
        ),
        [`${group}/providers/Microsoft.Network/virtualNetworks/{virtualNetworkName}`]: gets(
          resource,
          'Microsoft.Network',
        ),
        [`${vault}/providers/Microsoft.Authorization/permissions`]: gets(manyOf(permission), 'Microsoft.Authorization'),
      },
    },
  },
]

export const known: readonly Difference[] = [...backup, ...vaults, ...outside]
