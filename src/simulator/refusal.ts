/** A refusal as Azure words it: its HTTP status, code and message become the answer. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

/** Of ARM itself: a token that is not let in. `told`: what stands in WWW-Authenticate, where that is less than the message. */
export const unauthorized = (tenantId: string, code: string, message: string, told = message): Refusal =>
  new Refusal(401, code, message, {
    'www-authenticate': `Bearer authorization_uri="https://login.windows.net/${tenantId}", error="invalid_token", error_description="${told}"`,
  })

/** Of ARM itself: a resource that is not there, in ARM's words. */
export const resourceNotFound = (type: string, name: string, group: string): Refusal =>
  new Refusal(
    404,
    'ResourceNotFound',
    `The Resource '${type}/${name}' under resource group '${group}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  )

/** Azure Backup's answer to a filter or an id that it does not understand. */
export const invalidInput = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorInvalidInput',
    'Input provided for the call is invalid\r\nPlease check the required inputs',
  )

/** A policy of VMs for a share, and its like. */
export const otherProvider = (): Refusal =>
  new Refusal(
    400,
    'BMSUserErrorInvalidPolicyForGivenProvider',
    'Policy is not valid for given provider type. Please choose valid policy for given provider.',
  )

/** Also for what only immutable vaults can do. The typing error is Azure's. */
export const immutable = (): Refusal =>
  new Refusal(
    400,
    'UserErrorOperationDeniedOnImmutableItem',
    'The Vault and Bakcup Item is in Immutable state where destructive operations are not supported. The Vault and Backup Item is immutable, hence operation is denied. Refer to the documentation to learn more: https://aka.ms/AB-ImmutableVaults-States ',
  )
