import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { parseAzureError, readBody } from '../../src/arm/envelopes.ts'
import { isKnownCode, isNoFault, remediationOf, remedyFor } from '../../src/arm/error-codes.ts'
import { faults, noFaults } from '../../src/arm/error-table.ts'
import { type Asked, errorOfAnswer, errorOfSend } from '../../src/arm/errors.ts'
import { leastRole } from '../../src/arm/permissions.ts'
import { SendError } from '../../src/arm/send.ts'
import { safeText } from '../../src/arm/texts.ts'
import { entries } from '../../src/generated/catalog.ts'
import { root } from '../helpers/server.ts'
import { answer, armErrorOf, createFakeAzure, endpoint, failure, item, vault } from './fake-azure.ts'

const asked: Asked = { method: 'GET', path: `${vault}/backupJobs`, clientRequestId: 'id-1', endpoint }

const envelopes: [name: string, body: unknown, code: string | undefined, message: RegExp][] = [
  ['of the service', { error: { code: 'A', message: 'm', target: null, details: null, innerError: null } }, 'A', /^m$/],
  ['of the gateway', { error: { code: 'A', message: 'm' } }, 'A', /^m$/],
  ['with details', { error: { code: 'A', message: 'm', details: [{ code: 'B', message: 'why' }] } }, 'A', /^m why$/],
  [
    'whose detail has the code that is known',
    { error: { code: 'BadRequest', message: 'm', details: [{ code: 'BMSUserErrorObjectLocked', message: 'm' }] } },
    'BMSUserErrorObjectLocked',
    /^m$/,
  ],
  [
    'with innerError',
    { error: { code: 'A', message: 'm', innerError: { code: 'B', message: 'deep' } } },
    'A',
    /^m deep$/,
  ],
  ['bare', { code: 'A', message: 'm' }, 'A', /^m$/],
  ['of a failed operation', { id: 'x', status: 'Failed', error: { code: 'A', message: 'm' } }, 'A', /^m$/],
  ['of OAuth', { error: 'invalid_grant', error_description: 'm' }, 'invalid_grant', /^m$/],
  ['with a number for a code', { error: { code: 400136, message: 'm' } }, '400136', /^m$/],
  ['that is empty', '', undefined, /answered 400 without a word/],
  ['that is an array', [1], undefined, /answered 400 without a word/],
  [
    'that is a page',
    '<html><title>Sign in</title><body>secret</body></html>',
    undefined,
    /a web page \("Sign in"\)\.$/,
  ],
  ['that is cut', '{"error":{"code":"A', undefined, /JSON that is broken or cut short after 19 characters/],
]
for (const [name, body, code, message] of envelopes)
  t.test(`an error envelope ${name} is read`, async t => {
    const error = errorOfAnswer(asked, answer(400, body, { 'x-ms-request-id': 'r-1' }))
    t.equal(error.azureCode, code)
    t.match(error.message, message)
    t.equal(error.httpStatus, 400)
    t.equal(error.requestId, 'r-1')
    t.match(error.details, { client_request_id: 'id-1' })
  })

