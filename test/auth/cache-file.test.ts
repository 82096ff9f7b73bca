import fs from 'node:fs/promises'
import path from 'node:path'
import t, { type Test } from 'tap'
import { AuthError } from '../../src/auth/auth-error.ts'
import type { AcquireLock, CacheFileDeps } from '../../src/auth/cache-file.ts'
import { acquireLock } from '../../src/auth/cache-lock.ts'
import { accountsIn, mergedCaches, withoutAccounts } from '../../src/auth/cached-accounts.ts'
import { Authority, ada, bob } from '../helpers/authority.ts'
import {
  armScope,
  cacheFileAt,
  type Logged,
  readIfThere,
  sendTo,
  signInFor,
  temporaryFolder,
  testClock,
} from '../helpers/sign-in.ts'

const { signal } = new AbortController()
const name = 'recovery_services_auth.json'

/** A cache with these accounts. */
const cacheOf = (...users: string[]) =>
  JSON.stringify({
    Account: Object.fromEntries(
      users.map(user => [user, { home_account_id: `${user}.tenant`, environment: 'host', username: user }]),
    ),
    RefreshToken: Object.fromEntries(
      users.map(user => [user, { home_account_id: `${user}.tenant`, environment: 'host', secret: `${user} 1` }]),
    ),
  })
const adding = (user: string) => async (text: string) => ({
  text: mergedCaches(text, cacheOf(user)),
  value: undefined,
})
const namesIn = (text: string) => accountsIn(text).map(({ username }) => username)
const failing = (code: string) => async () => {
  throw Object.assign(new Error(code), { code })
}
const warningsOf = (logged: Logged[]) => logged.map(({ level, message }) => `${level}: ${message}`)

const setUp = async (t: Test, text?: string, more: Partial<CacheFileDeps> = {}) => {
  const folder = temporaryFolder(t)
  const file = path.join(folder, name)
  if (text !== undefined) await fs.writeFile(file, text, { mode: 0o600 })
  return { folder, file, ...cacheFileAt(file, more), read: () => fs.readFile(file, 'utf8') }
}
const withFiles = (over: Partial<CacheFileDeps['files']>): Partial<CacheFileDeps> => ({
  files: { ...fs, readFile: readIfThere, ...over },
})

t.test('a new cache is made with rights for its user only, and so is its folder', async t => {
  const folder = path.join(temporaryFolder(t), 'a', 'b')
  const { cache } = cacheFileAt(path.join(folder, name))
  await cache.update(signal, adding('ada'))
  t.strictSame(namesIn(await cache.read(signal)), ['ada'])
  if (process.platform !== 'win32') {
    t.equal((await fs.stat(path.join(folder, name))).mode & 0o777, 0o600)
    t.equal((await fs.stat(folder)).mode & 0o777, 0o700)
  }
  t.strictSame(await fs.readdir(folder), [name])
})

t.test('rights', async t => {
  t.test('that are too wide are tightened with a warning', async t => {
    const { file, cache, logged } = await setUp(t, cacheOf('ada'))
    await fs.chmod(file, 0o644)
    await cache.read(signal)
    await cache.read(signal)
    t.equal((await fs.stat(file)).mode & 0o777, 0o600)
    t.strictSame(warningsOf(logged), [`warning: ${file} could be read by others; its rights are now 0600`])
  })

  const rows: [name: string, over: Partial<CacheFileDeps['files']>, why: RegExp][] = [
    ['that belong to somebody else', { chmod: failing('EPERM') }, /its rights stay: EPERM$/],
    ['on a file system without them', { chmod: async () => {} }, /its rights stay: they cannot be set there$/],
  ]
  for (const [name, over, why] of rows)
    t.test(`${name} are warned of once`, async t => {
      const { file, cache, logged } = await setUp(t, cacheOf('ada'), withFiles(over))
      await fs.chmod(file, 0o644)
      for (let n = 0; n < 3; n++) t.strictSame(namesIn(await cache.read(signal)), ['ada'])
      t.match(warningsOf(logged), [why])
      t.equal(logged.length, 1)
    })

  t.test('are no matter on Windows', async t => {
    const over = { chmod: failing('must not be called') }
    const { file, cache, logged } = await setUp(t, cacheOf('ada'), { platform: 'win32', ...withFiles(over) })
    await fs.chmod(file, 0o644)
    await cache.read(signal)
    t.strictSame(logged, [])
  })
})

