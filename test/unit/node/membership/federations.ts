import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { federationId, signFederation, type Federation, type FederationBody } from '../../../../src/federation/document.ts'
import { issueCertificate, type Certificate, type RootCertificate } from '../../../../src/federation/membership/certificate.ts'
import { defaultAveraging } from '../../../../src/settings/averaging.ts'

/** A site's key and peer id. */
export interface Person { readonly key: PrivateKey, readonly peerId: string }

export const NOW = Date.parse('2026-06-01T00:00:00.000Z')
export const VALID = { from: '2026-05-01T00:00:00.000Z', to: '2026-07-01T00:00:00.000Z' } as const

async function person (): Promise<Person> {
  const key = await generateKeyPair('Ed25519')
  return { key, peerId: peerIdFromPrivateKey(key).toString() }
}

export async function people (count: number): Promise<Person[]> {
  return await Promise.all(Array.from({ length: count }, async () => await person()))
}

function body (founders: readonly Person[], quorum = 1): FederationBody {
  return {
    version: 1,
    name: 'four hospitals',
    created: '2026-01-01T00:00:00.000Z',
    founders: founders.map(({ peerId }) => peerId),
    quorum,
    model: {
      name: 'sam-tiny',
      imageSize: 128,
      baseHash: '0'.repeat(64),
      lora: { blocks: [0, 1], rank: 4, alpha: 8 },
      decoder: 'lora+heads',
      moe: { blocks: [1], experts: 4, topK: 2, bottleneck: 16, gate: 'token', expert: 'mlp' }
    },
    training: {
      rounds: 5,
      epochsG: 1,
      epochsL: 1,
      batchSize: 4,
      lrLora: 1e-3,
      lrHeads: 1e-3,
      lrMoe: 1e-3,
      weightDecay: 0,
      clipNorm: 1,
      warmupSteps: 0,
      lambdaG: 1,
      lambdaL: 1,
      tau: 1,
      beta: 0,
      warmupRounds: 0,
      teacherG: 'personal',
      teacherL: 'global',
      prompt: 'none',
      augment: true,
      seed: 1
    },
    averaging: defaultAveraging({ coolDownSeconds: 10 })
  }
}

/** Signed by the first founders, as many as the quorum takes. */
export async function federationOf (founders: readonly Person[], quorum = 1): Promise<Federation> {
  let document = await signFederation(body(founders, quorum), founders[0]!.key)
  for (const each of founders.slice(1, quorum)) document = await signFederation(document, each.key)
  return { id: federationId(document), document }
}

export async function certify (
  federation: Federation,
  by: Person,
  holder: string,
  over: { role?: 'member' | 'inviter', name?: string, from?: string, to?: string, federation?: string } = {},
  issuer?: RootCertificate
): Promise<Certificate> {
  return await issueCertificate(
    { federation: federation.id, peerId: holder, name: 'Mercy', role: 'member', ...VALID, ...over },
    by.key,
    issuer
  )
}
