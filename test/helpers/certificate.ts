/**
 * Self-signed certificates made when a test runs: no private key lies in the repository, none ever expires, and a test can
 * ask for one that has. Node signs but writes no certificates, so the few ASN.1 structures are put together here (RFC 5280).
 */
import { generateKeyPairSync, sign } from 'node:crypto'

const der = (tag: number, ...parts: (Buffer | number[])[]): Buffer => {
  const body = Buffer.concat(parts.map(part => Buffer.from(part)))
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...parts: (Buffer | number[])[]) => der(0x30, ...parts)
const commonNameId = [0x06, 0x03, 0x55, 0x04, 0x03]
const alternativeNameId = [0x06, 0x03, 0x55, 0x1d, 0x11]
const ecdsaWithSha256 = sequence([0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02])
const rsaWithSha256 = sequence([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b], [0x05, 0x00])
const time = (date: Date) => der(0x18, Buffer.from(`${date.toISOString().replaceAll(/[-:T]|\..*/g, '')}Z`))

/** PEM texts for `ip`, valid for the day around `at`. */
export function certificate({
  ip = '127.0.0.1',
  at = new Date(),
  type = 'ec',
}: {
  ip?: string
  at?: Date
  type?: 'ec' | 'rsa'
} = {}): { key: string; cert: string } {
  const { privateKey, publicKey } =
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const algorithm = type === 'rsa' ? rsaWithSha256 : ecdsaWithSha256
  const name = sequence(der(0x31, sequence(commonNameId, der(0x0c, Buffer.from('test')))))
  const address = der(0x87, ip.split('.').map(Number))
  const day = 24 * 60 * 60 * 1000
  const content = sequence(
    der(0xa0, [0x02, 0x01, 0x02]), // version 3
    [0x02, 0x01, 0x01], // serial number 1
    algorithm,
    name,
    sequence(time(new Date(at.getTime() - day)), time(new Date(at.getTime() + day))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(alternativeNameId, der(0x04, sequence(address))))),
  )
  const signature = sign('sha256', content, privateKey)
  const body = sequence(content, algorithm, der(0x03, [0], signature)).toString('base64')
  const cert = `-----BEGIN CERTIFICATE-----\n${body.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), cert }
}
