/** What tools cost in requests to Azure, so that a look-up too many is seen where it comes in. */
import t from 'tap'
import { entries } from '../src/generated/catalog.ts'
import { plainUses, requestsOf } from './helpers/plain-uses.ts'

for (const { name } of entries)
  t.test(`${name} sends as many requests as its row says`, async t => {
    const { sent, requests } = await requestsOf(name)
    t.same(requests, plainUses[name].requests, sent.join('\n'))
  })
