/**
 * The lock of the token cache: proper-lockfile's, a folder beside the file that is made anew every few seconds while it is
 * held, so that what a killed process leaves behind lapses; a process that ends removes it. The only module that imports
 * the library, and so the one that is loaded when a lock is first needed.
 *
 * The library takes over what has lapsed by removing the folder and making it again. Of several that find it lapsed at
 * once, a later one so removes the folder that an earlier one has just made, and both hold the lock until one of them looks
 * again seconds later (version 4.1.2, acquireLock in lib/lockfile.js: seen in every sixth takeover by eight). Here the
 * folder holds a file named after its holder. A folder that is not empty cannot be removed, and of those who take over
 * only the one that removed that file goes on.
 */
import syncFs from 'node:fs'
import fs from 'node:fs/promises'
import path from 'node:path'
import { callbackify } from 'node:util'
import lockfile from 'proper-lockfile'
import type { AcquireLock } from './cache-file.ts'

/** Rejects with code ELOCKED where somebody else holds it, otherwise with what the file system says. */
export const acquireLock: AcquireLock = async (file, { id, staleMs }) => {
  const folder = `${file}.lock`
  const mark = path.join(folder, id)
  let isMade = false

  const make = async () => {
    await fs.mkdir(folder)
    try {
      await fs.writeFile(mark, '', { flag: 'wx', mode: 0o600 })
      // The folder may be one that another made after this one was removed: who sees both marks leaves it.
      isMade = (await fs.readdir(folder)).length === 1
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw elsewhere('EEXIST')
      await fs.rmdir(folder).catch(() => {})
      throw error
    }
    if (isMade) return
    await fs.rm(mark, { force: true })
    throw elsewhere('EEXIST')
  }

  const takeOver = async () => {
    // In this order: what is as old as that holds the same files as before.
    const names = await fs.readdir(folder)
    const { mtimeMs } = await fs.stat(folder)
    if (mtimeMs >= Date.now() - staleMs) throw elsewhere('ELOCKED')
    for (const name of names) await fs.unlink(path.join(folder, name))
    await fs.rmdir(folder)
  }

  const remove = async () => {
    try {
      if (!isMade) return await takeOver()
      await fs.unlink(mark)
      await fs.rmdir(folder)
    } catch (error) {
      throw othersWere.has(codeOf(error)) ? elsewhere('ELOCKED') : error
    }
  }

  const release = await lockfile.lock(file, {
    realpath: false,
    stale: staleMs,
    update: staleMs / 2,
    onCompromised: () => {}, // who holds it asks before it writes
    fs: {
      mkdir: callbackify(make),
      rmdir: callbackify(remove),
      stat: syncFs.stat,
      utimes: syncFs.utimes,
      rmdirSync: () => {
        syncFs.unlinkSync(mark)
        syncFs.rmdirSync(folder)
      },
    },
  })
  return {
    isHeld: () =>
      fs.access(mark).then(
        () => true,
        () => false,
      ),
    release: () => release().catch(() => {}), // it lapses, or is another's by now
  }
}

/** Somebody else was faster. */
const othersWere = new Set(['ENOENT', 'ENOTEMPTY', 'EEXIST'])
const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code)
const elsewhere = (code: string): Error => Object.assign(new Error('another process holds the lock'), { code })
