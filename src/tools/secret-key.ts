/**
 * The key that confirmations are signed with: a file beside the token cache, so that they hold in a restarted server too.
 * Where it cannot be written the key lives as long as the process.
 */
import path from 'node:path'

/** What is asked of the file system. */
export interface SecretFiles {
  readFile(path: string, encoding: 'utf8'): Promise<string>
  writeFile(path: string, text: string, options: { mode: number; flag: 'w' | 'wx' }): Promise<unknown>
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

const keyBytes = 32
const keyName = 'recovery_services_key'

/** The key of that folder, made where there is none; of two servers that make one at once, both take the first. */
export const loadKey = async (
  folder: string,
  files: SecretFiles,
  randomBytes: (count: number) => Buffer,
): Promise<Buffer> => {
  const file = path.join(folder, keyName)
  const made = randomBytes(keyBytes)
  try {
    await files.mkdir(folder, { recursive: true, mode: 0o700 })
    await files.writeFile(file, `${made.toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
    return made
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return made
  }
  try {
    const key = Buffer.from((await files.readFile(file, 'utf8')).trim(), 'base64url')
    await files.chmod(file, 0o600)
    return key.length === keyBytes ? key : made
  } catch {
    return made
  }
}
