/**
 * Confirmations by string. A plan that can lose something is refused with a string that stands for exactly this plan, and
 * is done when the call is repeated with it. The string is an HMAC, so no model can make one up; it cannot prove that a
 * person agreed. It lapses after ten minutes of real time and lets one write through: what was used is written down beside
 * the key, so that a second server of the same user knows it too.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import path from 'node:path'
import type { Clock } from '../clock.ts'
import { Problem } from '../problem.ts'
import { loadKey, type SecretFiles } from './secret-key.ts'

/** What a string is bound to. */
export interface Subject {
  tool: string
  account: string
  /** The plan's requests, and the facts that its words rest on. */
  plan: unknown
}

/** A used string. */
export interface Claim {
  /** Writes down what the write started, for who uses the string again. */
  settle(operationId: string | null): Promise<void>
  /** Gives the string back: Azure certainly took nothing. */
  release(): Promise<void>
}

export interface Confirmations {
  issue(subject: Subject): Promise<string>
  /** Throws Problem `conflict` where the string was used already. */
  checkUnused(given: string): Promise<void>
  /** Takes the string for its one write. Throws `conflict`, and `confirmation_required` (without details) with what is wrong. */
  claim(given: string, subject: Subject): Promise<Claim | { refused: string }>
}

export interface ConfirmationDeps {
  /** Where key and used strings are kept. */
  folder: string
  files: SecretFiles
  /** Real time, also on a simulated Azure. */
  clock: Pick<Clock, 'now'>
  randomBytes: (count: number) => Buffer
}

const lifetimeMs = 10 * 60_000
const nonceBytes = 6
const usedFolder = 'recovery_services_confirmations'

const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

interface Used {
  untilMs: number
  operationId: string | null
}

export const createConfirmations = (deps: ConfirmationDeps): Confirmations => {
  const { clock, randomBytes } = deps
  let loading: Promise<Buffer> | undefined
  const key = () => {
    loading ??= loadKey(deps.folder, deps.files, randomBytes)
    return loading
  }
  const used = usedStrings(deps)
  const signature = async (untilMs: number, nonce: string, subject: Subject): Promise<string> =>
    createHmac('sha256', await key())
      .update(`${untilMs}.${nonce}.${digest([subject.tool, subject.account, subject.plan])}`)
      .digest('base64url')

  return {
    issue: async subject => {
      const untilMs = clock.now() + lifetimeMs
      const nonce = randomBytes(nonceBytes).toString('base64url')
      return `${untilMs.toString(36)}.${nonce}.${await signature(untilMs, nonce, subject)}`
    },
    checkUnused: async given => {
      const found = await used.find(given)
      if (found) throw alreadyUsed(found)
    },
    claim: async (given, subject) => {
      const [, until = '', nonce = '', signed = ''] = /^([0-9a-z]{8,9})\.([\w-]{8})\.([\w-]{43})$/.exec(given) ?? []
      if (signed === '') return { refused: 'confirm is not a string that this server gave' }
      const untilMs = Number.parseInt(until, 36)
      if (untilMs <= clock.now()) return { refused: 'the confirmation has lapsed: it holds for ten minutes' }
      const right = Buffer.from(await signature(untilMs, nonce, subject))
      if (!timingSafeEqual(right, Buffer.from(signed)))
        return {
          refused: 'confirm is the string of another plan: the arguments, or what they would change, are different now',
        }
      if (!(await used.add(given, untilMs))) throw alreadyUsed(await used.find(given))
      return {
        settle: operationId => used.settle(given, { untilMs, operationId }),
        release: () => used.remove(given),
      }
    },
  }
}

const alreadyUsed = (found: Used | undefined): Problem => {
  const operationId = found?.operationId ?? null
  return new Problem(
    'conflict',
    `This confirmation was used already${operationId === null ? '' : `; it started operation ${operationId}`}.`,
    operationId === null
      ? 'Look at what became of the first call (recovery_services_list_backup_jobs) before asking for a new confirmation.'
      : 'See where that stands with recovery_services_track_async_operation. To do it again, call without confirm and ask the user again.',
    { details: { operation_id: operationId } },
  )
}

/** The used strings, by their digests: in memory, and as one file each that only one process can make. */
const usedStrings = ({ folder, files, clock }: ConfirmationDeps) => {
  const known = new Map<string, Used>()
  const inFolder = path.join(folder, usedFolder)
  const fileOf = (given: string) => path.join(inFolder, digest(given).slice(0, 32))
  /** Another process may sweep at the same time, or be writing: what cannot be read is left alone. */
  const sweep = async (): Promise<void> => {
    for (const name of await files.readdir(inFolder)) {
      const file = path.join(inFolder, name)
      const found = read(await files.readFile(file, 'utf8').catch(() => ''))
      if (found && found.untilMs <= clock.now()) await files.rm(file, { force: true })
    }
  }
  const write = (given: string, value: Used, flag: 'w' | 'wx') =>
    files.writeFile(fileOf(given), JSON.stringify(value), { mode: 0o600, flag })
  return {
    find: async (given: string): Promise<Used | undefined> =>
      known.get(given) ??
      files.readFile(fileOf(given), 'utf8').then(
        text => read(text) ?? { untilMs: 0, operationId: null },
        () => undefined,
      ),
    /** False where it was added before, by whichever process. */
    add: async (given: string, untilMs: number): Promise<boolean> => {
      if (known.has(given)) return false
      const value = { untilMs, operationId: null }
      known.set(given, value)
      // Where nothing can be written the memory of this process has to do. A file in place of the folder is met there too.
      await files.mkdir(inFolder, { recursive: true, mode: 0o700 }).catch(() => {})
      try {
        await write(given, value, 'wx')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return true
        known.delete(given)
        return false
      }
      await sweep().catch(() => {})
      return true
    },
    settle: async (given: string, value: Used): Promise<void> => {
      known.set(given, value)
      await write(given, value, 'w').catch(() => {})
    },
    remove: async (given: string): Promise<void> => {
      known.delete(given)
      await files.rm(fileOf(given), { force: true }).catch(() => {})
    },
  }
}

const read = (text: string): Used | undefined => {
  try {
    const { untilMs, operationId } = JSON.parse(text) as Partial<Used>
    return typeof untilMs === 'number' ? { untilMs, operationId: operationId ?? null } : undefined
  } catch {
    return undefined
  }
}
