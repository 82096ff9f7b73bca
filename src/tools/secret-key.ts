/**
 * The key that confirmations are signed with: a file beside the token cache, so that they hold in a restarted server too.
 * Where it cannot be written the key lives as long as the process.
 */
import path from 'node:path'

/** What is asked of the file system. */
export interface SecretFiles {
  readFile(path: string, encoding: 'utf8'): Promise<string>
  writeFile(path: string, text: string, options: { mode: number; flag: 'w' | 'wx' }): Promise<unknown>
  /** Rejects with EEXIST where `path` is taken. */
  link(existing: string, path: string): Promise<unknown>
  rename(from: string, to: string): Promise<unknown>
  mkdir(path: string, options: { recursive: true; mode: number }): Promise<unknown>
  chmod(path: string, mode: number): Promise<unknown>
  readdir(path: string): Promise<string[]>
  rm(path: string, options: { force: true }): Promise<unknown>
}

type Env = Readonly<Record<string, string | undefined>>

/** The folder of the token cache: that of `RECOVERY_SERVICES_AUTH_FILE`, else `$CODEX_HOME`, else `~/.codex`. */
export const secretsFolder = (env: Env, homeDir: string): string =>
  env.RECOVERY_SERVICES_AUTH_FILE
    ? path.dirname(path.resolve(env.RECOVERY_SERVICES_AUTH_FILE))
    : env.CODEX_HOME || path.join(homeDir, '.codex')

/** The token cache: that of `RECOVERY_SERVICES_AUTH_FILE`, else `recovery_services_auth.json` in that folder. */
export const authFile = (env: Env, homeDir: string): string =>
  env.RECOVERY_SERVICES_AUTH_FILE
    ? path.resolve(env.RECOVERY_SERVICES_AUTH_FILE)
    : path.resolve(secretsFolder(env, homeDir), 'recovery_services_auth.json')

const keyBytes = 32
const keyName = 'recovery_services_key'

/**
 * The key of that folder, made where there is none; of servers that make one at once all take the first. A file that holds
 * no key is of use to nobody and is made anew; one that cannot be read stays as it is.
 */
export const loadKey = async (
  folder: string,
  files: SecretFiles,
  randomBytes: (count: number) => Buffer,
): Promise<Buffer> => {
  const file = path.join(folder, keyName)
  const made = randomBytes(keyBytes)
  try {
    const found = await read(file, files)
    if (found instanceof Buffer) return found
    await files.mkdir(folder, { recursive: true, mode: 0o700 })
    const draft = `${file}.${randomBytes(6).toString('hex')}`
    try {
      await files.writeFile(draft, textOf(made), { mode: 0o600, flag: 'wx' })
      await (found === 'no key' ? files.rename(draft, file) : files.link(draft, file))
    } finally {
      await files.rm(draft, { force: true })
    }
    return made
  } catch (error) {
    return (await keyThere(error, made, file, files)) ?? made
  }
}

/** Another server was first, or the file system has no links: there somebody may meet the file before it is filled. */
const keyThere = async (
  error: unknown,
  made: Buffer,
  file: string,
  files: SecretFiles,
): Promise<Buffer | undefined> => {
  try {
    if (codeOf(error) !== 'EEXIST') await files.writeFile(file, textOf(made), { mode: 0o600, flag: 'wx' })
    const found = await read(file, files)
    return found instanceof Buffer ? found : undefined
  } catch {
    return undefined
  }
}

/** The key in the file, which is tightened where others may read it. Rejects where it cannot be read. */
const read = async (file: string, files: SecretFiles): Promise<Buffer | 'no key' | 'no file'> => {
  let text: string
  try {
    text = (await files.readFile(file, 'utf8')).trim()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'no file'
    throw error
  }
  await files.chmod(file, 0o600)
  return /^[\w-]{43}$/.test(text) ? Buffer.from(text, 'base64url') : 'no key'
}

const textOf = (key: Buffer): string => `${key.toString('base64url')}\n`
const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code
