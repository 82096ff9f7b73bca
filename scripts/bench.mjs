/**
 * What the built server costs: its start, its calls, its long lists. Not a test: it judges nothing.
 * `npm run bench [-- PAIRS]`
 */
import { benchCalls } from './bench/calls.mjs'
import { benchLists } from './bench/lists.mjs'
import { benchStart } from './bench/start.mjs'

await benchStart(Number(process.argv[2] ?? 25))
console.log()
await benchCalls(1000)
console.log()
await benchLists(10_000)
