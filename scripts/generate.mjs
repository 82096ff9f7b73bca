/**
 * Makes src/generated from schemas/: the tool catalog as ready-made JSON text, the TypeScript types of every tool's
 * arguments and result, and standalone validators. `--check` fails if a committed file is not current, and leaves it alone.
 *
 * A schema file is served unchanged but for its references into schemas/common/: one used once is put in place, one used
 * more often stands once in the document's own $defs.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import Ajv2020 from 'ajv/dist/2020.js'
import standaloneCode from 'ajv/dist/standalone/index.js'
import { compile } from 'json-schema-to-typescript'

const root = path.resolve(import.meta.dirname, '..')
const read = file => JSON.parse(readFileSync(path.join(root, file), 'utf8'))
const prefix = 'recovery_services_'

/** Every common fragment by the text of the reference to it. */
const common = Object.fromEntries(
  readdirSync(path.join(root, 'schemas/common')).map(file => [`../common/${file}`, read(`schemas/common/${file}`)]),
)

const isObject = value => typeof value === 'object' && value !== null && !Array.isArray(value)

const walk = (value, visit) => {
  if (Array.isArray(value)) return value.map(item => walk(item, visit))
  if (!isObject(value)) return value
  const replaced = visit(value)
  if (replaced) return replaced
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item, visit)]))
}

/** A fragment with what stands beside the reference to it; properties of both. */
const merged = (fragment, beside) => ({
  ...fragment,
  ...beside,
  ...(fragment.properties && beside.properties && { properties: { ...fragment.properties, ...beside.properties } }),
})

/** One document with its references into schemas/common resolved. */
const resolve = schema => {
  const uses = {}
  const count = value =>
    walk(value, node => {
      const file = common[node.$ref] ? node.$ref : undefined
      if (typeof node.$ref === 'string' && node.$ref.startsWith('..') && !file) throw new Error(`no ${node.$ref}`)
      if (file) {
        uses[file] = (uses[file] ?? 0) + 1
        if (uses[file] === 1) count(common[file])
      }
      return undefined
    })
  count(schema)
  const defs = {}
  const place = value =>
    walk(value, node => {
      const file = common[node.$ref] ? node.$ref : undefined
      if (!file) return undefined
      const { $ref: _, ...beside } = node
      if (uses[file] === 1) return merged(place(common[file]), place(beside))
      const name = path.basename(file, '.json').replaceAll('-', '_')
      defs[name] ??= place(common[file])
      return { $ref: `#/$defs/${name}`, ...beside }
    })
  const placed = place(schema)
  return Object.keys(defs).length > 0 ? { ...placed, $defs: { ...placed.$defs, ...defs } } : placed
}

/** What is checked, but need not be read: that the parts inside take nothing else, and that no text is empty. */
const unread = { additionalProperties: false, minLength: 1 }

/** Arguments as a model reads them. */
const asRead = schema => {
  const open = value =>
    walk(value, node => {
      const read = Object.entries(node).filter(([key, item]) => unread[key] !== item)
      return read.length < Object.keys(node).length ? open(Object.fromEntries(read)) : undefined
    })
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, open(value)]))
}

const toolsets = read('schemas/toolsets.json')
const files = new Set(readdirSync(path.join(root, 'schemas/tools')).map(file => path.basename(file, '.json')))
const tools = Object.entries(toolsets).flatMap(([toolset, names]) =>
  names.map(shortName => {
    if (!files.delete(shortName))
      throw new Error(`schemas/toolsets.json names ${shortName}; schemas/tools has no such file`)
    const tool = read(`schemas/tools/${shortName}.json`)
    if (tool.name !== prefix + shortName) throw new Error(`schemas/tools/${shortName}.json is named ${tool.name}`)
    return {
      shortName,
      toolset,
      tool: { ...tool, inputSchema: resolve(tool.inputSchema), outputSchema: resolve(tool.outputSchema) },
    }
  }),
)
if (files.size > 0) throw new Error(`schemas/toolsets.json leaves out ${[...files].join(', ')}`)

// ---------------------------------------------------------------- catalog
const text = value => JSON.stringify(JSON.stringify(value).slice(1, -1))
const catalog = `// Made from schemas/ by scripts/generate.mjs. Not edited by hand.
import type { CatalogEntry } from '../tools/catalog.ts'

export const version = ${JSON.stringify(read('package.json').version)}

export const entries: readonly CatalogEntry[] = [
${tools
  .map(({ shortName, toolset, tool }) => {
    const { name, title, description, annotations, inputSchema, outputSchema } = tool
    return `  {
    name: ${JSON.stringify(shortName)},
    toolset: ${JSON.stringify(toolset)},
    readOnly: ${annotations.readOnlyHint === true},
    base: ${text({ name, description, inputSchema: asRead(inputSchema) })},
    annotations: ${text({ annotations })},
    output: ${text({ title, outputSchema })},
  },`
  })
  .join('\n')}
]
`

