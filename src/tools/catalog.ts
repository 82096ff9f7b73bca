/**
 * The tools that are served. The list is text made at build time: answering `tools/list` is choosing and joining.
 */
import type { LoadedConfig, Toolset } from '../config/types.ts'
import { entries } from '../generated/catalog.ts'
import type { ToolName } from '../generated/tools.ts'
import { Problem } from '../problem.ts'

export const toolPrefix = 'recovery_services_'

/** One tool as served, cut where the protocol revisions differ. Each part is the inside of a JSON object. */
export interface CatalogEntry {
  /** Without the `recovery_services_` prefix. */
  name: ToolName
  toolset: Toolset
  readOnly: boolean
  /** `name`, `description`, `inputSchema`: every revision. */
  base: string
  /** `annotations`: 2025-03-26 and later. */
  annotations: string
  /** `title` and `outputSchema`: 2025-06-18 and later. */
  output: string
}

const byName: ReadonlyMap<string, CatalogEntry> = new Map(entries.map(entry => [toolPrefix + entry.name, entry]))

/** The tool of that full name, served or hidden. */
export const findTool = (fullName: string): CatalogEntry | undefined => byName.get(fullName)

/** Without the prefix. */
export const toolNames: readonly string[] = entries.map(entry => entry.name)

/** Why a tool is not served, as the error that a call to it gets; undefined where it is served. */
export const hiddenBecause = (entry: CatalogEntry, { config, origins }: LoadedConfig): Problem | undefined => {
  const name = toolPrefix + entry.name
  if (!config.enabled)
    return new Problem(
      'not_configured',
      `The server is switched off: enabled = false (${origins.enabled ?? 'configuration'}).`,
      'Set enabled = true in the configuration and start the server again.',
    )
  if (!config.toolsets.includes(entry.toolset))
    return new Problem(
      'not_configured',
      `${name} belongs to the toolset "${entry.toolset}", which toolsets (${origins.toolsets ?? 'configuration'}) leaves out.`,
      `Add "${entry.toolset}" to toolsets and start the server again.`,
    )
  if (config.readOnly && !entry.readOnly)
    return new Problem(
      'read_only',
      `${name} changes something and the server is read-only (${origins.read_only ?? 'configuration'}).`,
      'Set read_only = false, or start the server without --read-only, if changes are wanted.',
    )
  return undefined
}

/** What every call is answered with while the configuration is wrong. */
export const faultyConfiguration = (faults: readonly string[]): Problem =>
  new Problem(
    'not_configured',
    `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}: ${faults.join('; ')}`,
    'Correct what is named and start the server again; `recovery-services-server status` shows the configuration.',
    { details: { faults } },
  )

/** JSON text of the array that `tools/list` answers with. With a faulty configuration only the tools that read are listed. */
export const listText = (loaded: LoadedConfig, parts: { annotations: boolean; output: boolean }): string => {
  const served = entries.filter(
    entry => !hiddenBecause(entry, loaded) && (entry.readOnly || loaded.faults.length === 0),
  )
  const texts = served.map(
    ({ base, annotations, output }) =>
      `{${base}${parts.annotations ? `,${annotations}` : ''}${parts.output ? `,${output}` : ''}}`,
  )
  return `[${texts.join(',')}]`
}
