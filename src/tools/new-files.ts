/**
 * Files that a tool writes because its caller named them. Only a file that does not exist yet, in a folder that does, and
 * never through a link: whoever can lay a link into that path must not choose where the text goes.
 */
import { constants } from 'node:fs'
import path from 'node:path'

/** What is asked of the file system. */
export interface NewFiles {
  lstat(path: string): Promise<{ isDirectory(): boolean; isSymbolicLink(): boolean }>
  writeFile(path: string, bytes: Uint8Array, options: { mode: number; flag: number }): Promise<unknown>
  rm(path: string, options: { force: true }): Promise<unknown>
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'an unknown error'

/** The folders that lead to a file, outermost first. */
const foldersOf = (file: string): string[] => {
  const folder = path.dirname(file)
  return folder === file ? [] : [...foldersOf(folder), folder]
}

/** Why no new file can be made there; undefined where one can. */
export const newFileFault = async (given: string, files: NewFiles): Promise<string | undefined> => {
  if (!path.isAbsolute(given)) return 'must be an absolute path, from the root on'
  if (given.includes('\0') || /[/\\]$/.test(given)) return 'must be the path of a file'
  const file = path.normalize(given)
  try {
    for (const folder of foldersOf(file)) {
      const found = await files.lstat(folder)
      if (found.isSymbolicLink()) return `leads through the link ${folder}; name the folder that it stands for`
      if (!found.isDirectory()) return `${folder} is no folder`
    }
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? `the folder ${path.dirname(file)} does not exist` : `fails: ${codeOf(error)}`
  }
  return files.lstat(file).then(
    () => 'exists already; name a new file',
    error => (codeOf(error) === 'ENOENT' ? undefined : `fails: ${codeOf(error)}`),
  )
}

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants // Windows has no O_NOFOLLOW

/** Makes the file, readable by its owner only. Gives back why it could not: what stands in its place is left alone. */
export const makeNewFile = async (given: string, bytes: Uint8Array, files: NewFiles): Promise<string | undefined> => {
  const fault = await newFileFault(given, files)
  if (fault !== undefined) return fault
  const file = path.normalize(given)
  try {
    await files.writeFile(file, bytes, { mode: 0o600, flag: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW })
    return undefined
  } catch (error) {
    // Half a script is worse than none.
    if (codeOf(error) !== 'EEXIST') await files.rm(file, { force: true }).catch(() => {})
    return `fails: ${codeOf(error)}`
  }
}
