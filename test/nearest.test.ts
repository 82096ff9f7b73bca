import t from 'tap'
import { nearest } from '../src/nearest.ts'
import { printable } from '../src/printable.ts'

t.test('a mistyped word is led back to the nearest candidate', async t => {
  const words = ['list_vaults', 'get_vault', 'list_backup_jobs', 'off', 'on']
  const rows: [word: string, near: string | undefined][] = [
    ['list_vault', 'list_vaults'],
    ['lits_vaults', 'list_vaults'],
    ['LIST_VAULTS', 'list_vaults'],
    ['get_vualts', 'get_vault'],
    ['of', 'off'],
    ['shutdown', undefined],
    ['', undefined],
    ['x'.repeat(100_000), undefined],
  ]
  for (const [word, near] of rows) t.equal(nearest(word, words), near, word.slice(0, 20))
  t.equal(nearest('abc', []), undefined)
})

t.test('text from elsewhere cannot steer a terminal', async t => {
  const rows: [text: string, shown: string][] = [
    ['Büro 🚀', 'Büro 🚀'],
    ['a\u001b[31mb\r\n', 'a\\u001b[31mb\\u000d\\u000a'],
    ['\u202eevil\u2028', '\\u202eevil\\u2028'],
    ['\ud800', '\\ud800'],
    ['\u{e0041}', '\\udb40\\udc41'],
  ]
  for (const [text, shown] of rows) t.equal(printable(text), shown)
  t.equal(printable('abcdef', 3), 'abc…')
})
