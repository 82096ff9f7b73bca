import type { Toolset } from '../config/types.ts'
import { entries } from '../generated/catalog.ts'
import type { ToolName } from '../generated/tools.ts'

/** One tool as served: JSON text made at build time, cut where the protocol revisions differ. Each part is the inside of an object. */
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

export { entries }
