import type { IdentifyResult } from '@libp2p/interface'
import { RateLimit } from '../../common/rate-limit.ts'
import { compareVersions, VERSION_TEXT } from '../../common/software.ts'
import type { Protocols, Software } from '../../protocol/versions.ts'
import type { Notices } from '../../rounds/notices.ts'

export interface PeerVersionsInit {
  readonly federationId: string
  /** This site's. */
  readonly own: Software
  readonly notices: Pick<Notices, 'warn' | 'over'>
  /** Told whenever a peer said what it runs. */
  readonly onSaid: (peer: string, said: Said) => void
  /** Milliseconds. */
  readonly now?: () => number
}

export interface Said {
  /** Undefined where it did not say, or not as consilium does. */
  readonly software: string | undefined
  /** There is no common version of a protocol without which the two cannot work together. */
  readonly isApart: boolean
}

/** Without these two sites exchange nothing; the others only help them to find and to know each other. */
const NEEDED = ['membership', 'adapter-exchange', 'outcome'] as const satisfies readonly (keyof Protocols)[]
const AGENT = 'consilium/'
const VERSION = /^[\w.-]{1,16}$/
/** Peers of which it is remembered; of more than these none is connected. */
const MOST = 1_024
const MOST_VERSIONS = 4
// A site that says another version all the time cannot fill the log with it.
const SPOKEN = { perSecond: 1 / 60, burst: 1 }
const IDENTIFIED_WITHIN_MS = 1_000
const POLL_MS = 50

/** How identify names software of this version. */
export function agentOf (version: string): string {
  return AGENT + version
}

/**
 * What the others run, by identify, which runs on every connection, and by announcements. Versions that cannot work together are said at
 * each side that learns of it.
 */
export class PeerVersions {
  readonly #init: PeerVersionsInit
  /** `noticed` is the sentence that stands in the notices. */
  readonly #said = new Map<string, Said & { readonly noticed: string | undefined }>()
  readonly #spoken: RateLimit

  constructor (init: PeerVersionsInit) {
    this.#init = init
    const { now = () => performance.now() } = init
    this.#spoken = new RateLimit({ ...SPOKEN, now })
  }

  readonly identified = ({ peerId, agentVersion, protocols }: Pick<IdentifyResult, 'peerId' | 'agentVersion' | 'protocols'>): void => {
    const prefix = `/consilium/${this.#init.federationId}/`
    const own = protocols.filter((each) => each.startsWith(prefix)).map((each) => each.slice(prefix.length))
    this.#learn(peerId.toString(), versionIn(agentVersion), own)
  }

  /** `protocols`: name/version each. Sites before 0.2.0 announce neither, and are known by identify alone. */
  announced (peer: string, { software, protocols }: { readonly software?: string, readonly protocols: readonly string[] }): void {
    if (software != null) this.#learn(peer, software, protocols)
  }

  of (peer: string): Said | undefined {
    return this.#said.get(peer)
  }

  /** Whether versions are why a peer that has just come cannot be talked with; waits a moment for what it says of itself. */
  async isApart (peer: string): Promise<boolean> {
    for (let ms = 0; ms < IDENTIFIED_WITHIN_MS && !this.#said.has(peer); ms += POLL_MS) {
      await new Promise((resolve) => { setTimeout(resolve, POLL_MS) })
    }
    return this.of(peer)?.isApart === true
  }

  #learn (peer: string, software: string | undefined, protocols: readonly string[]): void {
    const { own, onSaid } = this.#init
    const gaps = NEEDED.flatMap((name) => gapIn(name, own.protocols[name], protocols))
    const sentence = gaps.length === 0 ? undefined : sentenceOf(peer, { own: own.version, theirs: software, gaps })
    const noticed = this.#notice(peer, software, sentence)
    const said = { software, isApart: sentence != null }
    this.#said.delete(peer)
    this.#said.set(peer, { ...said, noticed })
    if (this.#said.size > MOST) this.#said.delete(this.#said.keys().next().value!)
    onSaid(peer, said)
  }

  /**
   * One line a minute and peer; sooner, new words are seen in the list alone, and an end waits until it is heard again. Returns the
   * sentence that stands.
   */
  #notice (peer: string, software: string | undefined, sentence: string | undefined): string | undefined {
    const { notices } = this.#init
    const key = `versions ${peer}`
    const noticed = this.#said.get(peer)?.noticed
    if (sentence === noticed) return noticed
    const isNews = this.#spoken.take(peer) === 0
    if (!isNews && (sentence == null || noticed == null)) return noticed
    if (sentence == null) notices.over(key, `site ${peer} runs ${named(software)} now`)
    else notices.warn(key, sentence, { isNews })
    return sentence
  }
}

function versionIn (agent = ''): string | undefined {
  const version = agent.startsWith(AGENT) ? agent.slice(AGENT.length) : ''
  return VERSION_TEXT.test(version) ? version : undefined
}

/** What is said of a protocol that both speak in different versions; nothing of one that the other does not name, or not yet. */
function gapIn (name: string, own: string, protocols: readonly string[]): string[] {
  const versions = protocols.filter((each) => each.startsWith(`${name}/`)).map((each) => each.slice(name.length + 1))
    .filter((each) => VERSION.test(each)).slice(0, MOST_VERSIONS)
  return versions.length === 0 || versions.includes(own) ? [] : [`${name} (${versions.join(', ')} there, ${own} here)`]
}

function sentenceOf (
  peer: string,
  { own, theirs, gaps }: { readonly own: string, readonly theirs: string | undefined, readonly gaps: readonly string[] }
): string {
  const order = theirs == null ? 0 : compareVersions(theirs, own)
  const advice = order === 0
    ? 'install the same version at both'
    : order > 0 ? `install consilium ${theirs} or newer here` : `ask the people there to install consilium ${own} or newer`
  return `site ${peer} runs ${named(theirs)} and this site consilium ${own}, which have no common version of ${gaps.join(' and of ')}, ` +
    `so the two exchange nothing: ${advice}`
}

function named (software: string | undefined): string {
  return software == null ? 'software of an unknown version' : `consilium ${software}`
}
