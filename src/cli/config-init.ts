/**
 * `config init`: a configuration file to fill in, written from schemas/config.json so that it has every key there is.
 * Every value is commented out: the file changes nothing until somebody decides something.
 */
import path from 'node:path'
import { configSchema, expected, resolved, type SchemaNode } from '../config/schema.ts'
import { codexHome } from '../config/search.ts'
import { UsageError, type Values } from './options.ts'
import type { CliIo } from './runtime-types.ts'

/** Never overwrites without `--force`; prints the path. */
export const configInitCommand = async (values: Values, io: CliIo): Promise<number> => {
  if (values.PATH === '') throw new UsageError('PATH is empty')
  const file = path.resolve(io.cwd, values.PATH === undefined ? defaultFile(io) : String(values.PATH))
  const isForced = values.force === true
  await io.files.mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
  try {
    await io.files.writeFile(file, configTemplate(await configSchema()), { mode: 0o600, flag: isForced ? 'w' : 'wx' })
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error
    throw new Error(`${file} exists and was left as it is; --force replaces it`, { cause: error })
  }
  if (isForced) await io.files.chmod(file, 0o600) // a file that was there keeps its mode when it is written
  await io.stdout(`${file}\n`)
  return 0
}

const defaultFile = (io: CliIo): string => path.join(codexHome(io), 'recovery_services.toml')

const head = `# Configuration of recovery-services-server. Take the # from what you want to set; what is not set
# comes from the environment (AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, AZURE_VAULT_NAME) or is the default.
# Secrets do not belong here. \`recovery-services-server status\` shows what is in force.
`

/** Valid TOML; each line that opens with \`# key = \` is valid without its mark too. */
const configTemplate = (schema: SchemaNode): string => {
  const blocks = Object.entries(schema.properties ?? {}).map(([key, node]): [isTable: boolean, text: string] => {
    if (key === 'vaults') return [true, vaultBlock(schema, node)]
    if (!node.properties) return [false, entry(schema, key, node)]
    return [true, `${comment(node.description)}[recovery_services.${key}]\n${entries(schema, node)}`]
  })
  const texts = (isTable: boolean) => blocks.filter(([is]) => is === isTable).map(([, text]) => text)
  return [head, `[recovery_services]\n${texts(false).join('\n')}`, ...texts(true)].join('\n')
}

const vaultBlock = (schema: SchemaNode, { description, additionalProperties }: SchemaNode): string =>
  `${comment(description)}# [recovery_services.vaults.production]\n${entries(schema, additionalProperties || {})}`

const entries = (schema: SchemaNode, node: SchemaNode): string =>
  Object.entries(node.properties ?? {})
    .map(([key, child]) => entry(schema, key, child))
    .join('\n')

const entry = (schema: SchemaNode, key: string, ownNode: SchemaNode): string => {
  const node = resolved(schema, ownNode)
  const standard = node.default === undefined ? '' : `; default ${JSON.stringify(node.default)}`
  const value = JSON.stringify(node.default ?? node.examples?.[0]) // JSON's texts, numbers and lists are TOML too
  return `${comment(node.description)}${comment(`Takes ${expected(node)}${standard}.`)}# ${key} = ${value}\n`
}

/** Lines of at most 110 characters behind a mark. */
const comment = (text = ''): string =>
  (text.match(/.{1,108}(?: |$)/g) ?? []).map(line => `# ${line.trimEnd()}\n`).join('')
