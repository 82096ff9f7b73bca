import t from 'tap'
import { type Line, LineSplitter, LineWriter } from '../../src/rpc/lines.ts'

const split = (chunks: (string | Buffer)[], limit?: number): Line[] => {
  const splitter = new LineSplitter(limit)
  return chunks.flatMap(chunk => [...splitter.push(Buffer.from(chunk))])
}
const text = (...lines: string[]): Line[] => lines.map(line => ({ kind: 'text', text: line }))
const smile = Buffer.from('"🙂"\n')

const rows: [name: string, chunks: (string | Buffer)[], lines: Line[]][] = [
  ['a line in one chunk', ['{"a":1}\n'], text('{"a":1}')],
  ['a line in many chunks', ['{"a"', ':', '1}', '\n'], text('{"a":1}')],
  ['two lines in one chunk', ['1\n2\n'], text('1', '2')],
  ['a character cut between chunks', [smile.subarray(0, 3), smile.subarray(3)], text('"🙂"')],
  ['CR before LF is taken off', ['1\r\n'], text('1')],
  ['a lone CR ends nothing', ['"a\rb"\n'], text('"a\rb"')],
  ['U+2028 and U+2029 end nothing', ['"a\u2028b\u2029c"\n'], text('"a\u2028b\u2029c"')],
  ['a byte order mark is taken off', ['\uFEFF1\n'], text('1')],
  ['blank lines give nothing', ['\n \n\r\n\t\n1\n'], text('1')],
  ['what no newline ends is no line', ['1\n{"cut'], text('1')],
  ['bytes that are not UTF-8', [Buffer.from([0x7b, 0xff, 0x7d, 0x0a])], [{ kind: 'not_utf8' }]],
]
for (const [name, chunks, lines] of rows) t.test(name, async t => t.same(split(chunks), lines))

t.test('a line over the limit is refused, its parts are not kept, and the next line is read', async t => {
  const chunk = Buffer.alloc(64, 'x')
  const lines = split([...Array.from({ length: 100 }, () => chunk), '\n', '1\n'], 1024)
  t.same(lines, [{ kind: 'too_long', limitBytes: 1024 }, ...text('1')])
})

t.test('a line of exactly the limit is read', async t => {
  t.same(split([`${'x'.repeat(1024)}\n`], 1024), text('x'.repeat(1024)))
})

t.test('a writer is drained once its output took what was written', async t => {
  const done: (() => void)[] = []
  const written: string[] = []
  const writer = new LineWriter(
    {
      write: (line, taken) => {
        written.push(line)
        done.push(() => taken())
        return false
      },
    },
    10,
  )
  writer.write('12345')
  t.equal(writer.drained(), undefined, 'below the mark nobody waits')
  writer.write('1234567')
  const drained = writer.drained()
  t.ok(drained, 'above it a reader waits')
  done[0]?.()
  await drained
  t.same(written, ['12345\n', '1234567\n'])
  t.equal(writer.drained(), undefined)
})
