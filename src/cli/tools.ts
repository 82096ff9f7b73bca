import { printable } from '../printable.ts'
import { faultLine, warningLines } from './loaded.ts'
import { toServing, type Values } from './options.ts'
import type { CliIo } from './runtime-types.ts'

interface Parameter {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  minimum?: number
  maximum?: number
  default?: unknown
  description?: string
}

interface ListedTool {
  name: string
  description?: string
  annotations?: { readOnlyHint?: boolean; destructiveHint?: boolean }
  inputSchema: { properties?: Record<string, Parameter>; required?: string[]; $defs?: Record<string, Parameter> }
}

/** `tools`: what the configuration and the flags leave of the list. */
export const toolsCommand = async (values: Values, io: CliIo): Promise<number> => {
  const runtime = await io.runtime(toServing(values))
  try {
    const json = runtime.listTools()
    const text = () => (JSON.parse(json) as { tools: ListedTool[] }).tools.map(toolText).join('\n')
    await io.stdout(values.json === true ? `${json}\n` : text())
    io.stderr(warningLines(runtime.loaded) + faultLine(runtime.loaded))
    return runtime.loaded.faults.length > 0 ? 2 : 0
  } finally {
    await runtime.close()
  }
}

const toolText = (tool: ListedTool): string => {
  const { properties = {}, required = [], $defs = {} } = tool.inputSchema
  const rows = Object.entries(properties).map(([name, parameter]) => {
    const whole = { ...$defs[parameter.$ref?.slice('#/$defs/'.length) ?? ''], ...parameter }
    return { name: required.includes(name) ? `${name} *` : name, kind: kindOf(whole), about: aboutOf(whole) }
  })
  const width = Math.max(0, ...rows.map(({ name }) => name.length))
  const lines = rows.map(({ name, kind, about }) => `    ${name.padEnd(width)}  ${kind}${about}`)
  const about = tool.description ? [`  ${printable(tool.description)}`] : []
  return [`${tool.name} (${effectOf(tool)})\n`, ...[...about, ...lines].map(line => `${line}\n`)].join('')
}

const effectOf = ({ annotations = {} }: ListedTool): string => {
  if (annotations.readOnlyHint) return 'reads'
  return annotations.destructiveHint === false ? 'changes' : 'changes, can lose something'
}

const kindOf = (parameter: Parameter): string => {
  if (parameter.enum) return parameter.enum.join(' | ')
  const type = [parameter.type ?? 'any'].flat().join(' or ')
  const { minimum, maximum } = parameter
  return minimum === undefined && maximum === undefined ? type : `${type} ${minimum ?? ''}..${maximum ?? ''}`
}

const aboutOf = (parameter: Parameter): string => {
  const start = parameter.default === undefined ? '' : `, default ${JSON.stringify(parameter.default)}`
  return parameter.description ? `${start}: ${printable(parameter.description)}` : start
}
