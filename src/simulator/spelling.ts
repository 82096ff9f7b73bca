/** What Azure spells in another way by api-version, or takes in many spellings. */
import type { Call } from './call.ts'

/** True where the caller speaks the newer generation of an answer: from 2023 on. */
export const isNewer = ({ apiVersion }: Call): boolean => apiVersion >= '2023'
/** True from 2026 on, when items of VMs look different once more. */
export const isNewest = ({ apiVersion }: Call): boolean => apiVersion >= '2026'

/** An id of Azure Backup: it began with a capital until 2021. */
export const spelled = ({ apiVersion }: Call, id: string): string =>
  apiVersion < '2022' ? id.replace(/^\/subscriptions\//, '/Subscriptions/') : id

/** `East US` is `eastus`. */
export const regionOf = (text: string): string => text.replaceAll(' ', '').toLowerCase()
