/** A made-up Azure on loopback, for answers that no recording has: broken, hostile or late ones. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import type { Test } from 'tap'
import { sentFaults } from './definitions.ts'

export const subscription = '00000000-0000-0000-0000-000000000001'
export const vaultPath = `/subscriptions/${subscription}/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/vault-prod`

export interface Seen {
  method: string
  /** Path and query as they came. */
  url: string
  headers: IncomingMessage['headers']
  body: string
}

export interface FakeArm {
  endpoint: string
  seen: Seen[]
  /** `--config` and the token for a server that talks to this Azure: vault-prod is the default vault. */
  args: string[]
  env: Record<string, string>
}

export type Answer = (request: Seen, response: ServerResponse, count: number) => void

export const json = (
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** Azure's own error envelope. */
export const azureError = (
  response: ServerResponse,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): void =>
  json(
    response,
    status,
    { error: { code, message } },
    { 'x-ms-request-id': '00000000-0000-0000-0009-000000000001', ...headers },
  )

/**
 * `undefinedBecause` says why this test makes the server ask for something that Azure does not define; without it that fails
 * the test.
 */
export const fakeArm = async (t: Test, answer: Answer, extraToml = '', undefinedBecause?: string): Promise<FakeArm> => {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', text => {
      body += text
    })
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
      seen.push(one)
      answer(one, response, seen.length)
    })
  })
  await new Promise<void>(go => server.listen(0, '127.0.0.1', go))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
    // Only now: reading the definitions takes a while, and what waits for an answer may be timed.
    const faults = seen.flatMap(({ method, url, body }) => sentFaults(method, `${endpoint}${url}`, body))
    if (faults.length > 0 && undefinedBecause === undefined) throw new Error(faults.join('\n'))
  })
  const folder = t.testdir({
    'config.toml': `[recovery_services]
subscription_id = "${subscription}"
resource_group = "rg-backup"
vault_name = "vault-prod"
arm_endpoint = "${endpoint}"
${extraToml}`,
  })
  return {
    endpoint,
    seen,
    args: ['--config', path.join(folder, 'config.toml')],
    env: { AZURE_ACCESS_TOKEN: 'test-token-0123456789' },
  }
}