t.test('through a symbolic link its target is replaced', async t => {
  for (const isThere of [true, false])
    t.test(isThere ? 'that is there' : 'also where that is not there yet', async t => {
      const elsewhere = path.join(temporaryFolder(t), 'dotfiles', 'auth.json')
      const { folder, file, cache } = await setUp(t)
      if (isThere) {
        await fs.mkdir(path.dirname(elsewhere))
        await fs.writeFile(elsewhere, cacheOf('bob'), { mode: 0o600 })
      }
      await fs.symlink(path.relative(folder, elsewhere), file)
      await cache.update(signal, adding('ada'))
      t.ok((await fs.lstat(file)).isSymbolicLink())
      t.strictSame(namesIn(await fs.readFile(elsewhere, 'utf8')), isThere ? ['ada', 'bob'] : ['ada'])
      t.strictSame(await fs.readdir(folder), [name])
      t.strictSame(await fs.readdir(path.dirname(elsewhere)), ['auth.json'])
    })
})

t.test('a broken file is moved aside by whoever reads it', async t => {
  const at = Date.parse('2026-11-22T12:00:00Z')
  const clock = { now: () => at, monotonic: () => performance.now(), sleep: () => new Promise<void>(setImmediate) }
  const rows: [name: string, text: string, fault: string][] = [
    ['that is not JSON', '{"Account":', 'it is not JSON'],
    ['that is no object', '[]', 'it is no JSON object'],
    ['whose sections are wrong', '{"RefreshToken":[]}', 'its RefreshToken is no table'],
    ['that is empty', '', 'it is empty'],
  ]
  for (const [name, text, fault] of rows)
    t.test(name, async t => {
      const { file, folder, cache, logged } = await setUp(t, text, { clock })
      const aside = `${file}.broken-2026-11-22T12-00-00Z`
      t.equal(await cache.read(signal), '')
      t.equal(await fs.readFile(aside, 'utf8'), text)
      t.strictSame(warningsOf(logged), [
        `warning: the token cache ${file} cannot be used (${fault}); it is now ${aside}`,
      ])
      t.strictSame(await fs.readdir(folder), [path.basename(aside)])
      await fs.writeFile(file, text)
      await cache.update(signal, adding('ada'))
      t.equal(await fs.readFile(`${aside}-2`, 'utf8'), text, 'a second one within a second has a name of its own')
      t.equal(await fs.readFile(aside, 'utf8'), text)
      t.strictSame(namesIn(await cache.read(signal)), ['ada'])
    })

  t.test('once, where several meet it at once, and what they add is kept', async t => {
    const { file, folder } = await setUp(t, 'broken')
    const several = Array.from({ length: 6 }, () => cacheFileAt(file))
    await Promise.all(several.flatMap(({ cache }, n) => [cache.read(signal), cache.update(signal, adding(`user${n}`))]))
    t.equal((await fs.readdir(folder)).length, 2)
    t.equal(several.flatMap(({ logged }) => logged).length, 1)
    t.equal(namesIn(await fs.readFile(file, 'utf8')).length, 6)
  })

  t.test('or stays as it is where it cannot be moved', async t => {
    const { cache, logged, read } = await setUp(t, 'broken', withFiles({ rename: failing('EACCES') }))
    t.equal(await cache.read(signal), '')
    await cache.update(signal, adding('ada'))
    t.strictSame(namesIn(await cache.read(signal)), ['ada'], 'what is known lives in memory')
    t.equal(await read(), 'broken')
    t.match(warningsOf(logged), [/cannot be used \(it is not JSON\), nor moved \(EACCES\)$/, /is not kept/])
    t.equal(logged.length, 2)
  })
})

