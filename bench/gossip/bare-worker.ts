/** A process that holds a bare libp2p node or TCP server, and nothing else. */
import { tuneGc } from '../../src/node/tune-gc.ts'
import { listenLibp2p, listenTcp, swapLibp2p, swapTcp } from './bare.ts'
import type { BareCalls } from './messages.ts'
import { ownUsage, serve } from './serve.ts'
import { free, siteVector } from './vectors.ts'

serve<BareCalls>({
  usage: async () => ownUsage(),
  fit: async () => {
    tuneGc()
    return null
  },
  listen: async ({ kind, bytes }) => ({ address: await (kind === 'tcp' ? listenTcp : listenLibp2p)(bytes) }),
  draw: async ({ size }) => {
    free(siteVector(0, size))
    return null
  },
  swap: async ({ kind, address, bytes }) => {
    await (kind === 'tcp' ? swapTcp : swapLibp2p)(address, bytes)
    return null
  }
})
