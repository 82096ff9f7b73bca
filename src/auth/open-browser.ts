/** Shows a page in the user's browser. Never through a shell, which would read more into an address than one. */
import { spawn } from 'node:child_process'

/** The program that opens an address, by platform; xdg-open wherever there is no other. */
const openers: Readonly<Record<string, readonly [program: string, ...args: string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
}

/** Does not tell whether one opened: the address is shown beside it. */
export const openBrowser = (url: string, platform: NodeJS.Platform): void => {
  const [program, ...args] = openers[platform] ?? ['xdg-open']
  spawn(program, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref()
}
