import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError, InputError } from '../errors.ts'
import { readChecked, writeCheckedJson } from './checksum.ts'

const NAME = 'withdrawn.json'

const hash = z.string().regex(/^[0-9a-f]{16}$/)

const withdrawal = z.strictObject({
  /** Of the subject, by the home's own key: its name is kept nowhere. */
  id: hash,
  /** When, ISO 8601. */
  at: z.iso.datetime(),
  /** What the site shows beside the adapter was made with its images, and is shown no more. */
  shown: z.boolean()
})

const file = z.strictObject({
  /** Of the key by which subjects are hashed. */
  key: hash,
  withdrawn: z.array(withdrawal)
})

/** A subject whose images are out of training. */
export type Withdrawal = z.infer<typeof withdrawal>

/** Who was withdrawn at a site, by hashes, and the hash of their key; undefined where nobody ever was. @throws InputError */
export async function readWithdrawals (privateStore: string): Promise<z.infer<typeof file> | undefined> {
  const path = join(privateStore, NAME)
  const text = await readChecked(path).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return ''
    throw error
  })
  if (text == null) return undefined
  const { data } = file.safeParse(parseJson(text))
  if (data != null) return data
  throw new InputError(
    `${path}, which says who was withdrawn, is damaged: restore it from a backup or remove it, and withdraw them again before a start`
  )
}

/** For this user alone, as all in that folder. */
export async function writeWithdrawals (privateStore: string, content: z.infer<typeof file>): Promise<void> {
  await writeCheckedJson(join(privateStore, NAME), content)
}
