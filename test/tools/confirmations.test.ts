/** Strings that stand for a person's word: bound to one plan, for ten minutes, for one write, in every server of the user. */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { Problem } from '../../src/problem.ts'
import { createConfirmations, type Subject } from '../../src/tools/confirmations.ts'
import type { SecretFiles } from '../../src/tools/secret-key.ts'

const startMs = Date.UTC(2026, 10, 22, 8)
const subject: Subject = { tool: 'cancel_job', account: 'user tenant ada', plan: [['POST', 'https://a/b', null], 'x'] }
const keyOf = (folder: string) => path.join(folder, 'recovery_services_key')
const usedIn = (folder: string) => path.join(folder, 'recovery_services_confirmations')
const modeOf = async (file: string) => (await fs.stat(file)).mode & 0o777

/** Servers of one user: each has its own memory, all have one folder and one time. */
const servers = (t: Pick<Test, 'testdir'>, folder = path.join(t.testdir(), 'codex')) => {
  const clock = { nowMs: startMs, now: () => clock.nowMs }
  const server = (files: Partial<SecretFiles> = {}) =>
    createConfirmations({ folder, files: { ...fs, ...files }, clock, randomBytes })
  return { folder, clock, server }
}

type Server = ReturnType<typeof createConfirmations>

/** `taken`, `conflict` with the operation that it names, or why it was refused. */
const use = async (server: Server, given: string, of = subject): Promise<string> => {
  try {
    const claim = await server.claim(given, of)
    return 'refused' in claim ? claim.refused : 'taken'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return [error.code, (error.details as { operation_id?: unknown }).operation_id ?? 'nothing known'].join(': ')
  }
}
const takenBy = async (server: Server, given: string) => {
  const claim = await server.claim(given, subject)
  if ('refused' in claim) throw new Error(claim.refused)
  return claim
}
const used = 'conflict: nothing known'

t.test('the key is a file for nobody else to read, and holds in a server that is started again', async t => {
  const { folder, server } = servers(t)
  const given = await server().issue(subject)
  t.equal(await modeOf(keyOf(folder)), 0o600)
  t.equal(await modeOf(folder), 0o700)
  t.same(await fs.readdir(folder), ['recovery_services_key'], 'nothing else was left there')
  t.equal(await use(server(), given), 'taken')
})

t.test('of servers that make the key at once all take the same', async t => {
  const { server } = servers(t)
  // Between the making of a file and its filling another server may look.
  const slowly: Partial<SecretFiles> = {
    writeFile: async (file, text, options) => {
      await fs.writeFile(file, '', options)
      for (let turn = 0; turn < 30; turn++) await fs.stat(file)
      await fs.writeFile(file, text)
    },
  }
  const all = Array.from({ length: 6 }, () => server(slowly))
  const strings = await Promise.all(all.map(each => each.issue(subject)))
  for (const [at, given] of strings.entries()) t.equal(await use(all[(at + 1) % all.length] as Server, given), 'taken')
})

const cut: [name: string, text: string][] = [
  ['empty', ''],
  ['cut in the middle', randomBytes(20).toString('base64url')],
  ['something else', 'x'.repeat(60)],
]
for (const [name, text] of cut)
  t.test(`a key file that is ${name} is made anew`, async t => {
    const { folder, server } = servers(t)
    await fs.mkdir(folder)
    await fs.writeFile(keyOf(folder), text)
    const given = await server().issue(subject)
    t.equal(await use(server(), given), 'taken', 'another server has the new one')
    t.equal(await modeOf(keyOf(folder)), 0o600)
  })

t.test('a key file with wider rights is tightened and stays', async t => {
  const { folder, server } = servers(t)
  const given = await server().issue(subject)
  await fs.chmod(keyOf(folder), 0o644)
  t.equal(await use(server(), given), 'taken')
  t.equal(await modeOf(keyOf(folder)), 0o600)
})

const failing = (code: string) => () => Promise.reject(Object.assign(new Error(code), { code }))
const unkept: [name: string, files: Partial<SecretFiles>][] = [
  ['a key file that cannot be read', { readFile: failing('EACCES') }],
  ['a folder that cannot be written', { mkdir: failing('EROFS'), writeFile: failing('EROFS') }],
]
for (const [name, files] of unkept)
  t.test(`with ${name} a string holds as long as its server`, async t => {
    const { folder, server } = servers(t)
    await fs.mkdir(folder)
    const before = randomBytes(32).toString('base64url')
    if (files.readFile) await fs.writeFile(keyOf(folder), before)
    const one = server(files)
    const given = await one.issue(subject)
    t.match(await use(server(files), given), /another plan/, 'another server cannot know it')
    t.equal(await use(one, given), 'taken')
    t.equal(await use(one, given), used, 'once')
    if (files.readFile) t.equal(await fs.readFile(keyOf(folder), 'utf8'), before, 'what is there stays')
  })

t.test('where links cannot be made the key is a file all the same', async t => {
  const { server } = servers(t)
  const given = await server({ link: failing('EPERM') }).issue(subject)
  t.equal(await use(server(), given), 'taken')
})

t.test('where the folder is a file everything is kept in memory', async t => {
  const folder = path.join(t.testdir({ file: '' }), 'file')
  const { server } = servers(t, folder)
  const one = server()
  const given = await one.issue(subject)
  t.equal(await use(one, given), 'taken')
  t.equal(await use(one, given), used)
})

