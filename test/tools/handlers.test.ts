import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { toolNames } from '../../src/tools/catalog.ts'
import type { Handlers } from '../../src/tools/context.ts'
import { handlers } from '../../src/tools/handlers.ts'
import { root } from '../helpers/server.ts'

// The compiler is the check: it refuses a directive that silences nothing.
// @ts-expect-error a tool without a function does not compile
const incomplete: Handlers = { list_vaults: handlers.list_vaults }
// @ts-expect-error a result that cannot fit its schema does not compile
const misfit: Handlers['list_vaults'] = async () => ({ vaults: [], count: 'none' })
// @ts-expect-error a result that leaves a required field out does not compile
const partial: Handlers['track_async_operation'] = async () => ({ operation_id: 'x', status: 'succeeded' })

t.test('every tool of the schemas has a function', async t => {
  t.same(Object.keys(handlers).sort(), [...toolNames].sort())
  t.ok([incomplete, misfit, partial].every(Boolean))
})

t.test('every tool that a message names is there', async t => {
  const sources = readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(file =>
    file.endsWith('.ts'),
  )
  const named = sources.flatMap(file => [
    ...readFileSync(path.join(root, 'src', file), 'utf8').matchAll(/\brecovery_services_([a-z]+_\w+)/g),
  ])
  t.ok(named.length > 10)
  for (const [, name = ''] of named) t.ok(toolNames.includes(name), name)
})
