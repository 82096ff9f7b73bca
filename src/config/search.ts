/**
 * Finds the `[recovery_services]` table. Of the files that are searched the first one that has it wins. TOML is loaded
 * only when there is a file at all.
 */
import path from 'node:path'
import { printable } from '../printable.ts'
import { ConfigError } from './errors.ts'

export interface SearchDeps {
  /** From `--config`: the only file looked at. */
  configFile?: string | undefined
  env: Readonly<Record<string, string | undefined>>
  homeDir: string
  cwd: string
  /** Undefined where there is no such file; every other failure throws. */
  readFile: (path: string) => Promise<string | undefined>
}

export interface Found {
  /** The file that has the table, or that holds one which cannot be read. */
  file?: string
  /** Whatever `recovery_services` is there; parsed, unchecked. */
  table: unknown
  /** False for a file that may have come with a workspace. */
  isTrusted: boolean
  /** True for a file named with --config, or one of Codex's folder: only there a sign-in host of one's own is named. */
  mayNameAuthority: boolean
  warnings: string[]
  faults: string[]
}

type Place = Pick<Found, 'isTrusted' | 'mayNameAuthority'> & { file: string }

/** Where Codex and this program keep their files; `CODEX_HOME` where it is set. */
export const codexHome = ({ env, homeDir, cwd }: Pick<SearchDeps, 'env' | 'homeDir' | 'cwd'>): string =>
  path.resolve(cwd, env.CODEX_HOME || path.join(homeDir, '.codex'))

/** Throws ConfigError for a named file that is missing, cannot be read or has no table. */
export const findTable = async (deps: SearchDeps): Promise<Found> =>
  deps.configFile === undefined ? searchPlaces(deps) : readNamed(deps, path.resolve(deps.cwd, deps.configFile))

const readNamed = async (deps: SearchDeps, file: string): Promise<Found> => {
  const text = await deps.readFile(file).catch(cause => {
    throw namedFileError(`${printable(file)} cannot be read (${reasonOf(cause)}).`, cause)
  })
  if (text === undefined) throw namedFileError(`${printable(file)} does not exist.`)
  const read = await readTable({ file, isTrusted: true, mayNameAuthority: true }, text)
  if (read.kind === 'found') return read.found
  throw namedFileError(
    read.kind === 'unparsable' ? read.message : `${printable(file)} has no [recovery_services] table.`,
  )
}

const namedFileError = (message: string, cause?: unknown): ConfigError =>
  new ConfigError(message, 'The file named with --config must exist and have a [recovery_services] table.', { cause })

const searchPlaces = async (deps: SearchDeps): Promise<Found> => {
  const warnings: string[] = []
  const read = await Promise.all(
    places(deps).map(async place => {
      const text = await deps.readFile(place.file).catch((cause: unknown) => {
        warnings.push(`${printable(place.file)} cannot be read (${reasonOf(cause)}) and is passed over.`)
        return undefined
      })
      return { place, text }
    }),
  )
  const files = read.flatMap(({ place, text }) => (text === undefined ? [] : [{ place, text }]))
  const none: Found = { table: {}, isTrusted: true, mayNameAuthority: true, warnings, faults: [] }
  for (const { place, text } of files) {
    const table = await readTable(place, text)
    if (table.kind === 'found') return { ...table.found, warnings }
    if (table.kind === 'unparsable') warnings.push(`${table.message} It is passed over.`)
  }
  return none
}

/**
 * In the order of their rank. A place is trusted only when it does not hang on the working directory, which a relative
 * CODEX_HOME or home does.
 */
const places = (deps: SearchDeps): Place[] => {
  const codex = codexHome(deps)
  const ofHome = path.isAbsolute(deps.homeDir)
  const ofCodex = deps.env.CODEX_HOME ? path.isAbsolute(deps.env.CODEX_HOME) : ofHome
  const place = (isTrusted: boolean, mayNameAuthority: boolean, ...parts: string[]): Place => ({
    file: path.resolve(deps.cwd, ...parts),
    isTrusted,
    mayNameAuthority,
  })
  return [
    place(ofCodex, ofCodex, codex, 'config.toml'),
    place(ofCodex, ofCodex, codex, 'recovery_services.toml'),
    place(false, false, 'recovery_services_config.toml'),
    place(false, false, 'config', 'recovery_services.toml'),
    place(ofHome, false, deps.homeDir, '.config', 'codex', 'recovery_services.toml'),
  ]
}

type Read = { kind: 'found'; found: Found } | { kind: 'absent' } | { kind: 'unparsable'; message: string }

const readTable = async (place: Place, text: string): Promise<Read> => {
  const found = { ...place, warnings: [], faults: [] }
  const { default: toml } = await import('@iarna/toml') // a CommonJS module: a bundle has no named exports of it
  try {
    const document = toml.parse(text.replace(/^\uFEFF/, ''))
    if (!Object.hasOwn(document, 'recovery_services')) return { kind: 'absent' }
    return { kind: 'found', found: { ...found, table: document.recovery_services } }
  } catch (error) {
    const message = `${printable(place.file)} is not valid TOML: ${parseFault(error)}.`
    if (!text.includes('[recovery_services')) return { kind: 'unparsable', message }
    return { kind: 'found', found: { ...found, table: {}, faults: [message] } }
  }
}

/**
 * A TomlError, or the TypeError that the parser throws for an impossible date. Its message goes on with the lines around
 * the fault, which may hold a secret: only the reason is kept.
 */
const parseFault = (error: unknown): string => {
  const { message, line } = error as { message: string; line?: unknown }
  const reason = message.split(/ at row \d|\n/)[0] ?? ''
  return typeof line === 'number' ? `line ${line + 1}: ${reason}` : reason
}

const reasonOf = (error: unknown): string => {
  const { code } = error as { code?: unknown }
  return typeof code === 'string' ? code : 'reading it failed'
}
