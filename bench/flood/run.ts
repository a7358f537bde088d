import { setTimeout as sleep } from 'node:timers/promises'
import { ownerOf } from '../../src/audit/account.ts'
import type { LedgerEntry } from '../../src/audit/entry.ts'
import { verifyLedger } from '../../src/audit/verify.ts'
import { ATTACKS } from './attacks.ts'
import { Stage } from './stage.ts'

const POLL_MS = 100

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

/**
 * Real daemons in a federation of which one member turns: `seconds` of quiet, then as many of flood by all attacks at once, or (`each`)
 * by one after the other, each from a member of its own.
 */
export async function runFlood ({ seconds, each, say }: { seconds: number, each: boolean, say: (line: string) => void }): Promise<Result> {
  const attacks = each ? [...ATTACKS.map(({ name }) => name), 'announcements', 'connections'] : ['all']
  const stage = await Stage.open(attacks.length)
  try {
    say('two honest sites are up: waiting until they train and exchange')
    await stage.warmUp()
    say(`${seconds} s of quiet`)
    const quiet = await watch(stage, seconds)
    const floods: Omit<Flood, 'ledger'>[] = []
    for (const [i, attack] of attacks.entries()) {
      say(`${seconds} s of flood: ${attack}`)
      floods.push(await flood(stage, i, attack, seconds))
    }
    await stage.endHonest()
    const named = await entriesByPeer(stage.home('victim'))
    return { quiet, floods: floods.map((one) => ({ ...one, ledger: named.get(one.hostile.peerId) ?? [] })) }
  } finally {
    await stage.close()
  }
}

async function flood (stage: Stage, index: number, attack: string, seconds: number): Promise<Omit<Flood, 'ledger'>> {
  const { round } = await stage.status()
  const child = stage.startHostile(index, ['--seconds', String(seconds), '--attack', attack, '--round', String(round)])
  const window = await watch(stage, seconds)
  await child.ended
  if (child.stdout === '') throw new Error(`the flooder failed: ${child.stderr}`)
  const hostile = JSON.parse(child.stdout) as Hostile
  const { warnings } = await stage.status()
  return { attack, ...window, hostile, warnings: warnings.filter((each) => each.includes(hostile.peerId)) }
}

async function watch (stage: Stage, seconds: number): Promise<Window> {
  const { victim } = stage
  const begun = Date.now()
  const [{ exchanges }, processor] = [await stage.status(), await victim.processorMs()]
  let peakMiB = 0
  while (Date.now() - begun < seconds * 1_000) {
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
