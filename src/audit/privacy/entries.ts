import { z } from 'zod'
import { summed, type Spending } from '../../privacy/spending.ts'
import { PRIVACY_UNITS } from '../../settings/privacy.ts'
import { Chain, type ChainPoint } from '../chain.ts'
import { splitLines } from '../segments.ts'

const count = z.number().int().min(0)
const spending = z.object({ unit: z.enum(PRIVACY_UNITS), noise: z.number().positive(), rate: z.number().positive().max(1), steps: count })

/** One landing: what it cost, and how much training is in it. */
const release = spending.extend({ kind: z.literal('release'), round: count, clip: z.number().positive(), trained: count })
/** A person began anew after damage: what could still be read counts on. */
const reset = z.object({ kind: z.literal('reset'), why: z.string(), spent: z.array(spending) })

export type ReleaseEntry = z.infer<typeof release>
export type ResetEntry = z.infer<typeof reset>
const entry = z.discriminatedUnion('kind', [release, reset])

/** What `budget.json` says of the ledger beside it: how far it goes, and what is spent by then. */
const budget = z.object({ federation: z.string(), count, hash: z.string(), spent: z.array(spending) })
/** Or why nothing that it said can be relied on. */
const doubt = z.object({ doubt: z.string() })
export const stated = z.union([budget, doubt])

export type Budget = z.infer<typeof budget>
export type Doubt = z.infer<typeof doubt>

/** What a privacy ledger's lines say. */
export interface Account {
  readonly spent: readonly Spending[]
  readonly releases: number
  /** Optimiser steps in them. */
  readonly trained: number
  readonly resets: readonly string[]
}

export const NOTHING_SPENT: Account = { spent: [], releases: 0, trained: 0, resets: [] }

/** What is spent after this entry. */
export function withEntry (account: Account, next: ReleaseEntry | ResetEntry): Account {
  if (next.kind === 'reset') return { ...account, spent: summed([...account.spent, ...next.spent]), resets: [...account.resets, next.why] }
  const { unit, noise, rate, steps, trained } = next
  return {
    ...account,
    spent: summed([...account.spent, { unit, noise, rate, steps }]),
    releases: account.releases + 1,
    trained: account.trained + trained
  }
}

/** A ledger's bytes line by line, up to the first that does not hold. */
export interface Followed {
  readonly account: Account
  readonly point: ChainPoint
  /** Bytes of the lines that hold. */
  readonly position: number
  /** The point that was asked for was passed. */
  readonly met: boolean
  readonly wrong?: string
}

export function follow (bytes: Buffer, until: ChainPoint | undefined): Followed {
  const chain = new Chain()
  let [account, position] = [NOTHING_SPENT, 0]
  const isMet = (): boolean => until != null && chain.point.count === until.count && chain.point.hash === until.hash
  let met = isMet()
  for (const line of splitLines(bytes).lines) {
    const accepted = chain.accept(line)
    const { data } = entry.safeParse(accepted)
    if (data == null) {
      const wrong = 'wrong' in accepted ? accepted.wrong : `entry ${chain.point.count} is none of a privacy ledger`
      return { account, point: chain.point, position, met, wrong }
    }
    account = withEntry(account, data)
    position += line.length + 1
    met ||= isMet()
  }
  return { account, point: chain.point, position, met }
}
