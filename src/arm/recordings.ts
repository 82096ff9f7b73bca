/**
 * Recordings as files: what --record writes and --replay reads. A file is parsed here and nowhere else, by the validator
 * made from schemas/fixture.json; what does not fit is refused with the file's name, never half used.
 */
import { Problem } from '../problem.ts'

export interface RecordedRequest {
  method: string
  /** Absolute URL. */
  url: string
  headers?: Record<string, string>
  /** JSON value, or text that is none; null or absent: no body. */
  body?: unknown
}

export interface RecordedResponse {
  status: number
  headers?: Record<string, string>
  body?: unknown
}

export interface Exchange {
  request: RecordedRequest
  response: RecordedResponse
}

export interface Recording {
  about?: string
  recordedAt?: string
  source: string | { kind: 'recorded' | 'documented'; on?: string; apiVersion?: string }
  exchanges: Exchange[]
}

/** What of `node:fs/promises` reading takes. */
export interface ReadFiles {
  stat(path: string): Promise<{ isDirectory(): boolean }>
  readdir(path: string, options: { recursive: true }): Promise<string[]>
  readFile(path: string, encoding: 'utf8'): Promise<string>
}

/** As the generated validator reports it. */
interface Fault {
  instancePath: string
  message: string
  params: { additionalProperty?: string }
}

const unusable = (file: string, wrong: string, cause?: unknown): Problem =>
  new Problem(
    'not_configured',
    `The recording ${file} ${wrong}.`,
    'Name a file that --record wrote, or a folder of such files, with --replay.',
    cause === undefined ? {} : { cause },
  )

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** Throws Problem `not_configured` that names `file` and what is wrong with it. */
export const parseRecording = async (text: string, file: string): Promise<Recording> => {
  const { fixture } = await import('../generated/fixture-validator.ts')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // The parser's own message quotes the text, which may be anything: only the place is taken from it.
    throw unusable(file, `is not JSON${/ at position \d+/.exec(reason(error))?.[0] ?? ''}`)
  }
  if (!fixture(value)) {
    const faults = ((fixture as { errors?: Fault[] }).errors ?? []).map(
      ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${params.additionalProperty ?? ''}`,
    )
    const shown = faults.slice(0, 3).map(fault => fault.trim())
    const more = faults.length > shown.length ? `; and ${faults.length - shown.length} more` : ''
    throw unusable(file, `does not fit schemas/fixture.json: ${shown.join('; ')}${more}`)
  }
  const recording = value as Recording
  recording.exchanges.forEach(({ request }, index) => {
    if (!URL.canParse(request.url)) throw unusable(file, `has no URL at /exchanges/${index}/request/url`)
  })
  return recording
}

/**
 * The recordings at `path`: of one file, or of every *.json in a folder and below, in the order of their names.
 * Throws Problem `not_configured`.
 */
export const readRecordings = async (path: string, fs: ReadFiles): Promise<Recording[]> => {
  const read = async (file: string): Promise<Recording> => {
    let text: string
    try {
      text = await fs.readFile(file, 'utf8')
    } catch (error) {
      throw unusable(file, `cannot be read: ${reason(error)}`, error)
    }
    return parseRecording(text, file)
  }
  let isFolder: boolean
  try {
    isFolder = (await fs.stat(path)).isDirectory()
  } catch (error) {
    throw unusable(path, `cannot be read: ${reason(error)}`, error)
  }
  if (!isFolder) return [await read(path)]
  const names = (await fs.readdir(path, { recursive: true })).filter(name => name.endsWith('.json')).sort()
  if (names.length === 0) throw unusable(path, 'is a folder without any *.json file')
  return Promise.all(names.map(name => read(`${path}/${name}`)))
}

/** What of `node:fs/promises` writing takes. */
export interface WriteFiles {
  writeFile(path: string, text: string, options: { mode: number; flag: string }): Promise<void>
  rename(from: string, to: string): Promise<void>
  rm(path: string, options: { force: boolean }): Promise<void>
}

/** Replaces a file whole, mode 0600: a reader sees the old text or the new, and nobody else either. */
export const replaceFile = async (path: string, text: string, fs: WriteFiles): Promise<void> => {
  const draft = `${path}.new`
  // `wx` follows no link that somebody laid there, and gives a fresh file its mode.
  await fs.rm(draft, { force: true })
  await fs.writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  await fs.rename(draft, path)
}

/** A sign-in was recorded with what it was for: at the sign-in service, or at a managed identity endpoint. */
const isSignIn = /\/oauth2\/|\/\.well-known\/|\/msi\/token\/?$/i

/**
 * Origins that the recorded requests to ARM went to, the commonest first. Replay compares no host, but `nextLink` and
 * `Location` in the answers carry it: the configured ARM endpoint has to be this one for them to be followed.
 */
export const recordedOrigins = (recordings: readonly Recording[]): string[] => {
  const counts = new Map<string, number>()
  for (const { request } of recordings.flatMap(({ exchanges }) => exchanges)) {
    const { origin, pathname } = new URL(request.url)
    if (isSignIn.test(pathname)) continue
    counts.set(origin, (counts.get(origin) ?? 0) + 1)
  }
  return [...counts].sort(([, a], [, b]) => b - a).map(([origin]) => origin)
}
