import t from 'tap'
import type { Page, PageOptions } from '../../src/arm/arm.ts'
import { InvalidContinuation, pagesOf } from '../../src/arm/paging.ts'
import { answer, armErrorOf, createFakeAzure, endpoint, type Scripted, subscription, vault } from './fake-azure.ts'

const list = `${vault}/backupJobs`
const crrJobs = `/subscriptions/${subscription}/providers/Microsoft.RecoveryServices/locations/westus/backupCrrJobs`
const all = async (script: Scripted[], options: PageOptions = {}, path = list) => {
  const { arm, asked, requests } = createFakeAzure(script)
  const pages: Page[] = []
  for await (const page of arm.pages(path, { $filter: 'a b' }, options)) pages.push(page)
  return { pages, asked: asked(), requests }
}
const second = `${list}?api-version=2025-08-01&$filter=a%20b&$skipToken=x%3D`

t.test('pages follow nextLink as it is, and a page names itself and the next', async t => {
  const { pages, asked } = await all([
    answer(200, { value: [1, 2], nextLink: endpoint + second }),
    answer(200, { value: [], nextLink: second.replace('x%3D', 'y') }),
    answer(200, { value: [3], nextLink: null }),
  ])
  const third = second.replace('x%3D', 'y')
  t.same(asked, [`GET ${list}?api-version=2025-08-01&$filter=a%20b`, `GET ${second}`, `GET ${third}`])
  t.same(pages, [
    { rows: [1, 2], at: `${list}?api-version=2025-08-01&$filter=a%20b`, next: second },
    { rows: [], at: second, next: third },
    { rows: [3], at: third, next: undefined },
  ])
})

t.test('a nextLink of a regional endpoint is asked for on the configured origin', async t => {
  const nextLink = `https://westus.management.azure.com${second}`
  const { requests } = await all([answer(200, { value: [], nextLink }), answer(200, { value: [] })])
  t.equal(requests[1]?.url, endpoint + second)
})

t.test('letter case, encoding and a last slash make no other list', async t => {
  const nextLink = `${endpoint}${second.replace('/subscriptions/', '/Subscriptions/').replace('backupJobs', 'backup%4Aobs/')}`
  const { pages } = await all([answer(200, { value: [1], nextLink }), answer(200, { value: [2] })])
  t.equal(pages.length, 2)
})

t.test('a list that hands out a bare token gets it back', async t => {
  const { asked } = await all([answer(200, { value: [], $skipToken: 'a=' }), answer(200, { value: [] })])
  t.equal(asked[1], `GET ${list}?api-version=2025-08-01&$filter=a%20b&$skipToken=a%3D`)
})

t.test('a list that is a POST stays one', async t => {
  const next = `${crrJobs}?api-version=2021-11-15&$skipToken=x`
  const { asked, requests } = await all(
    [answer(200, { value: [1], nextLink: endpoint + next }), answer(200, { value: [2] })],
    { body: { resourceId: vault } },
    crrJobs,
  )
  t.equal(asked[1], `POST ${next}`)
  t.equal(requests[1]?.body, JSON.stringify({ resourceId: vault }))
})

t.test('pages are loaded only as they are asked for', async t => {
  const { arm, requests } = createFakeAzure([answer(200, { value: [1], nextLink: endpoint + second })])
  for await (const page of arm.pages(list)) {
    t.same(page.rows, [1])
    break
  }
  t.equal(requests.length, 1)
})

t.test('a list goes on from a page, in any letter case of its path', async t => {
  const from = second.replace('/subscriptions/', '/Subscriptions/')
  const { pages, asked } = await all([answer(200, { value: [1] })], { from })
  t.same(asked, [`GET ${from}`])
  t.equal(pages[0]?.at, from)
})

const foreignPages: [name: string, from: string][] = [
  ['of another list', second.replace('backupJobs', 'backupPolicies')],
  ['with a host', endpoint + second],
  ['with a host and no scheme', `//evil.com${second}`],
  ['with a host behind backslashes', `/\\evil.com${second}`],
  ['with steps in its path', `${list}/../backupJobs?x=1`],
  ['with a line break', `${second}\r\nx`],
  ['with a fragment', `${second}#x`],
  ['that is empty', ''],
]
for (const [name, from] of foreignPages)
  t.test(`a continuation ${name} is refused before anything is sent`, async t => {
    const { arm, requests } = createFakeAzure([])
    await t.rejects(arm.pages(list, {}, { from }).next(), InvalidContinuation)
    t.equal(requests.length, 0)
  })

const bad: [name: string, body: unknown, message: RegExp][] = [
  [
    'a nextLink to another host',
    { value: [1], nextLink: `https://evil.com${second}&sig=hidden` },
    /another host \(evil\.com\)/,
  ],
  [
    'a nextLink to another list',
    { value: [1], nextLink: `${endpoint}${second.replace('backupJobs', 'backupPolicies')}&sig=hidden` },
    /the next page is said to be of another list/,
  ],
  ['a nextLink to a path of no kind', { value: [1], nextLink: `${endpoint}/` }, /of another list/],
  ['a nextLink that is no address', { value: [1], nextLink: 'more' }, /address that is none/],
  ['no rows', {}, /no list/],
  ['rows that are no list', { value: {} }, /no list/],
  ['nothing', undefined, /no list/],
]
for (const [name, body, message] of bad)
  t.test(`${name} is an azure_error, and nothing more is sent`, async t => {
    const { arm, requests } = createFakeAzure([answer(200, body)])
    const error = await armErrorOf(arm.pages(list).next())
    t.equal(error.code, 'azure_error')
    t.match(error.message, message)
    t.notMatch(error.message, /hidden|skipToken/)
    t.equal(requests.length, 1)
  })

t.test('a page that was read already ends the list with an error', async t => {
  const page = (token: string) =>
    answer(200, { value: [1], nextLink: `${endpoint}${list}?api-version=2025-08-01&$skipToken=${token}` })
  const loops: [name: string, script: Scripted[]][] = [
    ['the page just read', [page('a'), page('a')]],
    ['an earlier one', [page('a'), page('b'), page('a')]],
    ['the first', [answer(200, { value: [], nextLink: `${endpoint}${list}?api-version=2025-08-01&$filter=a%20b` })]],
  ]
  for (const [name, script] of loops) t.match((await armErrorOf(all(script))).message, /already read/, name)
})

t.test('a list without end is given up', async t => {
  let read = 0
  const pages = pagesOf(
    {
      endpoint,
      path: list,
      address: () => `${list}?x=1`,
      read: async at => ({
        asked: { method: 'GET', path: at, clientRequestId: 'id-1', endpoint },
        reply: {
          status: 200,
          headers: {},
          body: { value: [], nextLink: `${list}?x=${++read}0` },
          clientRequestId: 'id-1',
        },
      }),
    },
    undefined,
  )
  let error: unknown
  try {
    for await (const _ of pages) if (read > 20_000) break
  } catch (thrown) {
    error = thrown
  }
  t.match(error, { code: 'azure_error', message: /the list has no end: 10000 pages were read/ })
  t.equal(read, 10_000)
})