t.test('what cannot be read is an error that names it and the setting', async t => {
  for (const code of ['EACCES', 'EISDIR', 'ELOOP', 'not a file']) {
    const { cache, file } = await setUp(t, cacheOf('ada'), withFiles({ readFile: failing(code) }))
    for (const asked of [cache.read(signal), cache.update(signal, adding('bob'))])
      await t.rejects(asked, {
        code: 'not_configured',
        message: `The token cache ${file} cannot be read (${code})`,
        remediation: /RECOVERY_SERVICES_AUTH_FILE/,
      })
  }
})

t.test('where nothing can be written the sign-in lives in memory, with one warning', async t => {
  const rows: [name: string, over: Partial<CacheFileDeps>, code: string][] = [
    ['no folder can be made', withFiles({ mkdir: failing('EROFS') }), 'EROFS'],
    ['no lock can be made', { lock: async () => failing('EACCES') }, 'EACCES'],
    ['the disk is full', withFiles({ writeFile: failing('ENOSPC') }), 'ENOSPC'],
    ['the file cannot be replaced', withFiles({ rename: failing('EPERM') }), 'EPERM'],
  ]
  for (const [name, over, code] of rows)
    t.test(name, async t => {
      const { file, folder, cache, logged, read } = await setUp(t, cacheOf('bob'), over)
      await cache.update(signal, adding('ada'))
      await cache.update(signal, adding('carol'))
      t.strictSame(namesIn(await cache.read(signal)), ['ada', 'bob', 'carol'])
      t.strictSame(namesIn(await read()), ['bob'])
      t.strictSame(warningsOf(logged), [`warning: the sign-in is not kept: ${file} cannot be written (${code})`])
      t.strictSame(await fs.readdir(folder), [path.basename(file)], 'no draft is left')
    })

  t.test('and is written, beside what others wrote meanwhile, once that is possible', async t => {
    let isFull = true
    const writeFile: typeof fs.writeFile = (...args) => (isFull ? failing('ENOSPC')() : fs.writeFile(...args))
    const { file, cache, read } = await setUp(t, cacheOf('bob', 'dan'), withFiles({ writeFile }))
    await cache.update(signal, adding('ada'))
    const other = cacheFileAt(file).cache
    await other.update(signal, async text => ({
      text: withoutAccounts(
        mergedCaches(text, cacheOf('carol')),
        accountsIn(text).filter(({ username }) => username === 'dan'),
      ),
      value: undefined,
    }))
    t.strictSame(namesIn(await cache.read(signal)), ['ada', 'bob', 'carol'])
    isFull = false
    await cache.update(signal, async () => ({ value: undefined }))
    t.strictSame(namesIn(await read()), ['ada', 'bob', 'carol'], 'and who was signed out meanwhile stays signed out')
  })
})

t.test('on Windows a file that somebody has open is replaced a moment later', async t => {
  let busy = 3
  const rename: typeof fs.rename = (...args) => (busy-- > 0 ? failing('EPERM')() : fs.rename(...args))
  const { cache, logged, read } = await setUp(t, cacheOf('bob'), { platform: 'win32', ...withFiles({ rename }) })
  await cache.update(signal, adding('ada'))
  t.strictSame(namesIn(await read()), ['ada', 'bob'])
  t.strictSame(logged, [])
})

t.test('drafts of writers that were killed are swept, and nothing else is', async t => {
  const { folder, file, cache } = await setUp(t, cacheOf('bob'))
  await fs.writeFile(`${file}.0b0fdd2c-8d9f-4f0e-8a53-3c9d1f6d7e11.new`, '{"Acc')
  const others = [`${name}.broken-2026-11-22T12-00-00Z`, `${name}.mine.new`, 'another.json']
  for (const each of others) await fs.writeFile(path.join(folder, each), '')
  await cache.update(signal, adding('ada'))
  t.strictSame((await fs.readdir(folder)).sort(), [name, ...others].sort())
})

