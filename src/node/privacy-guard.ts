import type { Auditor } from '../audit/auditor.ts'
import { PrivacyLedger, type Damaged } from '../audit/privacy/privacy-ledger.ts'
import { messageOf } from '../common/message-of.ts'
import { hiding } from '../privacy/clip-and-noise.ts'
import { allSteps, type Length, type Mechanism } from '../privacy/mechanism.ts'
import { epsilonOf, type Spending } from '../privacy/spending.ts'
import type { Notices } from '../rounds/notices.ts'
import type { PrivacyGuard } from '../rounds/privacy-guard.ts'

export interface GuardInit {
  readonly mechanism: Mechanism
  readonly training: Length
  readonly folder: string
  readonly federation: string
  /** Optimiser steps that the adapter on disk holds. */
  readonly trained: number
  readonly notices: Pick<Notices, 'warn' | 'over'>
  readonly audit: Pick<Auditor, 'record'>
  readonly now: () => number
}

/** A rounding error of float64 is no reason to leave the last round untrained. */
const SLACK = 1 + 1e-9

/** Pays for each landing in the privacy ledger, clips and noises it, and ends training when ε is spent or the ledger does not hold. */
export async function openPrivacyGuard (init: GuardInit): Promise<PrivacyGuard> {
  const guard = new LedgerGuard(init, await PrivacyLedger.open(init))
  guard.say()
  return guard
}

class LedgerGuard implements PrivacyGuard {
  readonly #init: GuardInit
  readonly #ledger: PrivacyLedger | Damaged

  constructor (init: GuardInit, ledger: PrivacyLedger | Damaged) {
    this.#init = init
    this.#ledger = ledger
  }

  get isSpent (): boolean {
    return this.#trouble != null
  }

  get endsWhenSpent (): boolean {
    return this.#init.mechanism.onExhausted === 'leave'
  }

  /** What holds now; that all rounds are paid for is no trouble. */
  say (): void {
    const trouble = this.#trouble
    const { training: { rounds } } = this.#init
    const isOver = !('damaged' in this.#ledger) && this.#ledger.account.releases >= rounds
    if (trouble != null && !isOver) this.#init.notices.warn('privacy', trouble, { isNews: true })
  }

  readonly spend: PrivacyGuard['spend'] = async ({ round, steps: trained }) => {
    const { mechanism, notices, audit } = this.#init
    if (this.isSpent || 'damaged' in this.#ledger) return undefined
    const { unit, noise, clip } = mechanism
    const price = this.#price(trained)
    try {
      await this.#ledger.spend({ ...price, round, clip, trained })
    } catch (error) {
      notices.warn(
        'privacy',
        `what a round costs in privacy could not be written (${messageOf(error)}), so nothing of it is let out: free disk space or mend ` +
          'the home folder'
      )
      return undefined
    }
    notices.over('privacy', 'the privacy ledger is written again')
    audit.record({ kind: 'release', round, unit, noise, clip, steps: price.steps, epsilon: this.#epsilon() })
    this.say()
    return unit === 'patient' ? {} : { hide: hiding({ clip, noise }) }
  }

  get #trouble (): string | undefined {
    if ('damaged' in this.#ledger) {
      return `the privacy ledger does not hold (${this.#ledger.damaged}), so nothing more is trained for the shared adapter: restore it ` +
        'from a backup, or give up what it said with "consilium privacy reset --i-know"'
    }
    const { mechanism: { unit, epsilon }, training } = this.#init
    const next = allSteps(unit, { ...training, rounds: 1 })
    if (this.#epsilon(this.#price(next)) <= epsilon * SLACK) return undefined
    return `this site has spent ${this.#epsilon().toPrecision(3)} of its epsilon ${epsilon}, and another round would be more than that: ` +
      `it trains the shared adapter no more, ${this.endsWhenSpent ? 'and ends' : 'and goes on with everything else'}`
  }

  /** Of a landing with so many steps in it. */
  #price (steps: number): Spending {
    const { unit, noise, rate } = this.#init.mechanism
    return { unit, noise, rate, steps: unit === 'site' ? 1 : steps }
  }

  #epsilon (...more: readonly Spending[]): number {
    const { spent } = (this.#ledger as PrivacyLedger).account
    return epsilonOf([...spent, ...more], this.#init.mechanism.delta)
  }
}
