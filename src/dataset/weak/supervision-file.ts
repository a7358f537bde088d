import { join } from 'node:path'
import { z } from 'zod'
import { InputError } from '../../errors.ts'
import { readCapped } from '../../formats/file.ts'
import { nameKey } from './find-marks.ts'

const NAME = 'supervision.json'
const MAX_BYTES = 16 * 2 ** 20

const file = z.strictObject({
  unlabelled: z.enum(['use', 'skip']).optional(),
  validation: z.array(z.string()).optional()
})

/** What a site says of how its labels are used. */
interface SupervisionFile {
  /** Images without labels are left out, whatever the federation does with them. */
  readonly skipsUnlabelled: boolean
  /** Names of images whose patients are held back; any that fit if empty. */
  readonly validation: ReadonlySet<string>
}

/** supervision.json of a data folder, where it is there. @throws InputError naming the file */
export async function readSupervision (root: string): Promise<SupervisionFile> {
  const path = join(root, NAME)
  const bytes = await readCapped(path, MAX_BYTES).catch((error: unknown) => {
    if (error instanceof InputError && error.message === 'it does not exist') return undefined
    throw error instanceof InputError ? new InputError(`${path} cannot be used: ${error.message}`) : error
  })
  if (bytes == null) return { skipsUnlabelled: false, validation: new Set() }
  const parsed = file.safeParse(jsonOf(bytes))
  if (!parsed.success) {
    throw new InputError(`${path} cannot be used: write it as { "unlabelled": "skip", "validation": ["NAME", …] }, either part alone too`)
  }
  return { skipsUnlabelled: parsed.data.unlabelled === 'skip', validation: new Set(parsed.data.validation?.map(nameKey)) }
}

function jsonOf (bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''))
  } catch {
    return undefined
  }
}