/** A lock that a killed process left behind so long ago. */
const leaveBehind = async (file: string, mark: string | undefined, agoMs: number) => {
  await fs.mkdir(`${file}.lock`)
  if (mark !== undefined) await fs.writeFile(path.join(`${file}.lock`, mark), '')
  const then = (Date.now() - agoMs) / 1000
  await fs.utimes(`${file}.lock`, then, then)
}

t.test('a lock', async t => {
  for (const mark of ['killed', undefined])
    t.test(`that was left ${mark ? 'behind' : 'half made'} lapses, and of many one takes it over`, async t => {
      const folder = temporaryFolder(t)
      for (let round = 0; round < 40; round++) {
        const file = path.join(folder, String(round))
        await leaveBehind(file, mark, 10_000)
        const tries = Array.from({ length: 8 }, (_, n) => acquireLock(file, { id: `${n}`, staleMs: 2000 }))
        const held = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled')
        if (held.length > 1) t.fail(`${held.length} hold it at once`)
        const last =
          held.length > 0 ? undefined : await acquireLock(file, { id: 'last', staleMs: 2000 }).catch(() => {})
        for (const each of held) if (each.status === 'fulfilled') await each.value.release()
        await last?.release()
      }
      t.pass()
    })

  t.test("that was not renewed in time is another's, and whoever held it knows", async t => {
    const file = path.join(temporaryFolder(t), name)
    const slept = await acquireLock(file, { id: 'slept', staleMs: 2000 })
    t.ok(await slept.isHeld())
    await t.rejects(acquireLock(file, { id: 'early', staleMs: 2000 }), { code: 'ELOCKED' })
    await fs.utimes(`${file}.lock`, 0, 0)
    const other = await acquireLock(file, { id: 'other', staleMs: 2000 })
    t.notOk(await slept.isHeld())
    t.ok(await other.isHeld())
    await other.release()
  })

  t.test('of a process that lives is waited for, and not for ever', async t => {
    const { file, cache } = await setUp(t, cacheOf('bob'), { clock: testClock({ isHasty: true }) })
    const held = await acquireLock(file, { id: 'living', staleMs: 10_000 })
    await t.rejects(cache.update(signal, adding('ada')), {
      code: 'timeout',
      message: /Another process holds the token cache/,
      remediation: new RegExp(`remove the folder ${file}.lock`),
    })
    t.strictSame(namesIn(await cache.read(signal)), ['bob'], 'reading needs no lock')
    await held.release()
    await cache.update(signal, adding('ada'))
    t.strictSame(namesIn(await cache.read(signal)), ['ada', 'bob'])
  })

  t.test('is waited for no longer than whoever asked wants', async t => {
    const { file, cache, read } = await setUp(t, cacheOf('bob'))
    const held = await acquireLock(file, { id: 'living', staleMs: 10_000 })
    const stop = new AbortController()
    const asked = cache.update(stop.signal, adding('ada'))
    stop.abort(new Error('cancelled'))
    await t.rejects(asked, { message: 'cancelled' })
    await held.release()
    await cache.update(signal, adding('carol'))
    t.strictSame(namesIn(await read()), ['bob', 'carol'])
  })

  t.test('is given back when the change fails', async t => {
    const { folder, cache } = await setUp(t, cacheOf('bob'))
    await t.rejects(cache.update(signal, failing('refused')), { message: 'refused' })
    t.strictSame(await fs.readdir(folder), [name])
  })
})

/** A lock that another process takes over, and gives back, while it is held the first time. */
const takenOver = (file: string, meanwhile: () => Promise<void>): AcquireLock => {
  let isFirst = true
  return async (...args) => {
    const held = await acquireLock(...args)
    if (!isFirst) return held
    isFirst = false
    let isLost = false
    return {
      release: async () => {},
      isHeld: async () => {
        if (isLost) return false
        isLost = true
        await fs.rm(`${file}.lock`, { recursive: true })
        await meanwhile()
        return false
      },
    }
  }
}

