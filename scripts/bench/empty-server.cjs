/**
 * The least a Node program can do: answers the lines of a file (its argument) one by one, whatever is asked. What
 * scripts/bench/start.mjs measures the server against.
 */
const answers = require('node:fs').readFileSync(process.argv[2], 'utf8').split('\n')
let rest = ''
process.stdin.setEncoding('utf8').on('data', text => {
  const lines = (rest + text).split('\n')
  rest = lines.pop()
  for (const line of lines) {
    JSON.parse(line)
    process.stdout.write(`${answers.shift()}\n`)
  }
})
