import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { sha256, type EntryContent, type ExchangeContent } from '../../../../src/audit/entry.ts'
import { Ledger, type LedgerInit } from '../../../../src/audit/ledger.ts'

export const FEDERATION = 'f'.repeat(64)

/** One site with a folder for its ledger. */
export class Desk {
  readonly root: string
  readonly key: PrivateKey
  readonly peerId: string
  readonly failures: unknown[] = []
  time = Date.parse('2026-03-01T08:00:00.000Z')

  private constructor (root: string, key: PrivateKey) {
    this.root = root
    this.key = key
    this.peerId = peerIdFromPrivateKey(key).toString()
  }

  static async create (): Promise<Desk> {
    return new Desk(await mkdtemp(join(tmpdir(), 'consilium-')), await generateKeyPair('Ed25519'))
  }

  get folder (): string {
    return join(this.root, 'audit')
  }

  get expected (): { peerId: string, federation: string } {
    return { peerId: this.peerId, federation: FEDERATION }
  }

  async open (over: Partial<LedgerInit> = {}): Promise<Ledger> {
    return await Ledger.open({
      folder: this.folder,
      key: this.key,
      ...this.expected,
      now: () => this.time++,
      onFailure: (error) => { this.failures.push(error) },
      ...over
    })
  }

  async remove (): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }
}

export function refusal (reason: string): EntryContent {
  return { kind: 'refusal', peer: '12D3KooWstranger', what: 'handshake', reason }
}

/** What two sites write about their n-th exchange. */
export function bothSides (n: number, a: string, b: string): [ExchangeContent, ExchangeContent] {
  const id = n.toString(16).padStart(32, '0')
  const [x, y] = [sha256(`x ${n}`), sha256(`y ${n}`)]
  const common = { kind: 'exchange' as const, id, outcome: 'committed' as const, tensors: 2 }
  return [
    {
      ...common,
      partner: b,
      role: 'initiator',
      round: 3,
      partnerRound: 4,
      steps: 48,
      partnerSteps: 64,
      bytesSent: 100,
      bytesReceived: 90,
      sentDigest: x,
      receivedDigest: y
    },
    {
      ...common,
      partner: a,
      role: 'responder',
      round: 4,
      partnerRound: 3,
      steps: 64,
      partnerSteps: 48,
      bytesSent: 90,
      bytesReceived: 100,
      sentDigest: y,
      receivedDigest: x
    }
  ]
}
