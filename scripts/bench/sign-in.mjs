/**
 * What sign-in costs: a token that is at hand, in this process; and the first call of a server by where its token comes
 * from, beside the same call with a token from the environment, in turn. The sign-in service is the tests' own.
 */
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { folder, initialize, median, resultOf, root, server, start, subscription, toolCall } from './process.mjs'

const built = name => import(pathToFileURL(path.join(root, 'build', name)))
const { signal } = new AbortController()

/** Microseconds of one run, in the median of rounds. */
const microseconds = async (run, rounds = 20, each = 2000) => {
  const times = []
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now()
    for (let at = 0; at < each; at++) await run()
    times.push(((performance.now() - startMs) * 1000) / each)
  }
  return median(times)
}

/** A token in memory: asked for alone, and as a part of a request. */
const benchHeld = async (name, credentials, scope) => {
  const { authorise } = await built('src/auth/authorise.js')
  const endpoint = 'https://management.azure.com'
  const answer = { status: 200, headers: {}, body: '{"value": []}' }
  const bare = async () => answer
  const authorised = authorise(bare, { endpoint, credentials, scope })
  const request = { method: 'GET', url: `${endpoint}/subscriptions`, headers: {} }
  const held = await microseconds(() => credentials.getToken(scope, { signal }))
  const without = await microseconds(() => bare(request, signal))
  const withToken = await microseconds(() => authorised(request, signal))
  console.log(
    `A token in hand, ${name}: getToken ${held.toFixed(1)} µs; a request with it ${(withToken - without).toFixed(1)} µs more than without`,
  )
}

/** The first call of a server: from its line to its answer. */
const firstCall = async (args, env) => {
  const running = start(args, env)
  await running.ask(initialize)
  const startMs = performance.now()
  const answer = await running.ask(toolCall(1, 'list_vaults', {}))
  resultOf(answer)
  const callMs = answer.atMs - startMs
  const { cpuMs, peakMiB } = running.usage()
  await running.end()
  return { callMs, cpuMs, peakMiB }
}

export const benchSignIn = async pairs => {
  const { Authority, ada, contoso } = await built('test/helpers/authority.js')
  const endings = []
  const authority = await Authority.start({ teardown: end => endings.push(end) })
  const arm = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"value": []}')
  })
  await new Promise(go => arm.listen(0, '127.0.0.1', go))
  const endpoint = `http://127.0.0.1:${arm.address().port}`
  const config = path.join(folder, 'sign-in.toml')
  writeFileSync(
    config,
    `[recovery_services]
subscription_id = "${subscription}"
tenant_id = "${contoso}"
arm_endpoint = "${endpoint}"
authority_host = "${authority.origin}"
`,
  )
  const cache = path.join(folder, 'auth.json')
  const cached = isExpired => {
    writeFileSync(cache, authority.cacheText([ada], { scope: `${endpoint}/.default`, isExpired }), { mode: 0o600 })
    return { RECOVERY_SERVICES_AUTH_FILE: cache }
  }
  const expires = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3600 })).toString('base64url')
  const [{ openSignIn }, { realClock }] = await Promise.all([built('src/sign-in.js'), built('src/clock.js')])
  const held = {
    'of the environment': { AZURE_ACCESS_TOKEN: `x.${expires}.x` },
    'of the cache, whose file is looked at': cached(false),
  }
  for (const [name, env] of Object.entries(held)) {
    const scope = `${endpoint}/.default`
    const { credentials } = await openSignIn({
      config: {
        authorityHost: authority.origin,
        tenantId: contoso,
        auth: { method: 'auto' },
        http: { timeoutSeconds: 60 },
      },
      scope,
      env,
      homeDir: folder,
      platform: process.platform,
      clock: realClock,
      log: () => {},
      recorded: send => send,
      inBackground: false,
    })
    await benchHeld(name, credentials, scope)
  }
  const clientId = '5ec2e700-0000-4000-8000-000000000004'
  authority.apps.push({ clientId, tenant: contoso, secret: 'bench~secret' })
  const kinds = {
    'a token in the environment': () => ({ AZURE_ACCESS_TOKEN: 'bench' }),
    'a fresh token in the cache': () => cached(false),
    'a client secret': () => ({ AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: 'bench~secret' }),
    'a refresh of the cache': () => cached(true),
  }
  const runs = Object.fromEntries(Object.keys(kinds).map(name => [name, []]))
  for (let pair = 0; pair < pairs; pair++)
    for (const [name, env] of Object.entries(kinds))
      runs[name].push(
        await firstCall([server, '--config', config], {
          ...env(),
          NODE_EXTRA_CA_CERTS: authority.caFile,
          AZURE_CONFIG_DIR: folder,
        }),
      )
  console.log(`First call: ${pairs} of each, in turn; medians, and the median of the differences to the first row`)
  console.log(
    `${''.padEnd(32)}${['call, ms', 'more', 'CPU, ms', 'peak MiB', 'more'].map(name => name.padStart(12)).join('')}`,
  )
  const [base] = Object.values(runs)
  for (const [name, all] of Object.entries(runs)) {
    const of = key => median(all.map(run => run[key]))
    const more = key => median(all.map((run, at) => run[key] - base[at][key]))
    const cells = [of('callMs'), more('callMs'), of('cpuMs'), of('peakMiB'), more('peakMiB')]
    console.log(name.padEnd(32) + cells.map(value => value.toFixed(1).padStart(12)).join(''))
  }
  arm.closeAllConnections()
  arm.close()
  for (const end of endings) await end()
}