const codes: [status: number, azureCode: string, code: string, remediation: RegExp][] = [
  [404, 'ResourceNotFound', 'not_found', /recovery_services_list_vaults/],
  [404, 'BMSUserErrorJobNotFound', 'not_found', /list_backup_jobs .* since/],
  [404, 'ResourceGroupNotFound', 'not_found', /resource_group/],
  [404, 'SubscriptionNotFound', 'not_found', /subscription_id .*AZURE_SUBSCRIPTION_ID/],
  [400, 'InvalidSubscriptionId', 'not_found', /subscription_id/],
  [404, 'InvalidResourceNamespace', 'not_found', /classic/],
  [403, 'AuthorizationFailed', 'forbidden', /Backup Reader/],
  [401, 'InvalidAuthenticationToken', 'not_signed_in', /AZURE_ACCESS_TOKEN.*az login/],
  [401, 'ExpiredAuthenticationToken', 'not_signed_in', /az account get-access-token/],
  [401, 'InvalidAuthenticationTokenTenant', 'not_signed_in', /--tenant/],
  [400, 'NoRegisteredProviderFound', 'not_configured', /api_version/],
  [400, 'InvalidApiVersionParameter', 'not_configured', /api_version/],
  [409, 'MissingSubscriptionRegistration', 'precondition_failed', /az provider register/],
  [429, 'SubscriptionRequestsThrottled', 'throttled', /wait/],
  [504, 'GatewayTimeout', 'timeout', /look first/],
  [400, 'ServiceResourceNotEmptyWithBackendMessage', 'precondition_failed', /unregister/],
  [400, 'BMSUserErrorVaultDeletionNotAllowed', 'precondition_failed', /unregister/],
  [500, 'CloudInternalError', 'azure_error', /support case/],
  [400, 'CloudInvalidInputError', 'invalid_arguments', /arguments/],
  [400, 'UserErrorInvalidRequestParameter', 'invalid_arguments', /arguments/],
  [400, 'BMSUserErrorInvalidInput', 'invalid_arguments', /arguments/],
  [400, 'BMSUserErrorInvalidPolicyInput', 'invalid_arguments', /retention/],
  [400, 'BMSUserErrorPolicyRetentionInvalid', 'invalid_arguments', /retention/],
  [400, 'BMSUserErrorInvalidPolicyForGivenProvider', 'invalid_arguments', /another workload/],
  [400, 'BMSUserErrorPolicyObjectInUse', 'precondition_failed', /list_protected_items with policy_name/],
  [400, 'BMSUserErrorInvalidConfigureProtectionRequest', 'invalid_arguments', /as Azure lists them/],
  [404, 'BMSUserErrorDataSourceObjectNotFound', 'not_found', /list_protected_items/],
  [400, 'BMSUserErrorContainerHasDatasources', 'precondition_failed', /soft-deleted/],
  [400, 'BMSUserErrorNodePartOfActiveAG', 'precondition_failed', /availability group/],
  [404, 'BMSUserErrorContainerObjectNotFound', 'not_found', /register it/],
  [409, 'BMSUserErrorObjectLocked', 'conflict', /InProgress/],
  [400, 'BMSUserErrorDisablingSoftDeleteStateNotAllowed', 'precondition_failed', /always on/],
  [400, 'UserErrorOperationDeniedOnImmutableItem', 'precondition_failed', /as_per_policy/],
  [400, 'UserErrorUnsupportedVaultImmutabilityStateChange', 'precondition_failed', /cannot be undone/],
  [409, 'VirtualMachineAlreadyProtected', 'conflict', /list_protected_items/],
  [409, 'NeverHeardOf', 'conflict', /wait/],
  [412, 'NeverHeardOf', 'conflict', /read it again/],
  [418, 'NeverHeardOf', 'azure_error', /refused/],
  [503, 'NeverHeardOf', 'azure_error', /support case/],
  [408, 'NeverHeardOf', 'timeout', /look first/],
]
for (const [status, azureCode, code, remediation] of codes)
  t.test(`${status} ${azureCode} is ${code}, with what to do`, async t => {
    const error = errorOfAnswer(asked, failure(status, azureCode, 'words'))
    t.equal(error.code, code)
    t.match(error.remediation, remediation)
    t.notMatch(error.remediation, /[{}]/)
  })

