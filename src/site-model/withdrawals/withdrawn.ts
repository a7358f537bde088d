import { createHash } from 'node:crypto'
import { pseudonyms } from '../../dataset/index.ts'
import { InputError } from '../../errors.ts'
import { readWithdrawals, writeWithdrawals, type Withdrawal } from '../../home/withdrawals.ts'
import { patientKey } from '../patient-key.ts'

/** The hash by which a home knows a subject where its name is not to stand. */
async function subjectIds (privateStore: string): Promise<(subject: string) => string> {
  const pseudonym = pseudonyms(await patientKey(privateStore)())
  return (subject) => pseudonym('subject', subject)
}

/** Who was withdrawn at a site; their names are kept nowhere. */
export class Withdrawn {
  readonly #privateStore: string
  readonly #idOf: (subject: string) => string
  /** Oldest first. */
  readonly list: readonly Withdrawal[]
  readonly #ids: ReadonlySet<string>

  private constructor (privateStore: string, idOf: (subject: string) => string, list: readonly Withdrawal[]) {
    this.#privateStore = privateStore
    this.#idOf = idOf
    this.list = list
    this.#ids = new Set(list.map(({ id }) => id))
  }

  /** @throws InputError where the file, or the key that its hashes are made by, is not what it was */
  static async read (privateStore: string): Promise<Withdrawn> {
    const kept = await readWithdrawals(privateStore)
    if (kept != null && kept.withdrawn.length > 0 && kept.key !== await keyHash(privateStore)) {
      throw new InputError(
        `${privateStore}/patients.key is not the key by which subjects were withdrawn, so nobody knows any more who they are: restore it ` +
          'from a backup, or remove withdrawn.json beside it and withdraw them again before the next start'
      )
    }
    return new Withdrawn(privateStore, await subjectIds(privateStore), kept?.withdrawn ?? [])
  }

  /** Whether the images of a subject are to be left out. */
  readonly withdrawn = (subject: string): boolean => this.#ids.size > 0 && this.#ids.has(this.#idOf(subject))

  /** The hash of a subject. */
  readonly idOf = (subject: string): string => this.#idOf(subject)

  of (id: string): Withdrawal | undefined {
    return this.list.find((each) => each.id === id)
  }

  /** Who is in it, as one text that differs whenever they do. */
  get state (): string {
    return [...this.#ids].sort().join()
  }

  async add (entry: Withdrawal): Promise<void> {
    await this.#write([...this.list, entry])
  }

  async remove (id: string): Promise<void> {
    await this.#write(this.list.filter((each) => each.id !== id))
  }

  async #write (withdrawn: Withdrawal[]): Promise<void> {
    await writeWithdrawals(this.#privateStore, { key: await keyHash(this.#privateStore), withdrawn })
  }
}

async function keyHash (privateStore: string): Promise<string> {
  return createHash('sha256').update('consilium withdrawn').update(await patientKey(privateStore)()).digest('hex').slice(0, 16)
}
