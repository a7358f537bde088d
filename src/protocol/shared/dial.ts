import type { PeerId, Stream } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { UnreachableError } from '../../errors.ts'
import { within } from './within.ts'

export interface Dial {
  readonly connectionManager: Pick<ConnectionManager, 'openStream'>
  readonly protocol: string
  readonly peerId: PeerId
  readonly ms: number
  readonly maxOutboundStreams: number
  readonly signals: readonly AbortSignal[]
}

/** A fresh stream, dialled first if need be; never over a relay's limited connection. @throws UnreachableError. */
export async function openStream ({ connectionManager, protocol, peerId, ms, maxOutboundStreams, signals }: Dial): Promise<Stream> {
  const signal = AbortSignal.any([AbortSignal.timeout(ms), ...signals])
  const opening = connectionManager.openStream(peerId, protocol, { signal, runOnLimitedConnection: false, maxOutboundStreams })
  try {
    return await within(opening, { ms, what: 'stream', signal })
  } catch (error) {
    // A stream that opens after all is nobody's.
    opening.then((stream) => { stream.abort(new UnreachableError('too late')) }, () => {})
    throw new UnreachableError(`${peerId.toString()} cannot be reached: ${(error as Error).message}`)
  }
}