/** Section 11.2 of the wire facts, and the codes of jobs and health with their numbers. */
const documented =
  `ResourceNotFound ResourceGroupNotFound SubscriptionNotFound InvalidResourceNamespace AuthorizationFailed
  LinkedAuthorizationFailed InvalidAuthenticationToken ExpiredAuthenticationToken NoRegisteredProviderFound
  InvalidApiVersionParameter MissingSubscriptionRegistration ResourceRequestsThrottled SubscriptionRequestsThrottled
  TooManyRequests GatewayTimeout ServiceResourceNotEmptyWithBackendMessage BMSUserErrorVaultDeletionNotAllowed
  CloudInternalError CloudInvalidInputError UserErrorInvalidRequestParameter BMSUserErrorInvalidInput
  BMSUserErrorInvalidPolicyInput BMSUserErrorPolicyRetentionInvalid BMSUserErrorInvalidPolicyForGivenProvider
  BMSUserErrorPolicyObjectInUse BMSUserErrorInvalidConfigureProtectionRequest BMSUserErrorDataSourceObjectNotFound
  BMSUserErrorContainerHasDatasources BMSUserErrorNodePartOfActiveAG BMSUserErrorContainerObjectNotFound
  BMSUserErrorObjectLocked BMSUserErrorDisablingSoftDeleteStateNotAllowed UserErrorOperationDeniedOnImmutableItem
  UserErrorUnsupportedVaultImmutabilityStateChange VirtualMachineAlreadyProtected
  UserErrorCoreCountSubscriptionQuotaReached`.split(/\s+/)
const numbered: [number: number, azure: string][] = [
  [400002, 'BackUpOperationFailed'],
  [400004, 'DataTransferFromVaultFailed'],
  [400136, 'UserErrorVmNotFoundV2'],
  [400158, 'UserErrorJobSuccessfullyCancelled'],
  [400196, 'UserErrorGuestAgentStatusUnavailable'],
  [400288, 'UserErrorRpCollectionDeleted'],
  [400309, 'UserErrorGenericResourceNotFound'],
  [400380, 'DiskAPIRevokeSASFailed'],
  [510011, 'WorkloadRestoreFailed'],
  [520512, 'UserErrorIncompatibleSrcTargetSystemsForRestore'],
]
t.test('every documented code has its remedy: by word in any letter case, by number, by title', async t => {
  for (const code of documented) t.ok(isKnownCode(code.toUpperCase()), code)
  for (const [number, azure] of numbered) {
    t.ok(remediationOf(azure, null), azure)
    t.equal(remediationOf(String(number), null), remediationOf(azure, null), `${number} is ${azure}`)
    t.equal(remediationOf('1', azure.toLowerCase()), remediationOf(azure, null), `the title ${azure}`)
  }
  for (const [code, title] of [
    ['0', null],
    ['Success', null],
    ['400239', 'x'],
    [null, 'iaasvmhealthgreendefault'],
    ['1', 'WorkloadHealthGreen'],
  ] as const)
    t.ok(isNoFault(code, title), `${code} ${title} is no fault`)
  t.notOk(isNoFault(null, null))
  t.notOk(isNoFault('400136', 'UserErrorVmNotFoundV2'))
  for (const [code, title] of [
    [null, null],
    ['', ''],
    ['0', 'Success'],
    ['constructor', 'toString'],
    ['InvalidAuthenticationToken', null],
  ] as const)
    t.equal(remediationOf(code, title), null, `nothing is known to do about ${code} ${title}`)
})

t.test('the table has each word and number once, and no remedy names a tool that is not there', async t => {
  const rows = [...faults, ...noFaults]
  const keys = rows.flatMap(({ azure, number }) => [
    azure.toLowerCase(),
    ...(number === undefined ? [] : [`${number}`]),
  ])
  t.same(
    keys.filter((key, at) => keys.indexOf(key) !== at),
    [],
  )
  const statuses = Array.from({ length: 200 }, (_, at) => remedyFor(undefined, 400 + at, true).remediation)
  for (const sentence of [...faults.map(row => row.remediation), ...statuses])
    for (const [name] of sentence.matchAll(/recovery_services_\w+/g))
      t.ok(
        entries.some(entry => `recovery_services_${entry.name}` === name),
        `${name} is a tool`,
      )
})

const shared = path.join(root, '../shared')
const known = existsSync(shared) ? readdirSync(shared, { recursive: true, encoding: 'utf8' }) : []
/** Where answers tell faults; a VM's instance view has `code` too, which is no fault. */
const places =
  /^(error|errorDetails?|healthDetails|resourceHealthDetails|lastBackupErrorDetail|validationResults|details)$/
