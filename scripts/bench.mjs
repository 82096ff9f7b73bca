/**
 * What the built server costs: its start, its sign-in, its calls, its long lists, its simulated Azure, and how many
 * requests each tool sends. Not a test: it judges nothing.
 * `npm run bench [-- PAIRS]`
 */
import { benchCalls } from './bench/calls.mjs'
import { benchLists } from './bench/lists.mjs'
import { benchRequests } from './bench/requests.mjs'
import { benchSignIn } from './bench/sign-in.mjs'
import { benchSimulator } from './bench/simulator.mjs'
import { benchStart } from './bench/start.mjs'

const pairs = Number(process.argv[2] ?? 25)
await benchStart(pairs)
console.log()
await benchSignIn(pairs)
console.log()
await benchCalls(1000)
console.log()
await benchLists(10_000)
console.log()
await benchSimulator(pairs)
console.log()
await benchRequests()
