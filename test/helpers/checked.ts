/** Calls of tools whose every result is held against what the server itself promises of it. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Test } from 'tap'
import { type Called, type Options, Server, toolPrefix } from './server.ts'

export interface ServedTool {
  name: string
  title: string
  description: string
  annotations: Record<string, boolean>
  inputSchema: Record<string, unknown>
  outputSchema: Record<string, unknown>
}

export interface Checked {
  server: Server
  tools: ServedTool[]
  /** The result of a call that must succeed: it fits the served schema, and its text says the same. */
  good(tool: string, args?: Record<string, unknown>, meta?: Record<string, unknown>): Promise<Called['body']>
  /** The error of a call that must fail as a result, without structured content. */
  bad(tool: string, args?: Record<string, unknown>): Promise<Called['error']>
}

export const checked = async (t: Test, options: Options): Promise<Checked> => {
  const server = new Server(t, options)
  const { tools } = (await server.request('tools/list')).result as { tools: ServedTool[] }
  const ajv = new Ajv2020({ allErrors: true })
  const validators = new Map<string, ValidateFunction>()
  for (const { name, outputSchema } of tools) validators.set(name.slice(toolPrefix.length), ajv.compile(outputSchema))

  const ask = async (tool: string, args: Record<string, unknown>, meta: Record<string, unknown>) => {
    const asked = `${tool} ${JSON.stringify(args)}`
    const { result } = await server.request('tools/call', { name: toolPrefix + tool, arguments: args }, meta)
    const content = result?.content as [{ type: string; text: string }]
    t.same([content.length, content[0].type], [1, 'text'], asked)
    const text = JSON.parse(content[0].text)
    t.equal(content[0].text, JSON.stringify(text), `${asked}: the text is minified`)
    return { asked, result: result ?? {}, text }
  }
  return {
    server,
    tools,
    good: async (tool, args = {}, meta = {}) => {
      const { asked, result, text } = await ask(tool, args, meta)
      if (result.isError) throw new Error(`${asked}: ${JSON.stringify(text)}`)
      const validate = validators.get(tool)
      t.ok(validate?.(result.structuredContent), `${asked}: ${JSON.stringify(validate?.errors)}`)
      t.strictSame(result.structuredContent, text, `${asked}: text and structure say the same`)
      return result.structuredContent as Called['body']
    },
    bad: async (tool, args = {}) => {
      const { asked, result, text } = await ask(tool, args, {})
      t.equal(result.isError, true, `${asked}: ${JSON.stringify(text).slice(0, 200)}`)
      t.notOk('structuredContent' in result, asked)
      t.match(text.error, { code: /^[a-z_]+$/, message: /./, remediation: /./ }, asked)
      return text.error
    },
  }
}
