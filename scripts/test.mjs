/**
 * Runs the compiled tests with tap and closes with "N passed, N failed", assertions counted. Arguments name test files.
 * On a terminal tap draws its progress; elsewhere only what failed is printed.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

process.chdir(path.resolve(import.meta.dirname, '..'))
const isTerminal = process.stdout.isTTY === true
const folder = mkdtempSync(path.join(tmpdir(), 'tap-'))
const results = path.join(folder, 'results.tap')
const named = process.argv.slice(2)
const run = args => {
  const { status, stdout, error } = spawnSync('node_modules/.bin/tap', args, {
    stdio: ['ignore', isTerminal ? 'inherit' : 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: Number.POSITIVE_INFINITY,
  })
  if (error) throw error
  return { status, stdout }
}

// The tests import what tap puts together of its plugins, once for a clone.
if (!existsSync('.tap/plugins')) run(['build'])
const { status, stdout } = run([
  '--disable-coverage',
  // A file that takes some seconds by itself takes many on a machine that is busy otherwise.
  '--timeout=120',
  '--reporter=terse',
  `--output-file=${results}`,
  ...(named.length > 0 ? named : ['build/test/**/*.test.js']),
])

let tap = ''
try {
  tap = readFileSync(results, 'utf8')
} catch {
  // tap ended before it ran anything; it has said why.
}
rmSync(folder, { recursive: true })

// Behind the last line that it drew over stand the failures.
const drawnOver = '\u001b[G'
if (status !== 0 && !isTerminal) process.stdout.write(stdout.slice(stdout.lastIndexOf(drawnOver) + drawnOver.length))
// What tap draws may hide what failed; its results never do.
for (const [line] of [...tap.matchAll(/^ *not ok .*$/gm)].slice(0, 60)) console.log(line)
// A file that fails to load says so on stderr, which tap keeps to itself.
const silent = /^# Subtest: (.*)\n {4}1\.\.0 # no tests found$/m.exec(tap)?.[1]
if (status !== 0 && silent !== undefined) {
  console.log(`${silent} ran no test; alone it says:`)
  spawnSync(process.execPath, [silent], { stdio: ['ignore', 'ignore', 'inherit'] })
}
for (const [, name, reason] of tap.matchAll(/^ *ok \d+ - (.*) # SKIP ?(.*)$/gm))
  console.log(`skipped: ${name} (${reason})`)

/** From tap's own last line: # { total: 40, pass: 38, fail: 1, skip: 1 } */
const summary = /^# \{ total: .*\}$/m.exec(tap)?.[0] ?? ''
const count = what => Number(new RegExp(`\\b${what}: (\\d+)`).exec(summary)?.[1] ?? 0)
const passed = count('pass')
const isRight = status === 0 && count('fail') === 0 && passed > 0
const failed = isRight ? 0 : Math.max(1, count('fail'))
console.log(`${passed} passed, ${failed} failed${count('skip') > 0 ? `, ${count('skip')} skipped` : ''}`)
process.exitCode = isRight ? 0 : 1
