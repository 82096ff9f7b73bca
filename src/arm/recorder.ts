/**
 * Saves every exchange that passes, scrubbed, in the format that replay reads. The file is replaced whole after each
 * exchange, before its caller goes on, so that whatever ends the process leaves a recording that is complete and parses.
 * Recording is a witness: a disk that is full is reported and never fails the call.
 */
import type { Log } from '../log.ts'
import type { Exchange, Recording } from './recordings.ts'
import { scrubBody, scrubHeaders, scrubText, scrubUrl } from './scrub.ts'
import type { ArmRequest, ArmResponse, Send } from './send.ts'

export interface RecorderDeps {
  /** Made if it is missing. */
  directory: string
  now: () => Date
  pid: number
  /** The configured one, for `source`. */
  apiVersion: string
  /** Makes a folder and those above it; one that exists is no error. */
  mkdir: (path: string) => Promise<unknown>
  /** Replaces the file whole, by rename, mode 0600. */
  writeFile: (path: string, text: string) => Promise<void>
  log: Log
}

/** Headers that a client acts on or a support case asks for; all others only tell apart two equal exchanges. */
const keptHeader =
  /^(?:content-type|location|azure-asyncoperation|retry-after|date|x-ms-request-id|x-ms-ratelimit-.*|www-authenticate)$/

const kept = (headers: Readonly<Record<string, string>>, pattern: RegExp): Record<string, string> =>
  scrubHeaders(Object.fromEntries(Object.entries(headers).filter(([name]) => pattern.test(name.toLowerCase()))))

const bodyOf = (text: string | undefined): unknown => {
  if (!text) return null
  try {
    return scrubBody(JSON.parse(text))
  } catch {
    return scrubText(text)
  }
}

const exchangeOf = (request: ArmRequest, response: ArmResponse): Exchange => ({
  request: {
    method: request.method,
    url: scrubUrl(request.url),
    headers: kept(request.headers, /^content-type$/),
    body: bodyOf(request.body),
  },
  response: {
    status: response.status,
    headers: kept(response.headers, keptHeader),
    body: bodyOf(response.body),
  },
})

/**
 * Wraps any `send` so that every answered exchange is saved to `DIRECTORY/<UTC time>-<pid>.json`, the time being that of
 * this call; all that one recorder wraps goes into the same file. A request without an answer (SendError, cancelled)
 * leaves no trace: replay could not give it back.
 */
export const createRecorder = (deps: RecorderDeps): ((send: Send) => Send) => {
  const started = deps.now()
  const file = `${deps.directory}/${started.toISOString().slice(0, 19).replaceAll(':', '-')}Z-${deps.pid}.json`
  const source: Recording['source'] = {
    kind: 'recorded',
    on: started.toISOString().slice(0, 10),
    apiVersion: deps.apiVersion,
  }
  const head = `{\n"source": ${JSON.stringify(source)},\n"recordedAt": "${started.toISOString()}",\n"exchanges": [\n`
  const exchanges: string[] = []
  let written = 0
  const write = async () => {
    // One write holds all that came while the one before was going on.
    const count = exchanges.length
    if (written === count) return
    if (written === 0) await deps.mkdir(deps.directory)
    await deps.writeFile(file, `${head}${exchanges.join(',\n')}\n]\n}\n`)
    written = count
  }
  let writing = Promise.resolve()
  const failed = (error: unknown) =>
    deps.log('error', `An exchange was not recorded in ${file}`, {
      reason: error instanceof Error ? error.message : String(error),
    })

  return send => async (request, signal) => {
    const response = await send(request, signal)
    try {
      exchanges.push(JSON.stringify(exchangeOf(request, response), null, 1))
      writing = writing.then(write).catch(failed)
      await writing
    } catch (error) {
      failed(error)
    }
    return response
  }
}
