import { has, Network } from './network.ts'

/** What makes the network of a test, which ends with it; where none can be had it is said, and the tests are skipped. */
export function networks (): { create: typeof Network.create } {
  let network: Network | undefined

  before(function () {
    if (process.getuid?.() === 0 && has('nft', 'openssl')) return
    console.log('skipped: needs root, network namespaces, nft (package nftables) and openssl')
    this.skip()
  })

  afterEach(async () => {
    await network?.close()
    network = undefined
  })

  return {
    create: async (...given) => {
      network = await Network.create(...given)
      return network
    }
  }
}
