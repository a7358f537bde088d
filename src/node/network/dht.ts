import { kadDHT, passthroughMapper, type KadDHT, type KadDHTComponents } from '@libp2p/kad-dht'
import type { Datastore, Key } from 'interface-datastore'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import * as Digest from 'multiformats/hashes/digest'
import { toString } from 'uint8arrays/to-string'
import { protocolId } from '../../protocol/versions.ts'

const SHA2_256 = 0x12
/** Streams of the DHT that one connection may have open. */
const MAX_STREAMS = 16
/** Provider records kept: one per site of the federation. */
const MAX_RECORDS = 1024

/** What every site of the federation says it provides, so that the others find it. */
export function federationCid (federationId: string): CID {
  return CID.createV1(raw.code, Digest.create(SHA2_256, Buffer.from(federationId, 'hex')))
}

/** The DHT of one federation: it keeps that federation's provider records and nothing else that others would store here. */
export function federationDht (federationId: string): (components: KadDHTComponents) => KadDHT {
  const create = kadDHT({
    protocol: protocolId(federationId, 'kad'),
    // Hospitals meet over private addresses; the DHT keeps those only with both of these. reach/dht-mode.ts lets it serve.
    peerInfoMapper: passthroughMapper,
    clientMode: true,
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS
  })
  const records = `/dht/provider/${toString(federationCid(federationId).multihash.bytes, 'base32')}/`
  return (components) => create(new Proxy(components, {
    get: (target, name) => name === 'datastore' ? bounded(target.datastore, records) : Reflect.get(target, name) as unknown
  }))
}

/** The same store, where writing under another prefix, or more than MAX_RECORDS keys, does nothing. */
export function bounded (store: Datastore, prefix: string): Datastore {
  const written = new Set<string>()
  const put: Datastore['put'] = (key: Key, value, options) => {
    const name = key.toString()
    if (!name.startsWith(prefix) || (!written.has(name) && written.size >= MAX_RECORDS)) return key
    written.add(name)
    return store.put(key, value, options)
  }
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'put') return put
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? (value as () => unknown).bind(target) : value
    }
  })
}
