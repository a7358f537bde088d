import { cp, open } from 'node:fs/promises'
import { join } from 'node:path'
import { parseJson } from '../../common/parse-json.ts'
import { CorruptFileError } from '../../errors.ts'
import { readChecked, writeCheckedJson } from '../../home/checksum.ts'
import { isThere, makePrivateFolder, PRIVATE_FILE, readIfThere, removeLeftovers, syncFolder, writeFileSafely } from '../../home/files.ts'
import type { ChainPoint } from '../chain.ts'
import { canonical, GENESIS, sha256 } from '../entry.ts'
import {
  follow, NOTHING_SPENT, stated, withEntry, type Account, type Budget, type Doubt, type Followed, type ReleaseEntry, type ResetEntry
} from './entries.ts'

const LINES = 'ledger.jsonl'
const BUDGET = 'budget.json'
const FRESH: ChainPoint = { count: 0, hash: GENESIS }

export interface PrivacyLedgerInit {
  readonly folder: string
  readonly federation: string
  /** Optimiser steps that the home's adapter holds: the ledger must know of them. */
  readonly trained: number
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Why nothing may be released. */
export interface Damaged { readonly damaged: string }

/**
 * What a site has spent of its federation's ε (docs/privacy.md#the-ledger): `ledger.jsonl`, a hash chain of releases, and `budget.json`,
 * which says how far it goes. What is spent is on disk before anything of it is let out, and never becomes less.
 */
export class PrivacyLedger {
  readonly #init: PrivacyLedgerInit
  #account: Account
  #point: ChainPoint
  #position: number

  private constructor (init: PrivacyLedgerInit, { account, point, position }: Pick<Followed, 'account' | 'point' | 'position'>) {
    this.#init = init
    this.#account = account
    this.#point = point
    this.#position = position
  }

  /** Takes it up where it ended; begins it where nothing was ever trained. */
  static async open (init: PrivacyLedgerInit): Promise<PrivacyLedger | Damaged> {
    await removeLeftovers(init.folder)
    const found = await readPrivacyLedger(init)
    if ('damaged' in found) return found
    const ledger = new PrivacyLedger(init, found)
    if (!found.isSettled) await ledger.#writeBudget()
    return ledger
  }

  /**
   * Keeps a copy of what is there and begins anew with all that could be read of it; struck at any moment, it is to be done again.
   * Resolves with why that was needed.
   */
  static async reset (init: Omit<PrivacyLedgerInit, 'trained'>): Promise<string> {
    const { folder, now } = init
    const found = await readPrivacyLedger({ ...init, trained: 0 })
    const why = 'damaged' in found ? found.damaged : 'a person wanted it, although it held'
    const spent = [...await readable(folder)]
    const aside = `${folder}.before-${new Date(now()).toISOString().replaceAll(':', '-')}`
    if (await isThere(folder)) await cp(folder, aside, { recursive: true })
    const entry: ResetEntry = { kind: 'reset', why, spent }
    const line = lineOf(entry, FRESH, now())
    await writeFileSafely(join(folder, LINES), line + '\n')
    const point = { count: 1, hash: sha256(line) }
    const account = withEntry(NOTHING_SPENT, entry)
    await new PrivacyLedger({ ...init, trained: 0 }, { account, point, position: line.length + 1 }).#writeBudget()
    return why
  }

  /** From now on it does not hold, for this reason; its lines stay, so that a reset takes them over. */
  static async doubt (folder: string, why: string): Promise<void> {
    await makePrivateFolder(folder)
    await writeCheckedJson(join(folder, BUDGET), { doubt: why })
    await syncFolder(folder)
  }

  get account (): Account {
    return this.#account
  }

  /** On disk when it resolves: from then on it may be let out. What fails half-way is counted if it may have reached the disk. */
  async spend (release: Omit<ReleaseEntry, 'kind'>): Promise<void> {
    await this.#append({ kind: 'release', ...release })
  }

  async #append (entry: ReleaseEntry): Promise<void> {
    const { folder, now } = this.#init
    const line = lineOf(entry, this.#point, now())
    const bytes = Buffer.from(line + '\n')
    const file = await open(join(folder, LINES), this.#position === 0 ? 'w' : 'r+', PRIVATE_FILE)
    try {
      // What a crash left of a line is written over.
      await file.truncate(this.#position)
      for (let done = 0; done < bytes.length;) {
        done += (await file.write(bytes, done, bytes.length - done, this.#position + done)).bytesWritten
      }
      await file.datasync()
    } finally {
      await file.close()
    }
    if (this.#position === 0) await syncFolder(folder)
    this.#position += bytes.length
    this.#point = { count: this.#point.count + 1, hash: sha256(line) }
    this.#account = withEntry(this.#account, entry)
    await this.#writeBudget()
  }

  async #writeBudget (): Promise<void> {
    const { folder, federation } = this.#init
    await makePrivateFolder(folder)
    await writeCheckedJson(join(folder, BUDGET), { federation, ...this.#point, spent: [...this.#account.spent] } satisfies Budget)
    await syncFolder(folder)
  }
}

function lineOf (entry: ReleaseEntry | ResetEntry, { count, hash }: ChainPoint, now: number): string {
  return canonical({ ...entry, seq: count + 1, t: new Date(now).toISOString(), prev: hash })
}

/** What a ledger says, without touching it; `isSettled`: its budget goes as far as its lines. */
export async function readPrivacyLedger (
  { folder, federation, trained }: Pick<PrivacyLedgerInit, 'folder' | 'federation' | 'trained'>
): Promise<(Followed & { readonly isSettled: boolean }) | Damaged> {
  const [head, bytes] = [await readBudget(folder), await readIfThere(join(folder, LINES))]
  if (head != null && 'doubt' in head) return { damaged: head.doubt }
  if (head == null && bytes == null) {
    if (trained > 0) return { damaged: 'it is missing, and this home has trained' }
    return { account: NOTHING_SPENT, point: FRESH, position: 0, met: true, isSettled: false }
  }
  if (head == null) return { damaged: `${BUDGET} is missing` }
  if (head.federation !== federation) return { damaged: 'it is of another federation' }
  const followed = follow(bytes ?? Buffer.alloc(0), head)
  const damaged = damageOf(followed, head, trained)
  return damaged == null ? { ...followed, isSettled: followed.point.count === head.count } : { damaged }
}

function damageOf ({ account, met, wrong }: Followed, { count }: Budget, trained: number): string | undefined {
  if (wrong != null) return wrong
  if (!met) return `entry ${count} is missing or was changed`
  if (trained <= account.trained || account.resets.length > 0) return undefined
  return `this home's adapter holds ${trained} steps of training, and the ledger knows of ${account.trained}`
}

/** All that lines or budget still say, whichever is more. */
async function readable (folder: string): Promise<Account['spent']> {
  const [head, bytes] = [await readBudget(folder), await readIfThere(join(folder, LINES))]
  const lines = follow(bytes ?? Buffer.alloc(0), undefined).account.spent
  const told = head == null || 'doubt' in head ? [] : head.spent
  const size = (spent: Account['spent']): number => spent.reduce((sum, { steps, noise, rate }) => sum + steps * (rate / noise) ** 2, 0)
  return size(told) > size(lines) ? told : lines
}

async function readBudget (folder: string): Promise<Budget | Doubt | undefined> {
  const text = await readChecked(join(folder, BUDGET)).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return ''
    throw error
  })
  return text == null ? undefined : stated.safeParse(parseJson(text)).data ?? { doubt: `${BUDGET} is damaged` }
}