t.test('a file where used strings should be kept does not use them up', async t => {
  const { folder, server } = servers(t)
  const one = server()
  const given = await one.issue(subject)
  await fs.writeFile(usedIn(folder), '')
  t.equal(await use(one, given), 'taken')
  t.equal(await use(one, given), used)
})

t.test('a string holds for ten minutes', async t => {
  const { clock, server } = servers(t)
  const one = server()
  const [early, late] = [await one.issue(subject), await one.issue(subject)]
  clock.nowMs += 10 * 60_000 - 1
  t.equal(await use(one, early), 'taken')
  clock.nowMs += 1
  t.match(await use(one, late), /lapsed/)
})

const others: [name: string, subject: Subject][] = [
  ['account', { ...subject, account: 'user tenant bob' }],
  ['tool', { ...subject, tool: 'delete_policy' }],
  ['request', { ...subject, plan: [['POST', 'https://a/c', null], 'x'] }],
  ['state of what it changes', { ...subject, plan: [['POST', 'https://a/b', null], 'y'] }],
]
for (const [name, other] of others)
  t.test(`a string is of one ${name}, and another does not use it up`, async t => {
    const { server } = servers(t)
    const one = server()
    const given = await one.issue(subject)
    t.match(await use(one, given, other), /another plan/)
    t.equal(await use(one, given), 'taken')
  })

const forged: [name: string, forge: (given: string) => string][] = [
  ['with a later end', given => given.replace(/^[^.]+/, until => (Number.parseInt(until, 36) + 60_000).toString(36))],
  ['with another nonce', given => given.replace(/\.[^.]+\./, '.AAAAAAAA.')],
  ['with another signature', given => given.replace(/[^.]+$/, 'A'.repeat(43))],
  ['without a signature', given => given.replace(/[^.]+$/, '')],
  ['with something behind it', given => `${given} `],
  ['in capitals', given => given.toUpperCase()],
]
for (const [name, forge] of forged)
  t.test(`a string ${name} confirms nothing`, async t => {
    const { server } = servers(t)
    const one = server()
    t.match(await use(one, forge(await one.issue(subject))), /not a string|another plan/)
  })

t.test('two strings of one plan are two words', async t => {
  const { server } = servers(t)
  const one = server()
  const strings = await Promise.all([one.issue(subject), one.issue(subject)])
  t.not(strings[0], strings[1])
  t.same(await Promise.all(strings.map(given => use(one, given))), ['taken', 'taken'])
})

t.test('a used string is known to every server, with what it started once that is known', async t => {
  const { folder, server } = servers(t)
  const [one, two] = [server(), server()]
  const given = await one.issue(subject)
  const claim = await takenBy(one, given)
  for (const each of [one, two, server()]) t.equal(await use(each, given), used)
  await claim.settle('op-1')
  for (const each of [one, two, server()]) {
    t.equal(await use(each, given), 'conflict: op-1')
    await t.rejects(each.checkUnused(given), { code: 'conflict', details: { operation_id: 'op-1' } })
  }
  const [name = ''] = await fs.readdir(usedIn(folder))
  t.equal(await modeOf(path.join(usedIn(folder), name)), 0o600)
  t.notOk((await fs.readFile(path.join(usedIn(folder), name), 'utf8')).includes(given), 'the string itself is not kept')
})

t.test('of claims at once one wins', async t => {
  const { server } = servers(t)
  const one = server()
  const given = await one.issue(subject)
  const all = [one, one, server(), server(), server()]
  const ends = await Promise.all(all.map(each => use(each, given)))
  t.same(ends.toSorted(), [used, used, used, used, 'taken'])
})

t.test('a string that is given back may be used once more, in any server', async t => {
  const { server } = servers(t)
  const one = server()
  const given = await one.issue(subject)
  await (await takenBy(one, given)).release()
  await t.resolves(one.checkUnused(given))
  t.equal(await use(server(), given), 'taken')
  t.equal(await use(one, given), used)
})

t.test('a server that ended between the use and its outcome leaves the string used', async t => {
  const { folder, server } = servers(t)
  const given = await server().issue(subject)
  await takenBy(server(), given)
  t.equal(await use(server(), given), used)
  const [name = ''] = await fs.readdir(usedIn(folder))
  await fs.writeFile(path.join(usedIn(folder), name), '{"unti')
  t.equal(await use(server(), given), used, 'also where it ended while it wrote')
})

t.test('what has lapsed is forgotten with the next use, what has not stays', async t => {
  const { folder, clock, server } = servers(t)
  const one = server()
  const first = await one.issue(subject)
  await takenBy(one, first)
  clock.nowMs += 9 * 60_000
  const second = await one.issue(subject)
  await takenBy(one, second)
  t.equal((await fs.readdir(usedIn(folder))).length, 2)
  clock.nowMs += 2 * 60_000
  await takenBy(server(), await one.issue(subject))
  t.equal((await fs.readdir(usedIn(folder))).length, 2, 'the first is gone')
  t.equal(await use(server(), second), used)
})

t.test('a string that is none is not looked for among files', async t => {
  const { folder, server } = servers(t)
  for (const given of ['', '../../etc/passwd', 'yes', '\0']) {
    await t.resolves(server().checkUnused(given))
    t.match(await use(server(), given), /not a string/)
  }
  await t.rejects(fs.readdir(folder), { code: 'ENOENT' })
})
