import { createSecureContext } from 'node:tls'
import { messageOf } from '../../../common/message-of.ts'
import { InputError } from '../../../errors.ts'
import { readIfThere } from '../../../home/files.ts'
import type { NetworkSettings } from '../../../settings/site/network.ts'
import type { Tls } from './transports.ts'

/** @throws InputError for addresses with TLS and no certificate for it. */
export async function readTls (
  { listen, tlsCertificate, tlsKey }: Pick<NetworkSettings, 'listen'> & Partial<NetworkSettings>
): Promise<Tls | undefined> {
  const secure = listen.find((each) => /\/(tls\/ws|wss)(\/|$)/.test(each))
  if (tlsCertificate == null || tlsKey == null) {
    if (secure == null) return undefined
    throw new InputError(`${secure} needs a certificate: give --tls-certificate and --tls-key, or let a reverse proxy do TLS`)
  }
  const [cert, key] = await Promise.all([tlsCertificate, tlsKey].map(async (path) => {
    const bytes = await readIfThere(path)
    if (bytes == null) throw new InputError(`${path} is not there: name the PEM files of the certificate and its key`)
    return bytes
  }))
  try {
    createSecureContext({ key: key!, cert: cert! })
  } catch (error) {
    throw new InputError(`${tlsCertificate} and ${tlsKey} are no pair of a certificate and its key (${messageOf(error)})`)
  }
  return { key: key!, cert: cert! }
}
