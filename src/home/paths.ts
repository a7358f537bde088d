import { join } from 'node:path'

/** Where everything of one site lies below its home folder. */
export interface SitePaths {
  readonly home: string
  readonly version: string
  readonly identity: string
  readonly federation: string
  readonly networkKey: string
  readonly certificate: string
  readonly statements: string
  readonly members: string
  readonly membershipEvents: string
  readonly documents: string
  readonly newDocuments: string
  readonly agreements: string
  readonly scores: string
  readonly newScores: string
  readonly config: string
  readonly policy: string
  readonly pacs: string
  readonly usage: string
  readonly peers: string
  readonly control: string
  readonly adapter: string
  readonly initialAdapter: string
  readonly startAdapter: string
  readonly bestAdapter: string
  readonly bestRound: string
  readonly roundAdapters: string
  readonly exchanges: string
  readonly unmixed: string
  readonly sealed: string
  readonly groups: string
  readonly received: string
  readonly shown: string
  readonly privateStore: string
  readonly models: string
  readonly metrics: string
  readonly audit: string
  readonly privacy: string
  readonly summary: string
  readonly lastStatus: string
  readonly inventory: string
  readonly backup: string
  readonly restored: string
  readonly newWithdrawals: string
}

/**
 * Names only: nothing is made.
 * @example
 * ```ts
 * import { sitePaths } from 'consilium'
 *
 * console.log(sitePaths('home').summary) // home/summary.json
 * ```
 */
export function sitePaths (home: string): SitePaths {
  const at = (name: string): string => join(home, name)
  return {
    home,
    version: at('home.json'),
    identity: at('identity.key'),
    federation: at('federation.json'),
    networkKey: at('network.key'),
    certificate: at('membership/certificate.json'),
    statements: at('membership/statements.json'),
    members: at('membership/members.json'),
    membershipEvents: at('membership/pending.jsonl'),
    documents: at('membership/documents.json'),
    newDocuments: at('membership/documents.jsonl'),
    agreements: at('membership/agreements.json'),
    scores: at('membership/scores.json'),
    newScores: at('membership/scores.jsonl'),
    config: at('config.json'),
    policy: at('policy.json'),
    pacs: at('pacs.json'),
    usage: at('usage.json'),
    peers: at('peers'),
    control: at('control.json'),
    adapter: at('adapter.safetensors'),
    initialAdapter: at('initial.safetensors'),
    startAdapter: at('start.safetensors'),
    bestAdapter: at('best.safetensors'),
    bestRound: at('best.json'),
    roundAdapters: at('adapters'),
    exchanges: at('exchanges'),
    unmixed: at('unmixed'),
    sealed: at('sealed'),
    groups: at('groups'),
    received: at('received'),
    shown: at('shown'),
    privateStore: at('private'),
    models: at('models'),
    metrics: at('metrics.jsonl'),
    audit: at('audit'),
    privacy: at('privacy'),
    summary: at('summary.json'),
    lastStatus: at('status.json'),
    inventory: at('inventory.json'),
    backup: at('backup.json'),
    restored: at('restored.json'),
    newWithdrawals: at('private/withdrawals.jsonl')
  }
}

/** Where `id rotate` puts the ledger of the peer id that ends with it. */
export function formerLedger (audit: string, peerId: string): string {
  return `${audit}-${peerId.slice(-8)}`
}