t.test('who loses the lock while holding it', async t => {
  const lockOf = (t: Test, meanwhile: (text: string) => string) => {
    const folder = temporaryFolder(t)
    const file = path.join(folder, name)
    const lock = takenOver(file, async () => {
      await fs.writeFile(file, meanwhile(await fs.readFile(file, 'utf8')))
    })
    return { folder, file, ...cacheFileAt(file, { lock: async () => lock }) }
  }

  t.test('runs again on what the other left, and loses nothing', async t => {
    const { folder, file, cache, logged } = lockOf(t, text => mergedCaches(text, cacheOf('carol')))
    await fs.writeFile(file, cacheOf('bob'), { mode: 0o600 })
    const seen: string[][] = []
    await cache.update(signal, async text => {
      seen.push(namesIn(text))
      // Like a refresh: what it brought is not to be had again.
      return { text: seen.length === 1 ? mergedCaches(text, cacheOf('ada')) : undefined, value: undefined }
    })
    t.strictSame(seen, [['bob'], ['ada', 'bob', 'carol']])
    t.strictSame(namesIn(await fs.readFile(file, 'utf8')), ['ada', 'bob', 'carol'])
    t.strictSame(logged, [])
    t.strictSame(await fs.readdir(folder), [name])
  })

  t.test('leaves what the other renewed as the other left it', async t => {
    const newer = (text: string) => text.replace('bob 1', 'bob 3')
    const { file, cache } = lockOf(t, newer)
    await fs.writeFile(file, cacheOf('bob'), { mode: 0o600 })
    let round = 0
    await cache.update(signal, async text => ({
      text: round++ === 0 ? text.replace('bob 1', 'bob 2') : undefined,
      value: undefined,
    }))
    t.match(await fs.readFile(file, 'utf8'), /bob 3/)
  })

  t.test('is not told of a failure that the other was the reason of', async t => {
    const { file, cache } = lockOf(t, text => mergedCaches(text, cacheOf('carol')))
    await fs.writeFile(file, cacheOf('bob'), { mode: 0o600 })
    let round = 0
    const value = await cache.update(signal, async text => {
      if (round++ === 0) throw new AuthError('not_signed_in', 'used already', 'Sign in.')
      return { value: namesIn(text) }
    })
    t.strictSame(value, ['bob', 'carol'])
  })
})

t.test('a refresh goes on when its caller leaves, and the next one finds what it brought', async t => {
  const authority = await Authority.start(t)
  const send = await sendTo(t, authority)
  let answered = () => {}
  let goOn = () => {}
  const isAnswered = new Promise<void>(resolve => {
    answered = resolve
  })
  const gate = new Promise<void>(resolve => {
    goOn = resolve
  })
  const file = path.join(temporaryFolder(t), name)
  await fs.writeFile(file, authority.cacheText([ada, bob]), { mode: 0o600 })
  const { credentials } = signInFor(t, {
    file,
    authorityHost: authority.origin,
    account: ada.name,
    clock: testClock({ time: Date.now() }),
    send: async (request, stop) => {
      const answer = await send(request, stop)
      if (request.method === 'POST') {
        answered()
        await gate
      }
      return answer
    },
  })
  const leaving = new AbortController()
  const asked = credentials.getToken(armScope, { signal: leaving.signal })
  await isAnswered
  leaving.abort(new Error('cancelled'))
  await t.rejects(asked, { message: 'cancelled' }, 'who leaves is told at once')
  const next = credentials.getToken(armScope, { signal })
  goOn()
  t.equal((await next).account, ada.name)
  t.equal(authority.grants('refresh_token').length, 1)
  t.strictSame(namesIn(await fs.readFile(file, 'utf8')), [ada.name, bob.name])
})
