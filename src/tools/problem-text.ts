import type { Problem } from '../problem.ts'
import { safeResult } from './azure-text.ts'

/** The JSON text of an error result. */
export const problemText = (problem: Problem): string => {
  const { code, message, remediation, azureCode, httpStatus, requestId, details } = problem
  const facts = { azure_code: azureCode, http_status: httpStatus, request_id: requestId, details }
  const present = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
  return JSON.stringify(safeResult({ error: { code, message, remediation, ...present } }))
}
