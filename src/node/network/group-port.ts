import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Averager } from '../../gossip-aggregation/averager.ts'
import { cryptoOf } from '../../privacy/group-secrets.ts'
import type { GroupAverageInit } from '../../protocol/group-average/index.ts'

/** What the protocol needs of an averager that seals. @throws Error for one that does not */
export function groupPort ({ sealing, schema }: Pick<Averager, 'sealing' | 'schema'>): GroupAverageInit['port'] {
  if (sealing == null) throw new Error('this averager seals nothing')
  return {
    secure: sealing.secure,
    schemaHash: schema.hash,
    get isFresh () { return sealing.isFresh },
    join: (plan) => sealing.join(plan, cryptoOf(plan.id)),
    get doubts () { return sealing.doubts },
    settle: async (id, verdict) => { await sealing.settle(id, verdict) },
    decide: async (id) => await sealing.decide(id),
    unheard: (member) => sealing.unheard(member),
    isSettled: (id) => sealing.isSettled(id),
    acknowledged: async (ids, member) => { await sealing.acknowledged(ids, member) }
  }
}

/** Signs with the site's own key; a peer id of Ed25519 holds the key that checks what its owner signed. */
export function signerOf (key: PrivateKey): GroupAverageInit['signer'] {
  return {
    sign: async (bytes) => await key.sign(bytes),
    verify: async (peer, bytes, signature) => {
      try {
        return await peerIdFromString(peer).publicKey?.verify(bytes, signature) ?? false
      } catch {
        return false
      }
    }
  }
}
