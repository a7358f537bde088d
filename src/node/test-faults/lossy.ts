import type { Stream } from '@libp2p/interface'
import type { AdapterExchangeComponents } from '../../protocol/adapter-exchange/index.ts'

export interface Loss {
  /** Per frame, in [0, 1). */
  readonly probability: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/**
 * Test fault: the same components, whose streams lose each frame that this site sends with the given probability. TCP hides the loss of
 * a packet; what an application sees of a bad line is a stream that ends in the middle, so a lost frame resets its stream.
 */
export function lossyComponents (
  { peerId, registrar, connectionManager }: AdapterExchangeComponents,
  loss: Loss
): AdapterExchangeComponents {
  return {
    peerId,
    registrar: {
      handle: async (protocol, handler, options) => {
        await registrar.handle(protocol, async (stream, connection) => { await handler(lossy(stream, loss), connection) }, options)
      },
      unhandle: async (protocol) => { await registrar.unhandle(protocol) }
    },
    connectionManager: {
      openStream: async (...args) => lossy(await connectionManager.openStream(...args), loss)
    }
  }
}

function lossy (stream: Stream, { probability, random }: Loss): Stream {
  const send = stream.send.bind(stream)
  stream.send = (data) => {
    if (random() >= probability) return send(data)
    const error = new Error('test fault: this frame is lost')
    stream.abort(error)
    throw error
  }
  return stream
}
