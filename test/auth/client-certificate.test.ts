import { spawnSync } from 'node:child_process'
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { AuthError } from '../../src/auth/auth-error.ts'
import { parseClientCertificate } from '../../src/auth/client-certificate.ts'
import { Authority, contoso } from '../helpers/authority.ts'
import { certificate } from '../helpers/certificate.ts'
import { Machine } from '../helpers/machine.ts'
import { sendTo, signInFor, temporaryFolder, testClock } from '../helpers/sign-in.ts'

const clientId = '11111111-1111-4111-8111-111111111111'
const password = 'secret of the key'
const pair = certificate({ type: 'rsa' })
const other = certificate({ type: 'rsa' })
const elliptic = certificate({ type: 'ec' })
const privateKey = createPrivateKey(pair.key)
const encrypted = (type: 'pkcs1' | 'pkcs8', passphrase = password) =>
  privateKey.export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString()
const traditional = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const attributes = 'Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\n'

const read = (text: string | Buffer, given?: string) => parseClientCertificate(Buffer.from(text), '/c/app.pem', given)

t.test('a PEM file gives the certificate of its key, whatever else stands in it and in which order', async t => {
  const own = new X509Certificate(pair.cert)
  const rows: [name: string, text: string, password?: string][] = [
    ['certificate and key', pair.cert + pair.key],
    ['key and certificate', pair.key + pair.cert],
    ['a chain before its own', other.cert + elliptic.cert + pair.cert + pair.key],
    ['a chain behind its own', pair.key + pair.cert + other.cert + elliptic.cert],
    ['what openssl writes around them', attributes + pair.key + attributes + pair.cert],
    ['line ends of Windows', (pair.cert + pair.key).replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${pair.cert}${pair.key}`],
    ['a traditional RSA key', traditional + pair.cert],
    ['an encrypted key', encrypted('pkcs8') + pair.cert, password],
    ['a traditional encrypted key', encrypted('pkcs1') + pair.cert, password],
    ['a password that the key does not need', pair.key + pair.cert, password],
  ]
  for (const [name, text, given] of rows) {
    const { thumbprintSha256, privateKey: key, x5c } = read(text, given)
    t.equal(thumbprintSha256, createHash('sha256').update(own.raw).digest('hex'), name)
    t.ok(createPrivateKey(key).equals(privateKey), `${name}: the key, without its password`)
    t.ok(x5c.startsWith(own.toString()), `${name}: its own certificate comes first`)
    const chain = name.startsWith('a chain') ? 3 : 1
    t.equal(x5c.match(/BEGIN CERTIFICATE/g)?.length, chain, `${name}: with those behind it`)
  }
})

t.test('a file that cannot be used says what is wrong with it, and nothing of what is in it', async t => {
  const rows: [name: string, text: string | Buffer, words: RegExp, remedy: RegExp, password?: string][] = [
    ['empty', '', /holds no certificate and no private key in PEM/, /cat certificate.pem key.pem/],
    ['no key', pair.cert, /holds no private key in PEM/, /cat certificate.pem key.pem/],
    ['no certificate', pair.key, /holds no certificate in PEM/, /cat certificate.pem key.pem/],
    ['a key of another certificate', other.cert + pair.key, /belongs to none of the certificates/, /matching pair/],
    ['an elliptic key', elliptic.cert + elliptic.key, /type ec; sign-in takes RSA/, /RSA key of 2048 bits/],
    ['a password left out', pair.cert + encrypted('pkcs8'), /has a password/, /Set AZURE_CLIENT_CERTIFICATE_PASSWORD/],
    ['a wrong one', pair.cert + encrypted('pkcs8'), /private key .*cannot be read/, /_PASSWORD/, 'a wrong secret'],
    ['a wrong one, old form', pair.cert + encrypted('pkcs1'), /private key .*cannot/, /_PASSWORD/, 'a wrong secret'],
    ['a cut key', pair.cert + pair.key.replace(/\n[^-]{60}/, '\n'), /private key .*cannot be read/, /Check the file/],
    ['a cut one', pair.cert.replace(/\n[^-]{60}/, '\n') + pair.key, /certificate .*cannot be read/, /Export it again/],
    ['binary', new X509Certificate(pair.cert).raw, /PKCS#12 \(PFX\) file or another binary/, /openssl pkcs12/],
  ]
  for (const [name, text, words, remedy, given] of rows)
    t.test(name, async t => {
      const error = await Promise.resolve()
        .then(() => read(text, given))
        .catch((error: unknown) => error)
      t.ok(error instanceof AuthError)
      t.match(error, { code: 'not_configured', message: words, remediation: remedy })
      t.match(error, { message: /\/c\/app\.pem/ })
      const told = inspect(error, { depth: 9 })
      for (const secret of [password, 'a wrong secret', pair.key.slice(40, 80), encrypted('pkcs8').slice(60, 100)])
        t.notOk(told.includes(secret))
    })
})

const hasOpenssl = spawnSync('openssl', ['version']).status === 0
t.test(
  'the command that is told to whom has a PFX file makes one that is taken',
  { skip: !hasOpenssl && 'openssl is not installed' },
  async t => {
    const folder = temporaryFolder(t)
    writeFileSync(path.join(folder, 'both.pem'), pair.cert + pair.key)
    writeFileSync(path.join(folder, 'chain.pem'), other.cert)
    const openssl = (args: readonly string[]) => spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' })
    const passed = ['-passin', 'pass:1', '-passout', 'pass:1']
    for (const legacy of [[], ['-legacy']]) {
      const exporting = ['pkcs12', '-export', '-in', 'both.pem', '-certfile', 'chain.pem', '-out', 'certificate.pfx']
      const exported = openssl([...exporting, ...passed, ...legacy])
      if (legacy.length > 0 && exported.status !== 0) return t.comment(`no -legacy here: ${exported.stderr}`)
      t.equal(exported.status, 0, exported.stderr)
      const error = await Promise.resolve()
        .then(() => read(readFileSync(path.join(folder, 'certificate.pfx')), '1'))
        .catch((error: unknown) => error)
      if (!(error instanceof AuthError)) throw error
      const command = /`openssl ([^`]+)`/.exec(error.remediation)?.[1]?.split(' ') ?? []
      const converted = openssl([...command, '-passin', 'pass:1', ...legacy])
      t.equal(converted.status, 0, converted.stderr)
      const { thumbprintSha256, x5c } = read(readFileSync(path.join(folder, 'certificate.pem')))
      t.equal(thumbprintSha256, read(pair.cert + pair.key).thumbprintSha256)
      t.equal(x5c.match(/BEGIN CERTIFICATE/g)?.length, 2, 'the chain comes along')
    }
  },
)

t.test('the sign-in service takes the assertion that is signed with it, and says when it does not know it', async t => {
  const authority = await Authority.start(t)
  const app = { clientId, tenant: contoso, certificate: pair.cert }
  authority.apps.push(app)
  const file = path.join(temporaryFolder(t), 'app.pem')
  writeFileSync(file, other.cert + pair.cert + encrypted('pkcs8'))
  const credentialsWith = async (certificate: string) =>
    signInFor(t, {
      method: 'client_certificate',
      authorityHost: authority.origin,
      tenantId: contoso,
      clientId,
      clock: testClock({ isHasty: true }),
      env: { AZURE_CLIENT_CERTIFICATE_PATH: certificate, AZURE_CLIENT_CERTIFICATE_PASSWORD: password },
      send: await sendTo(t, authority),
    }).credentials
  const wish = { signal: new AbortController().signal }
  const scope = 'https://management.azure.com/.default'
  const token = await (await credentialsWith(file)).getToken(scope, wish)
  t.match(token, { method: 'client_certificate', account: clientId, tenantId: contoso })
  const [asked] = authority.grants('client_credentials')
  t.match(asked?.fields, { client_assertion_type: /jwt-bearer$/, scope })
  const [header = ''] = asked?.fields.client_assertion?.split('.') ?? []
  const { x5c } = JSON.parse(Buffer.from(header, 'base64url').toString())
  t.equal(x5c.length, 2, 'with the chain, so that a renewed certificate of the same name is taken too')
  t.equal(x5c[0], new X509Certificate(pair.cert).raw.toString('base64'))

  app.certificate = other.cert
  const error = await (await credentialsWith(file)).getToken(scope, wish).catch((error: unknown) => error)
  t.match(error, { code: 'not_configured', azureCode: 'AADSTS700027', remediation: /Upload the certificate/ })

  const folder = temporaryFolder(t)
  mkdirSync(path.join(folder, 'certificates'))
  for (const [name, words] of [
    ['missing.pem', /missing\.pem\) cannot be read: ENOENT/],
    ['certificates', /certificates\) cannot be read: EISDIR/],
  ] as const) {
    const missing = await credentialsWith(path.join(folder, name))
    t.match(await missing.getToken(scope, wish).catch((error: unknown) => error), {
      code: 'not_configured',
      message: words,
      remediation: /unset AZURE_CLIENT_CERTIFICATE_PATH/,
    })
  }
})

t.test('the command status tells of a certificate as of any credential', async t => {
  const authority = await Authority.start(t)
  authority.apps.push({ clientId, tenant: contoso, certificate: pair.cert })
  const machine = await Machine.start(t, { authority, env: { AZURE_TENANT_ID: contoso, AZURE_CLIENT_ID: clientId } })
  const [good, bad] = await Promise.all([
    machine.status({ AZURE_CLIENT_CERTIFICATE_PATH: machine.write('app.pem', pair.key + pair.cert) }),
    machine.status({
      AZURE_CLIENT_CERTIFICATE_PATH: machine.write('locked.pem', encrypted('pkcs8') + pair.cert),
      AZURE_CLIENT_CERTIFICATE_PASSWORD: 'a wrong secret',
    }),
  ])
  t.match(good, { method: 'client_certificate', account: clientId, tenant_id: contoso, error: null })
  t.match(good.not_taken, [{ method: 'access_token' }, { why: 'AZURE_CLIENT_SECRET is not set' }])
  t.match(bad, { method: null, error: { code: 'not_configured', message: /private key in .*locked\.pem/ } })
  t.equal(bad.not_taken.at(-1)?.method, 'client_certificate', 'no other credential takes over')
  t.notOk(JSON.stringify(bad).includes('a wrong secret'))
})
