/** Why a job failed, or what it warns of. */
import { type Fault, faultOf } from './faults.ts'
import { type Fields, fields, list, number, text, textsByName, word } from './fields.ts'

/** Shares and vaults leave the title out, agents the code too; databases may add details of their own. */
const detailed = (properties: Fields): Fault[] =>
  list(properties.errorDetails).map(detail => {
    const said = [text(detail.errorString), text(detail.additionalDetails)].filter(part => part !== null)
    return faultOf(
      word(detail.errorCode),
      text(detail.errorTitle),
      [...new Set(said)].join(' ') || null,
      detail.recommendations,
    )
  })

/** A message that Azure did not translate; of the first fault, where there is one. */
const dynamic = ({ extendedInfo }: Fields, [first]: readonly Fault[]): Fault[] => {
  const message = text(fields(extendedInfo).dynamicErrorMessage)
  return message === null ? [] : [faultOf(first?.code ?? null, null, message, [])]
}

/** Tasks that did not end well, and files that a restore left out, for a job whose faults Azure does not name. */
const inferred = ({ extendedInfo }: Fields): Fault[] => {
  const { tasksList, propertyBag } = fields(extendedInfo)
  const tasks = list(tasksList)
    .filter(task => /^(Failed|CompletedWithWarnings)$/i.test(text(task.status) ?? ''))
    .map(task =>
      [`The task "${text(task.taskId) ?? 'unnamed'}" ended as ${text(task.status)}`, text(task.taskExecutionDetails)]
        .filter(part => part !== null)
        .join(': '),
    )
  const files = textsByName(propertyBag)
    .filter(([name, value]) => /^Number Of (Failed|Skipped) Files$/i.test(name.trim()) && (number(value) ?? 0) > 0)
    .map(([name, value]) => `${name.trim()}: ${value}`)
  return [...tasks, ...files].map(message => faultOf(null, null, `${message}.`, []))
}

/** A list has neither tasks nor messages; the job itself may tell more. */
const unexplained = ({ extendedInfo }: Fields): Fault => ({
  ...faultOf(null, null, 'The job failed; Azure does not say why.', []),
  remediation: extendedInfo
    ? 'Start it again; if it fails again, open a support case with the id of the job.'
    : 'recovery_services_get_job_details may tell more of it.',
})

/**
 * The faults of a job's `properties`, the first one foremost; of a job that completed with warnings its warnings. A
 * failed job always has one: what its tasks tell where Azure names no error.
 */
export const jobFaults = (properties: Fields): Fault[] => {
  const named = detailed(properties)
  const more = dynamic(properties, named).filter(({ message }) => !named.some(fault => fault.message === message))
  if (named.length + more.length > 0) return [...named, ...more]
  const status = text(properties.status) ?? ''
  if (!/^(Failed|CompletedWithWarnings)$/i.test(status)) return []
  const found = inferred(properties)
  return found.length > 0 || !/^Failed$/i.test(status) ? found : [unexplained(properties)]
}
