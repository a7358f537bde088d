import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { createSchema, type Schema } from '../../../../src/adapter/schema.ts'
import { Auditor } from '../../../../src/audit/auditor.ts'
import type { ScoreBook } from '../../../../src/federation/cross-scores/score-book.ts'
import { readFederation } from '../../../../src/federation/document.ts'
import { loadIdentity } from '../../../../src/federation/identity.ts'
import { SiteMembership } from '../../../../src/federation/membership/site-membership.ts'
import { Averager } from '../../../../src/gossip-aggregation/averager.ts'
import { SiteNetwork } from '../../../../src/node/network/site-network.ts'
import type { Announcement } from '../../../../src/protocol/announce/index.ts'
import { protocolNames, THIS_SOFTWARE } from '../../../../src/protocol/versions.ts'
import { createLogger } from '../../../../src/rounds/logger.ts'
import { Notices } from '../../../../src/rounds/notices.ts'
import type { Sites } from '../sites.ts'

/** As the fake trainer has it. */
const SCHEMA: Schema = createSchema({
  model: 'fake',
  baseHash: '0'.repeat(64),
  tensors: [{ name: 'lora.a', shape: [2, 4], role: 'lora' }]
})
const EVERY_MS = 1_100

interface Lies {
  /** What it sends in exchanges. */
  readonly values?: Float32Array
  /** What its offers and answers state. */
  readonly round?: number
  /** By which its clock is ahead. */
  readonly aheadMs?: number
  readonly bootstrap?: readonly string[]
  /** What it tells of cross-site scores. */
  readonly scores?: ScoreBook
}

/** One ordinary member of a federation without a trainer: it says of itself whatever a test wants. */
export class Liar {
  readonly network: SiteNetwork
  readonly peerId: string
  readonly averager: Averager
  readonly notices: Notices
  readonly #close: () => Promise<void>
  #timer: NodeJS.Timeout | undefined

  private constructor (
    network: SiteNetwork,
    averager: Averager,
    { peerId, notices }: Pick<Liar, 'peerId' | 'notices'>,
    close: () => Promise<void>
  ) {
    this.network = network
    this.averager = averager
    this.peerId = peerId
    this.notices = notices
    this.#close = close
  }

  static async open (
    sites: Sites,
    name: string,
    { values = new Float32Array(8), round = 0, aheadMs = 0, bootstrap = [], scores }: Lies = {}
  ): Promise<Liar> {
    const paths = sites.paths(name)
    const federation = await readFederation(paths.federation)
    const key = await loadIdentity(paths.identity)
    const peerId = peerIdFromPrivateKey(key).toString()
    const logger = createLogger('silent')
    const notices = new Notices(logger)
    const audit = new Auditor({ folder: paths.audit, key, peerId, federation: federation.id, now: Date.now, onFailure: () => {} })
    await audit.open()
    const network = await SiteNetwork.open({
      paths,
      key,
      federationId: federation.id,
      membership: await SiteMembership.open({ paths, federation, key, peerId, onEvent: () => {} }),
      config: { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: [...bootstrap] },
      logger,
      notices,
      audit,
      ...(scores == null ? {} : { scores }),
      now: () => Date.now() + aheadMs
    })
    const { averaging: settings } = federation.document
    const averager = new Averager({ schema: SCHEMA, values, round, mass: 10, settings })
    await network.join(averager, { onExchange: () => {}, onSettled: () => {}, onSent: () => {}, onForeign: () => {} })
    return new Liar(network, averager, { peerId, notices }, async () => {
      await network.close()
      await audit.close('done')
    })
  }

  /** From now on, again and again; `what` is asked each time. */
  announce (what: () => Partial<Announcement>): void {
    this.#timer = setInterval(() => { this.say(what()).catch(() => { /* nobody listens yet */ }) }, EVERY_MS)
  }

  async say (what: Partial<Announcement>): Promise<void> {
    await this.network.publish({
      software: THIS_SOFTWARE.version,
      protocols: protocolNames(THIS_SOFTWARE.protocols),
      round: this.averager.round,
      phase: 'G',
      schemaHash: SCHEMA.hash,
      sketch: new Float32Array(64),
      ...what
    })
  }

  async close (): Promise<void> {
    clearInterval(this.#timer)
    await this.#close()
  }
}
