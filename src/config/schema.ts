/**
 * schemas/config.json as data, for words about it: what a key is called, what would be right there. Checking is the
 * business of the validator made from the same file; this is loaded only when there is something to say.
 */
export interface SchemaNode {
  $ref?: string
  /** For texts that a pattern describes: what would be right, in words. */
  title?: string
  description?: string
  type?: string | string[]
  enum?: string[]
  minimum?: number
  maximum?: number
  default?: unknown
  examples?: unknown[]
  properties?: Record<string, SchemaNode>
  additionalProperties?: SchemaNode | false
  items?: SchemaNode
  then?: SchemaNode
  $defs?: Record<string, SchemaNode>
}

export const configSchema = async (): Promise<SchemaNode> => {
  const { default: schema } = await import('../../schemas/config.json', { with: { type: 'json' } })
  return schema as SchemaNode
}

/** A node with what its `$ref` (always into the document's own $defs) adds to it. */
export const resolved = (schema: SchemaNode, node: SchemaNode): SchemaNode => {
  const name = node.$ref?.slice('#/$defs/'.length)
  return name === undefined ? node : { ...schema.$defs?.[name], ...node }
}

/** The keys that a node's table may hold; undefined where any will do. */
export const knownKeys = (schema: SchemaNode, node: SchemaNode): string[] | undefined => {
  const table = node.then ? resolved(schema, node.then) : node
  return table.properties && Object.keys(table.properties)
}

/** The node that describes the value at `path` of a document. */
export const nodeAt = (schema: SchemaNode, path: readonly string[]): SchemaNode =>
  path.reduce<SchemaNode>((node, key) => {
    const table = node.then ? resolved(schema, node.then) : node
    const properties = table.properties ?? {}
    const next = Object.hasOwn(properties, key) ? properties[key] : table.additionalProperties || table.items
    return resolved(schema, next || {})
  }, schema)

/** What would be right for a node, as it stands behind "must be". */
export const expected = (node: SchemaNode): string => {
  if (node.title) return node.title
  if (node.enum) return `one of ${node.enum.map(word => JSON.stringify(word)).join(', ')}`
  if (node.type === 'integer') return `a whole number from ${node.minimum} to ${node.maximum}`
  if (node.type === 'array') return `a list, each entry ${expected(node.items ?? {})}`
  return node.type === 'boolean' ? 'true or false' : 'a table'
}