const codesIn = (value: unknown, place: string): string[] => {
  if (Array.isArray(value)) return value.flatMap(one => codesIn(one, place))
  if (typeof value !== 'object' || value === null) return []
  const { code, errorCode, title, errorTitle } = value as Record<string, unknown>
  const own = [code, errorCode, title, errorTitle].filter(name => typeof name === 'string' || typeof name === 'number')
  return [
    ...(places.test(place) || errorCode !== undefined ? own.map(String) : []),
    ...Object.entries(value).flatMap(([name, inner]) => codesIn(inner, name)),
  ]
}
t.test(
  'every code in real recordings and published examples is in the table',
  { skip: known.length === 0 && 'no recordings beside the project' },
  async t => {
    const files = known.filter(name => /^(recordings|reference\/azure\/examples)\/.*\.json$/.test(name))
    const codes = files.flatMap(name => codesIn(JSON.parse(readFileSync(path.join(shared, name), 'utf8')), ''))
    t.ok(codes.includes('400288') && codes.includes('Success'), 'codes are found')
    t.same(
      [...new Set(codes)].filter(code => !isKnownCode(code) && !isNoFault(code, null)),
      [],
    )
  },
)

t.test('missing rights', async t => {
  const said = errorOfAnswer(
    { ...asked, method: 'POST' },
    failure(
      403,
      'AuthorizationFailed',
      `The client 'me@contoso.com' with object id 'x' does not have authorization to perform action 'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/backup/action' over scope '${vault}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    ),
  )
  t.match(said.remediation, `protectedItems/backup/action on ${vault}. Ask`, 'action and scope are read from the text')
  t.match(said.remediation, 'Backup Operator')

  const linked = errorOfAnswer(
    asked,
    failure(
      403,
      'LinkedAuthorizationFailed',
      "The client 'x' has permission to perform action 'Microsoft.RecoveryServices/vaults/write' on scope '/a'; however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '/subscriptions/s/subnets/b' (respectively) or the linked scope(s) are invalid.",
    ),
  )
  t.match(linked.remediation, 'Microsoft.Network/virtualNetworks/subnets/join/action on /subscriptions/s/subnets/b.')
  t.match(linked.remediation, 'Network Contributor')

  const silent = errorOfAnswer({ ...asked, method: 'DELETE', path: item }, answer(403))
  t.match(
    silent.remediation,
    'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/delete',
  )
  t.match(silent.remediation, 'Backup Contributor', 'without a text the request tells')

  const guard = errorOfAnswer(asked, failure(400, 'X', 'ResourceGuard Operation requestid is either null or empty'))
  t.equal(guard.code, 'forbidden')
  t.match(guard.remediation, 'Backup MUA Operator')

  const roles: [action: string, role: string][] = [
    ['Microsoft.RecoveryServices/vaults/backupJobs/read', 'Backup Reader'],
    ['Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/write', 'Backup Operator'],
    [
      'Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action',
      'Backup Operator',
    ],
    ['Microsoft.RecoveryServices/vaults/backupJobs/cancel/action', 'Backup Operator'],
    ['Microsoft.RecoveryServices/vaults/backupPolicies/write', 'Backup Contributor'],
    ['Microsoft.Resources/subscriptions/resourceGroups/read', 'Reader'],
    ['Microsoft.Compute/virtualMachines/write', 'Virtual Machine Contributor'],
  ]
  for (const [action, role] of roles) t.equal(leastRole(action), role, action)
})

t.test('a token of the wrong tenant names the tenant of the subscription', async t => {
  const id = '72f988bf-86f1-41af-91ab-2d7cd011db47'
  const text = `The access token is from the wrong issuer 'https://sts.windows.net/11111111-1111-1111-1111-111111111111/'. It must match the tenant 'https://sts.windows.net/${id}/' associated with this subscription.`
  t.match(errorOfAnswer(asked, failure(401, 'InvalidAuthenticationTokenTenant', text)).remediation, `tenant ${id}`)
})

const connections: [kind: SendError['kind'], causeCode: string, code: string, text: RegExp][] = [
  ['not_sent', 'ENOTFOUND', 'unreachable', /looked up.*arm_endpoint.*proxy/],
  ['not_sent', 'ECONNREFUSED', 'unreachable', /firewall.*proxy/],
  ['not_sent', 'SELF_SIGNED_CERT_IN_CHAIN', 'unreachable', /NODE_EXTRA_CA_CERTS or SSL_CERT_FILE/],
  ['lost', 'ECONNRESET', 'unreachable', /network/],
  ['timeout', '', 'timeout', /timeout_seconds/],
  ['no_recording', '', 'unreachable', /--replay/],
]
for (const [kind, causeCode, code, text] of connections)
  t.test(`no answer (${kind} ${causeCode}) is ${code}, with what to check`, async t => {
    const cause = Object.assign(new Error('wrapped'), { cause: Object.assign(new Error('x'), { code: causeCode }) })
    const error = errorOfSend(asked, new SendError(kind, 'no answer', cause))
    t.equal(error.code, code)
    t.match(error.remediation, text)
    if (kind !== 'not_sent') t.match(error.message, `GET ${vault}/backupJobs`)
  })

const secrets: [name: string, text: string, secret: string, kept: string][] = [
  ['a JWT', 'token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln was refused', 'eyJ', 'was refused'],
  ['a bearer header', 'Bearer abcdefghijklmnopqrstuvwxyz0123 was refused', 'abcdefghijk', 'was refused'],
  [
    'a SAS',
    'https://sa.blob.core.windows.net/c/b?sv=2020&se=2026&sig=a%2Fb%3D is gone',
    'a%2Fb',
    'blob.core.windows.net/c/b',
  ],
  ['a polling signature', `see ${endpoint}/x?api-version=1&t=638&c=MIIH&s=Zm9v&h=YmFy please`, 'Zm9v', 'api-version=1'],
  ['a storage key', 'AccountName=sa;AccountKey=Zm9vYmFyYmF6;Endpoint=x', 'Zm9vYmFy', 'AccountName=sa'],
]
for (const [name, text, secret, kept] of secrets)
  t.test(`${name} in Azure's words does not reach an error`, async t => {
    const { message } = errorOfAnswer(asked, failure(400, 'X', text))
    t.notMatch(message, secret)
    t.match(message, kept)
  })

t.test("Azure's words are kept to the letter otherwise, and cut after 2,000 characters with a mark", async t => {
  const plain =
    "Item not found.\r\nSee https://go.microsoft.com/fwlink/?LinkId=1 about 'vm;iaasvmcontainerv2;rg;vm', code=5"
  t.equal(safeText(plain), plain)
  const long = safeText('word '.repeat(1000))
  t.equal(long, `${'word '.repeat(400)}… (cut)`)
})

t.test('a page or a cut body instead of JSON is an azure_error that does not show the page', async t => {
  for (const [body, message, remediation] of [
    ['<html><title>Sign in to your account</title>hidden</html>', /a web page \("Sign in to your account"\)/, /proxy/],
    ['{"value":[{"id":"hidden', /broken or cut short after 23 characters/, /try again/],
  ] as const) {
    const { arm } = createFakeAzure([answer(200, body)])
    const error = await armErrorOf(arm.get(vault))
    t.equal(error.code, 'azure_error')
    t.match(error.message, message)
    t.match(error.remediation, remediation)
    t.notMatch(error.message, 'hidden')
  }
})

t.test('a deep or hostile envelope ends', async t => {
  let nested: unknown = { code: 'deep', message: 'x' }
  for (let depth = 0; depth < 1000; depth++) nested = { code: 'c', message: `m${depth}`, details: [nested] }
  t.ok(parseAzureError({ error: nested }))
  t.same(readBody('\uFEFF{"a":1}'), { kind: 'json', value: { a: 1 } }, 'a byte order mark is no part of it')
  const startMs = performance.now()
  safeText('eyJ-'.repeat(100_000))
  safeText(`${'?c='.repeat(50_000)}`)
  t.ok(performance.now() - startMs < 1000)
})
