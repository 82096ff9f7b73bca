/**
 * Shows a page in the user's browser. Never through a shell, which would read more into an address than one. Like the Azure
 * CLI it is started outside the working directory: neither Windows, which looks there first, nor a relative entry of PATH
 * shall find such a program in what may be somebody else's workspace.
 */
import { spawn } from 'node:child_process'

/** The program that opens an address, by platform; xdg-open wherever there is no other. */
const openers: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** Does not tell whether one opened: the address is shown beside it. */
export const openBrowser = (
  url: string,
  platform: NodeJS.Platform,
  env: Readonly<Record<string, string | undefined>>,
): void => {
  const [program, ...args] = openers[platform] ?? ['xdg-open']
  const cwd = platform === 'win32' ? env.SystemRoot || 'C:\\' : '/'
  spawn(program, [...args, url], { env, cwd, stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
