/** Runs the compiled tests with tap, which has to be built once for its plugin list. Arguments name test files. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

process.chdir(path.resolve(import.meta.dirname, '..'))
const tap = args => spawnSync('node_modules/.bin/tap', args, { stdio: 'inherit' }).status ?? 1

const built = '.tap/plugins/node_modules/@tapjs/test/test-built'
if (!existsSync(built) && !existsSync('.tap/plugins')) {
  const status = tap(['build'])
  if (status !== 0) process.exit(status)
}
const named = process.argv.slice(2)
process.exit(
  tap(['--disable-coverage', '--reporter=terse', ...(named.length > 0 ? named : ['build/test/**/*.test.js'])]),
)