// ---------------------------------------------------------------- types
const pascal = words => words.replace(/(?:^|_)([a-z])/g, (_, letter) => letter.toUpperCase())
const typesOf = async (schema, name, options = {}) => {
  const named = {
    ...schema,
    title: name,
    ...(schema.$defs && {
      $defs: Object.fromEntries(
        Object.entries(schema.$defs).map(([key, value]) => [key, { ...value, title: `${name}_${key}` }]),
      ),
    }),
  }
  return compile(named, name, {
    bannerComment: '',
    additionalProperties: false,
    strictIndexSignatures: true,
    unreachableDefinitions: false,
    style: { singleQuote: true, semi: false },
    ...options,
  })
}
const blocks = await Promise.all(
  tools.map(async ({ shortName, tool }) => [
    await typesOf(tool.inputSchema, `${pascal(shortName)}Input`),
    await typesOf(tool.outputSchema, `${pascal(shortName)}Output`),
  ]),
)
const map = (name, kind) =>
  `export interface ${name} {\n${tools.map(({ shortName }) => `  ${shortName}: ${pascal(shortName)}${kind}`).join('\n')}\n}\n`
const types = `// Made from schemas/ by scripts/generate.mjs. Not edited by hand.
${blocks.flat().join('\n')}
${map('ToolInputs', 'Input')}
${map('ToolOutputs', 'Output')}
export type ToolName = keyof ToolInputs
`

/** Without descriptions beside references: each would make a type of its own. */
const withoutNotes = schema => walk(schema, node => (node.$ref ? { $ref: node.$ref } : undefined))
const seedSchema = read('schemas/seed.json')
const seedTypes = `// Made from schemas/seed.json by scripts/generate.mjs. Not edited by hand.
${await typesOf(withoutNotes(seedSchema), 'Seed', { ignoreMinAndMaxItems: true })}`

// ---------------------------------------------------------------- validators
/** Times need an offset: "2026-11-22T02:00:00Z". Regular expressions are embedded in the standalone code. */
const formats = {
  'date-time':
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
}
/** A module of standalone validators, by the name of each schema. One for each room, since each is loaded by itself. */
const validatorsOf = (schemas, options = {}) => {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: true,
    allowUnionTypes: true,
    formats,
    code: { source: true, esm: true },
    ...options,
  })
  for (const [name, schema] of Object.entries(schemas)) ajv.addSchema(schema, name)
  // The standalone code asks for ajv's run-time helpers by require, also when it is an ES module.
  const imports = new Set()
  const code = standaloneCode(ajv, Object.fromEntries(Object.keys(schemas).map(name => [name, name]))).replaceAll(
    /const (\w+) = require\("([^"]+)"\)(\.default)?;/g,
    (_, name, from) => {
      const file = /\.js$/.test(from) ? from : `${from}.js`
      imports.add(`import ${name}_ from '${file}'; const ${name} = ${name}_.default ?? ${name}_;`)
      return ''
    },
  )
  if (/\brequire\(/.test(code)) throw new Error('the validators still ask for something by require')
  return `// @ts-nocheck
// Made from schemas/ by scripts/generate.mjs. Not edited by hand.
${[...imports].join('\n')}
${code}
`
}
const validators = {
  'tool-validators.ts': validatorsOf(
    Object.fromEntries(
      tools.flatMap(({ shortName, tool }) => [
        [`${shortName}_input`, tool.inputSchema],
        [`${shortName}_output`, tool.outputSchema],
      ]),
    ),
  ),
  'config-validator.ts': validatorsOf({ config: read('schemas/config.json') }),
  'fixture-validator.ts': validatorsOf({ fixture: read('schemas/fixture.json') }),
  'seed-validator.ts': validatorsOf({ seed: seedSchema }, { inlineRefs: false }),
}

// ---------------------------------------------------------------- files
const committed = { 'catalog.ts': catalog, 'tools.ts': types, 'seed.ts': seedTypes }
if (process.argv.includes('--check')) {
  const stale = Object.entries(committed).filter(([file, content]) => {
    try {
      return readFileSync(path.join(root, 'src/generated', file), 'utf8') !== content
    } catch {
      return true
    }
  })
  if (stale.length > 0) {
    console.error(
      `src/generated/${stale.map(([file]) => file).join(', ')} is not what schemas/ make: run npm run generate`,
    )
    process.exit(1)
  }
}
mkdirSync(path.join(root, 'src/generated'), { recursive: true })
for (const [file, content] of Object.entries({ ...committed, ...validators }))
  writeFileSync(path.join(root, 'src/generated', file), content)
