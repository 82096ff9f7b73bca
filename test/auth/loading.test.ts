/** What is loaded when: sign-in's libraries wait for the first call that needs a new token. */
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import t, { type Test } from 'tap'
import { Authority, ada, contoso } from '../helpers/authority.ts'
import { Server } from '../helpers/server.ts'

t.jobs = 2

/** An Azure without vaults. */
const emptyAzure = async (t: Test): Promise<string> => {
  const server = http.createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"value": []}')
  })
  await new Promise<void>(go => server.listen(0, '127.0.0.1', go))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A server, and the chunks it had loaded when it ended. */
const serve = async (t: Test, env: (folder: string) => Record<string, string>, settings = '') => {
  const folder = t.testdir({
    'preload.cjs': `process.on('exit', () =>
  require('fs').writeFileSync(process.env.LOADED, Object.keys(require.cache).join('\\n')))`,
    'settings.toml': settings === '' ? '[recovery_services]' : settings,
  })
  const loaded = path.join(folder, 'loaded')
  const server = new Server(t, {
    era: 'legacy',
    args: ['--config', path.join(folder, 'settings.toml')],
    env: {
      NODE_OPTIONS: `--require ${path.join(folder, 'preload.cjs')}`,
      LOADED: loaded,
      AZURE_CONFIG_DIR: folder,
      ...env(folder),
    },
  })
  await server.initialize()
  const chunks = async (): Promise<string[]> => {
    t.equal(await server.end(), 0)
    return readFileSync(loaded, 'utf8')
      .split('\n')
      .filter(file => file.includes(`${path.sep}chunks${path.sep}`))
      .map(file => path.basename(file).replace(/-[A-Z0-9]{8}\.js$/, ''))
  }
  return { server, folder, chunks }
}

const settingsFor = (arm: string, authority: Authority): string =>
  `[recovery_services]
subscription_id = "11111111-1111-4111-8111-111111111111"
tenant_id = "${contoso}"
arm_endpoint = "${arm}"
authority_host = "${authority.origin}"
`
/** The chunks of MSAL and of the lock; `sign-in` and `authorise` are this project's own. */
const heavy = ['msal', 'proper-lockfile']

t.test('initialize and tools/list load nothing of sign-in', async t => {
  const { server, chunks } = await serve(t, () => ({
    AZURE_CLIENT_SECRET: 'x',
    AZURE_CLIENT_ID: 'y',
    AZURE_TENANT_ID: 'z',
  }))
  await server.request('tools/list')
  const loaded = await chunks()
  for (const name of [...heavy, 'sign-in', 'authorise', 'runtime', 'agent']) t.notOk(loaded.includes(name), name)
})

t.test('a token that is at hand loads neither MSAL nor the lock', async t => {
  const arm = await emptyAzure(t)
  const authority = await Authority.start(t)
  const rows: [name: string, env: (folder: string) => Record<string, string>][] = [
    ['AZURE_ACCESS_TOKEN', () => ({ AZURE_ACCESS_TOKEN: authority.accessToken({ tid: contoso }) })],
    [
      'a fresh token in the token cache',
      folder => {
        const file = path.join(folder, 'auth.json')
        const text = authority.cacheText([ada], { scope: `${arm}/.default`, isExpired: false })
        writeFileSync(file, text, { mode: 0o600 })
        return { RECOVERY_SERVICES_AUTH_FILE: file }
      },
    ],
  ]
  for (const [name, env] of rows)
    await t.test(name, async t => {
      const { server, chunks } = await serve(t, env, settingsFor(arm, authority))
      const { body, text } = await server.call('list_vaults')
      t.match(body, { vaults: [] }, text)
      const loaded = await chunks()
      t.ok(loaded.includes('sign-in'))
      for (const name of heavy) t.notOk(loaded.includes(name), name)
    })
  t.same(authority.requests, [])
})

t.test('a new token loads MSAL, and the lock only where the cache is written', async t => {
  const arm = await emptyAzure(t)
  const authority = await Authority.start(t)
  const clientId = '5ec2e700-0000-4000-8000-000000000003'
  authority.apps.push({ clientId, tenant: contoso, secret: 'client~secret~0123' })
  const { server, chunks } = await serve(
    t,
    () => ({
      NODE_EXTRA_CA_CERTS: authority.caFile,
      AZURE_CLIENT_ID: clientId,
      AZURE_CLIENT_SECRET: 'client~secret~0123',
    }),
    settingsFor(arm, authority),
  )
  const { body, text } = await server.call('list_vaults')
  t.match(body, { vaults: [] }, text)
  const loaded = await chunks()
  t.ok(loaded.includes('msal'))
  t.notOk(loaded.includes('proper-lockfile'))
})
