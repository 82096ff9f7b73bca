/**
 * The script by which a mounted recovery point is reached, as the operation hands it out (section 9.5 of the wire facts).
 * All of it is a secret: nothing of it belongs into a log, an error or a recording.
 */
import { type Fields, fields, list, text } from './fields.ts'

export interface MountScript {
  /** `Linux` or `Windows`. */
  osType: string | null
  /** Undefined where the script is to be downloaded. Asks for the password where it had it inside. */
  content: Buffer | undefined
  url: string | null
  /** What Azure's own clients save it as; the script finds its session by it. Null where the password may be in it. */
  fileName: string | null
  password: string | null
}

/** What the script takes as "ask for it". Azure's own clients put it in too, so that no file holds the password. */
const asksForIt = 'UserInput012345'
const target = /(?<=TargetPassword\s*=\s*")[^"\r\n]+(?=")/g

/** The password stands in the name, that far behind its last underscore. */
const passwordOffset = 33
const passwordLength = 15
const isPassword = /^[!-~]{15}$/

const partsOf = (suffix: string): { fileName: string; password: string } | undefined => {
  const start = suffix.lastIndexOf('_') + passwordOffset
  const end = start + passwordLength
  const password = suffix.slice(start, end)
  if (!suffix.includes('_') || !isPassword.test(password)) return undefined
  return { fileName: suffix.slice(0, start) + suffix.slice(end), password }
}

const toScript = (raw: Fields): MountScript => {
  const { osType, scriptExtension, scriptContent, scriptNameSuffix, url } = raw
  // One character a byte: what is not replaced stays as it was, whatever it is encoded in.
  const told = Buffer.from(text(scriptContent) ?? '', 'base64').toString('latin1')
  const inside = [...told.matchAll(target)].map(([password]) => password).find(each => each !== asksForIt)
  const parts = partsOf(text(scriptNameSuffix) ?? '')
  const extension = text(scriptExtension) ?? ''
  return {
    osType: text(osType),
    content: told === '' ? undefined : Buffer.from(told.replaceAll(target, asksForIt), 'latin1'),
    url: typeof url === 'string' && URL.canParse(url) ? new URL(url).href : null,
    fileName: parts ? `${parts.fileName}${extension && `.${extension.replace(/^\.+/, '')}`}` : null,
    password: parts?.password ?? inside ?? null,
  }
}

/**
 * The script in the final answer of the operation: for Linux the one with a text, for Windows the program to download.
 * Undefined where there is none, as in newer versions of the service.
 */
export const mountScriptIn = (body: unknown): MountScript | undefined => {
  const { recoveryTarget } = fields(fields(body).properties)
  const scripts = list(fields(recoveryTarget).clientScripts).map(toScript)
  const isWindows = scripts.some(({ osType }) => /^windows$/i.test(osType ?? ''))
  const best = isWindows ? scripts.find(({ url }) => url) : scripts.find(({ content }) => content)
  return best ?? scripts.find(({ content, url }) => content ?? url)
}
