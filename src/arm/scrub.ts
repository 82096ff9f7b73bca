/**
 * Knows what a secret looks like, for everything that is written down: logs, error texts, recordings.
 *
 * The knowledge is two tables: names (of JSON keys, URL parameters, headers) whose value is a secret whatever it looks
 * like, and shapes (bearer tokens, JWTs, storage keys) that are a secret wherever they stand. Everything else stays to
 * the letter, because a recording whose names and ids were touched cannot be replayed. The text is Azure's, may be long
 * and may be hostile, so every rule is linear: none starts again inside what it has failed on.
 */

/** Stands in place of every secret, always the same, so that what was scrubbed twice is equal to what was scrubbed once. */
export const scrubbed = 'scrubbed'

/** Names of secrets in JSON and in `name=value`. A space is nothing, `-` or `_` on the wire; `*` is any beginning. */
const secretNames = [
  '*password',
  '*passwd',
  '*passphrase',
  '*secret',
  'pwd',
  'token',
  'access token',
  'refresh token',
  'id token',
  'assertion',
  'client assertion',
  'user assertion',
  'device code',
  'client info',
  'code verifier',
  'private key',
  'account key',
  'storage account key',
  'shared access key',
  'shared access signature',
  'sas token',
  'connection string',
  'authorization',
  'cookie',
  'set cookie',
  // The SAS of an exported job list.
  'blob sas key',
  // backupSecurityPIN answers the PIN twice: as `token` and under its own name.
  'security PIN',
  // Cross-region restore: who holds these may restore the point.
  'access token string',
  'token extended information',
  // Mounting a VM's files: the script, and the name it is saved under, hold the password of the mount.
  'script content',
  'script name suffix',
]
const words = secretNames.map(name => name.replaceAll(' ', '[-_]?').replace('*', '[\\w-]*')).join('|')

/** OAuth, ARM's signed polling URLs (t, c, s, h), and everything that belongs to a shared access signature. */
const secretParameters =
  'sig|signature|code|t|c|s|h|access_token|refresh_token|id_token|client_info|' +
  'sv|ss|srt|sr|sp|st|se|sip|spr|skoid|sktid|skt|ske|sks|skv'

/** Headers that are secret as a whole. */
const secretHeaders = new Set([
  'authorization',
  'proxy-authorization',
  'x-ms-authorization-auxiliary',
  'cookie',
  'set-cookie',
])

const secretKey = new RegExp(`^(?:${words})$`, 'i')
/** True for names in JSON and in forms whose value is a secret whatever it looks like. */
export const isSecretName = (name: string): boolean => secretKey.test(name)

// A value ends at what separates parameters, also where the whole URL was percent-encoded once more.
const plain = String.raw`(?:[^%&?#;,\s"'<>\\]+|%(?!26|3b))`
const parameter = new RegExp(
  String.raw`((?:[?&#]|&amp;|\\u0026|%3f|%26)(?:${secretParameters})(?:=|%3d))(?:${plain})+`,
  'gi',
)
const assignment = new RegExp(String.raw`((?<![\w-])(?:${words})(?:=|%3d))("[^"]*|'[^']*|(?:${plain})+)`, 'gi')
/** JSON that came cut or quoted, so that it could not be parsed. */
const quoted = new RegExp(
  String.raw`((?<![\w-])(?:${words})\\*["']\s*:\s*)(\\*")?(?:(?<=")[^"\\]*(?:\\[\s\S][^"\\]*)*|\d+)`,
  'gi',
)
const firstWordAfterBearer =
  /(?:tokens?|auth\w*|scheme|challenge|realm|error|headers?|credentials?|is|was)(?![\w~+/=-]|\.\w)/.source

const inContext: readonly [RegExp, string | ((...groups: string[]) => string)][] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*(?:-(?!----END)[^-]*)*/g, scrubbed],
  [/(https?:\/\/)[^\s/?#@"'<>\\]+@/gi, `$1${scrubbed}@`],
  [parameter, `$1${scrubbed}`],
  [assignment, (_all, head = '', value = '') => head + (/^["']/.test(value) ? value.charAt(0) : '') + scrubbed],
  [quoted, (_all, head = '', quote = '') => head + (quote ? quote + scrubbed : `"${scrubbed}"`)],
  [/(authorization["']?\s*[:=]\s*["']?(?:basic|sharedkey(?:lite)?|negotiate|pop)\s+)[^\s"',]+/gi, `$1${scrubbed}`],
  // `Bearer name="…"` is a challenge of www-authenticate, `Bearer token` is prose.
  [
    new RegExp(String.raw`(\bBearer(?:\s|%20)+)(?![\w-]+=["'\w]|${firstWordAfterBearer})[\w.~+/=-]+`, 'gi'),
    `$1${scrubbed}`,
  ],
  // A client secret as Entra ID makes them.
  [/(?<![\w.~-])[\w.~]{3}\dQ~[\w.~-]{31,34}(?![\w.~-])/g, scrubbed],
  // A storage account key: 64 bytes in base 64. A paging token of that length is none.
  [/(?<!skiptoken=|skiptoken%3d|[a-z0-9+/])[a-z0-9+/]{86}==(?![=\w])/gi, scrubbed],
]

/** Three parts of base64url of which the first begins with `{"`. Looks at whole runs, so no run is read twice. */
const scrubJwts = (text: string): string =>
  text.includes('eyJ')
    ? text.replaceAll(/[\w.-]+/g, run => {
        const start = run.indexOf('eyJ')
        const [head, payload, ...rest] = start < 0 ? [] : run.slice(start).split('.')
        return head && payload && rest.length > 0 ? run.slice(0, start) + scrubbed : run
      })
    : text

/** Text with every secret in it replaced; for log lines, messages, and bodies that are no JSON. */
export const scrubText = (text: string): string =>
  scrubJwts(
    inContext.reduce(
      (rest, [pattern, by]) => (typeof by === 'string' ? rest.replace(pattern, by) : rest.replace(pattern, by)),
      text,
    ),
  )

/** A URL, whole or path and query, without its signature; paths, `$filter`, `$skipToken` and `api-version` stay. */
export const scrubUrl = (url: string): string => scrubText(url)

/** Headers with lower-case names; a secret one keeps its name, to show that it was there. */
export const scrubHeaders = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      secretHeaders.has(name.toLowerCase()) ? scrubbed : scrubText(value),
    ]),
  )

const isSecretAt = (key: string, parent: string): boolean =>
  isSecretName(key) || (key === 'url' && parent === 'clientScripts')

const scrubString = (text: string): string => {
  // JSON inside of a JSON string, as in deployments and property bags.
  if (/^\s*[{[]/.test(text))
    try {
      const inner: unknown = JSON.parse(text)
      const clean = JSON.stringify(scrubBody(inner))
      return clean === JSON.stringify(inner) ? text : clean
    } catch {
      // Not JSON after all: plain text.
    }
  return scrubText(text)
}

const walk = (value: unknown, isSecret: boolean, name: string): unknown => {
  if (typeof value === 'string') return isSecret && value !== '' ? scrubbed : scrubString(value)
  if (typeof value === 'number') return isSecret ? scrubbed : value
  // An array has the name of its key: `clientScripts` names each script in it.
  if (Array.isArray(value)) return value.map(item => walk(item, isSecret, name))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, walk(item, isSecret || isSecretAt(key, name), key)]),
  )
}

/** A parsed JSON body with its secrets replaced, by name of key and by shape; a copy. */
export const scrubBody = (body: unknown): unknown => walk(body, false, '')
