/**
 * What to do about an error of Azure: by its code (error-table.ts), by the HTTP status for codes that the table lacks.
 */
import { faults, internal, type KnownCode, lookFirst, noFaults, type Remedy, signIn, throttled } from './error-table.ts'

/** A table's rows by word in lower case and by number. */
const byName = <Row extends KnownCode>(rows: readonly Row[]): ReadonlyMap<string, Row> =>
  new Map(
    rows.flatMap(row =>
      [row.azure, row.number].flatMap(name => (name === undefined ? [] : [[`${name}`.toLowerCase(), row] as const])),
    ),
  )

const faultsByName = byName(faults)
const noFaultsByName = byName(noFaults)

const faultNamed = (name: string | null | undefined) => faultsByName.get(name?.toLowerCase() ?? '')

const byStatus: Readonly<Record<number, Remedy>> = {
  401: { code: 'not_signed_in', remediation: signIn },
  403: { code: 'forbidden', remediation: 'The account lacks a right.' },
  404: {
    code: 'not_found',
    remediation:
      'Check name, resource group and subscription: recovery_services_list_vaults shows vaults, recovery_services_list_protected_items what they protect.',
  },
  407: {
    code: 'unreachable',
    remediation: 'The proxy asks for credentials: put them into http.proxy (or HTTPS_PROXY).',
  },
  408: { code: 'timeout', remediation: lookFirst },
  409: {
    code: 'conflict',
    remediation: 'Something else is being done to it: wait until that is over, then try again.',
  },
  410: { code: 'not_found', remediation: 'It is gone; list again to see what there is now.' },
  412: { code: 'conflict', remediation: 'It was changed meanwhile: read it again and repeat the change.' },
  423: { code: 'conflict', remediation: 'It is locked by another operation: wait until that is over, then try again.' },
  429: { code: 'throttled', remediation: throttled },
  504: { code: 'timeout', remediation: lookFirst },
}
const refused: Remedy = {
  code: 'azure_error',
  remediation: 'Azure refused the request; its message says why. Correct what it names and try again.',
}

/** True where the table has a fault by that word or number. */
export const isKnownCode = (azureCode: string | undefined): boolean => faultNamed(azureCode) !== undefined

/** True where a code or title says that all is well: `0`, `Success`, `IaasVmHealthGreenDefault`. */
export const isNoFault = (code: string | null, title: string | null): boolean =>
  [code, title].some(name => noFaultsByName.has(name?.toLowerCase() ?? '') || /HealthGreen/i.test(name ?? ''))

/**
 * What to do about a fault of a job, an item or a container, by its code (word or number) or title. Null where nothing
 * is known, and Azure's own recommendations have to do.
 */
export const remediationOf = (code: string | null, title: string | null): string | null => {
  const row = faultNamed(code) ?? faultNamed(title)
  // A fault of the past: signing in to this server does not mend it.
  return row === undefined || row.code === 'not_signed_in' ? null : row.remediation
}

const refusedSilently: Remedy = {
  code: 'azure_error',
  remediation:
    'The request was refused without a reason: check the arguments, api_version and arm_endpoint; a proxy (http.proxy or HTTPS_PROXY) may have answered in place of Azure.',
}

/** Our code and the remedy for an error of Azure: by its code, else by the HTTP status. */
export function remedyFor(azureCode: string | undefined, httpStatus: number, hasReason: boolean): Remedy {
  const other = httpStatus >= 500 ? { code: 'azure_error' as const, remediation: internal } : undefined
  return faultNamed(azureCode) ?? byStatus[httpStatus] ?? other ?? (hasReason ? refused : refusedSilently)
}
