/**
 * How many requests each tool's plain use sends to Azure: the table that test/requests.test.ts holds. Counted in this
 * process, on the simulated Azure, where following an operation takes as many polls every time.
 */
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './process.mjs'

const built = name => import(pathToFileURL(path.join(root, 'build', name)))
const columns = ['reads', 'reading POSTs', 'writes', 'polls']

export const benchRequests = async () => {
  const { entries } = await built('src/generated/catalog.js')
  const { requestsOf } = await built('test/helpers/plain-uses.js')
  console.log('Requests of one plain use on the simulated Azure')
  console.log(`${''.padEnd(30)}${columns.map(name => name.padStart(14)).join('')}`)
  for (const { name } of entries) {
    const { args, requests } = await requestsOf(name)
    const counts = requests.map(count => String(count).padStart(14)).join('')
    console.log(`${name.padEnd(30)}${counts}  ${JSON.stringify(args).slice(0, 80)}`)
  }
}
