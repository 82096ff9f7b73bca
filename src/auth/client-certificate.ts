/** The certificate that an application signs in with: a PEM file that holds it and its private key. */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { printable } from '../printable.ts'
import { AuthError } from './auth-error.ts'

export interface ClientCertificate {
  /** Hex. */
  thumbprintSha256: string
  /** PEM, without a password. */
  privateKey: string
  /** PEM, the application's own certificate and those behind it. */
  x5c: string
}

const pathVariable = 'AZURE_CLIENT_CERTIFICATE_PATH'
const passwordVariable = 'AZURE_CLIENT_CERTIFICATE_PASSWORD'

const fault = (message: string, remediation: string): AuthError => new AuthError('not_configured', message, remediation)

/** Throws AuthError that says what is wrong with the file, and never what is in it. */
export const parseClientCertificate = (
  bytes: Buffer,
  file: string,
  password: string | undefined,
): ClientCertificate => {
  const shown = printable(file)
  const text = bytes.toString('utf8')
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const key = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]+?-----END \1PRIVATE KEY-----/.exec(text)?.[0]
  if (bytes[0] === 0x30 && certificates.length === 0)
    throw fault(
      `${pathVariable} (${shown}) is a PKCS#12 (PFX) file or another binary one; PEM is needed`,
      'Convert it: `openssl pkcs12 -in certificate.pfx -out certificate.pem -nodes` (add -legacy for one made by old tools), keep certificate.pem readable by its owner only, and name it there.',
    )
  if (certificates.length === 0 || key === undefined) {
    const missing = [
      ...(certificates.length === 0 ? ['certificate'] : []),
      ...(key === undefined ? ['private key'] : []),
    ]
    throw fault(
      `${pathVariable} (${shown}) holds no ${missing.join(' and no ')} in PEM`,
      'Put both into one file: `cat certificate.pem key.pem > both.pem`.',
    )
  }
  const isEncrypted = /ENCRYPTED/.test(key)
  if (isEncrypted && !password)
    throw fault(`The private key in ${shown} has a password`, `Set ${passwordVariable} to it.`)
  return parsed(certificates, key, password, shown)
}

const parsed = (
  certificates: string[],
  pem: string,
  password: string | undefined,
  shown: string,
): ClientCertificate => {
  const unreadable = (what: string, remediation: string) =>
    fault(`The ${what} in ${shown} (${pathVariable}) cannot be read`, remediation)
  const key = (() => {
    try {
      return createPrivateKey({ key: pem, ...(password && { passphrase: password }) })
    } catch {
      throw unreadable('private key', `Check the file, and ${passwordVariable} if the key has a password.`)
    }
  })()
  if (key.asymmetricKeyType !== 'rsa')
    throw fault(
      `The private key in ${shown} is of type ${key.asymmetricKeyType}; sign-in takes RSA`,
      'Make a certificate with an RSA key of 2048 bits or more, and upload it to the app registration.',
    )
  // A chain may stand in any order: the application's own certificate is the one of the key.
  const all = certificates.map(text => {
    try {
      return new X509Certificate(text)
    } catch {
      throw unreadable('certificate', 'Export it again as PEM.')
    }
  })
  const own = all.find(certificate => certificate.checkPrivateKey(key))
  if (!own)
    throw fault(
      `The private key in ${shown} belongs to none of the certificates in it`,
      'Put the matching pair into the file.',
    )
  const chain = [own, ...all.filter(each => each !== own)]
  return {
    thumbprintSha256: createHash('sha256').update(own.raw).digest('hex'),
    privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    x5c: chain.map(each => each.toString()).join(''),
  }
}
