import { setTimeout as sleep } from 'node:timers/promises'
import { ownerOf } from '../../src/audit/account.ts'
import type { LedgerEntry } from '../../src/audit/entry.ts'
import { verifyLedger } from '../../src/audit/verify.ts'
import { ATTACKS } from './attacks.ts'
import { BEGINS } from './process.ts'
import { Stage } from './stage.ts'

const POLL_MS = 100
/** For a flood that goes on until the honest sites have exchanged. */
const PATIENCE_SECONDS = 120

/** What a time was like for the victim. */
export interface Window {
  readonly rounds: number
  /** Seconds, median of the rounds that lay in it; NaN without any. */
  readonly roundSeconds: number
  readonly exchanges: number
  readonly peakMiB: number
  /** Share of one core that the daemon (not its trainer) used. */
  readonly daemonLoad: number
}

/** What a flooder managed. */
interface Hostile {
  readonly peerId: string
  /** When its connection first ended; null if never. */
  readonly firstCutMs: number | null
  readonly lastConnectedAtMs: number
  readonly counts: Readonly<Record<string, number>>
}

export interface Flood extends Window {
  readonly attack: string
  readonly hostile: Hostile
  /** The victim's own sentences that name the flooder. */
  readonly warnings: readonly string[]
  /** Kinds of the entries in the victim's ledger that name it. */
  readonly ledger: readonly string[]
}

export interface Result {
  readonly quiet: Window
  readonly floods: readonly Flood[]
}

export interface Plan {
  /** Of quiet, and of each flood. */
  readonly seconds: number
  /** One attack after the other, each from a member of its own, not all at once. */
  readonly each: boolean
  /** A flood goes on until the honest sites have exchanged so often under it, for 120 s more at most; 0 if not given. */
  readonly exchanges?: number
  readonly say: (line: string) => void
}

/** Real daemons in a federation of which one member turns: a time of quiet, then as long a flood. */
export async function runFlood ({ seconds, each, exchanges = 0, say }: Plan): Promise<Result> {
  const attacks = each ? [...ATTACKS.map(({ name }) => name), 'announcements', 'connections'] : ['all']
  const stage = await Stage.open(attacks.length)
  try {
    say('two honest sites are up: waiting until they train and exchange')
    await stage.warmUp()
    say(`${seconds} s of quiet`)
    const quiet = await watch(stage, { seconds, exchanges: 0 })
    const floods: Omit<Flood, 'ledger'>[] = []
    for (const [i, attack] of attacks.entries()) {
      say(`${seconds} s of flood: ${attack}`)
      floods.push(await flood(stage, i, attack, { seconds, exchanges }))
    }
    await stage.endHonest()
    const named = await entriesByPeer(stage.home('victim'))
    return { quiet, floods: floods.map((one) => ({ ...one, ledger: named.get(one.hostile.peerId) ?? [] })) }
  } finally {
    await stage.close()
  }
}

async function flood (stage: Stage, index: number, attack: string, least: Least): Promise<Omit<Flood, 'ledger'>> {
  const { round } = await stage.status()
  const most = String(least.seconds + PATIENCE_SECONDS)
  const child = stage.startHostile(index, ['--seconds', most, '--attack', attack, '--round', String(round)])
  await child.said(BEGINS)
  const window = await watch(stage, least)
  await child.end()
  if (child.stdout === '') throw new Error(`the flooder failed: ${child.stderr}`)
  const hostile = JSON.parse(child.stdout) as Hostile
  const { warnings } = await stage.status()
  return { attack, ...window, hostile, warnings: warnings.filter((each) => each.includes(hostile.peerId)) }
}

interface Least { readonly seconds: number, readonly exchanges: number }

async function watch (stage: Stage, least: Least): Promise<Window> {
  const { victim } = stage
  const begun = Date.now()
  const [{ exchanges }, processor] = [await stage.status(), await victim.processorMs()]
  let peakMiB = 0
  const isOver = async (): Promise<boolean> => {
    const past = (Date.now() - begun) / 1_000
    if (past < least.seconds) return false
    return past > least.seconds + PATIENCE_SECONDS || (await stage.status()).exchanges - exchanges >= least.exchanges
  }
  while (!await isOver()) {
    peakMiB = Math.max(peakMiB, await victim.residentMiB())
    await sleep(POLL_MS)
  }
  const ended = Date.now()
  const ends = (await stage.roundEnds()).filter((t) => t >= begun && t <= ended)
  const durations = ends.slice(1).map((t, i) => (t - ends[i]!) / 1_000).sort((a, b) => a - b)
  return {
    rounds: durations.length,
    roundSeconds: durations[Math.floor(durations.length / 2)] ?? NaN,
    exchanges: (await stage.status()).exchanges - exchanges,
    peakMiB,
    daemonLoad: (await victim.processorMs() - processor) / (ended - begun)
  }
}

async function entriesByPeer (home: string): Promise<Map<string, string[]>> {
  const named = new Map<string, string[]>()
  const { ok, problems } = await verifyLedger(`${home}/audit`, await ownerOf(home), (entry: LedgerEntry) => {
    if (entry.kind === 'ban' || entry.kind === 'refusal') {
      named.set(entry.peer, [...named.get(entry.peer) ?? [], `${entry.kind}: ${entry.reason}`])
    }
  })
  if (!ok) throw new Error(`the victim's ledger does not verify: ${problems.join('; ')}`)
  return named
}
