import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { parseJson } from '../common/parse-json.ts'
import { CorruptFileError } from '../errors.ts'
import { readChecked, writeCheckedJson } from './checksum.ts'
import { isThere, namesIn } from './files.ts'
import type { SitePaths } from './paths.ts'

const inventory = z.object({
  files: z.array(z.string()),
  /** Number of the home's folder on its disk: a copy has another. */
  place: z.string().optional()
})
const BEFORE = 'the one before it is used where there is one'

/** What it means that a file is gone, and the way on; without the file, a start would say nothing of it. */
const LOST: Readonly<Record<string, string>> = {
  'membership/statements.json': 'revocations are learnt again from the first sites that are met; until then a revoked one is let in',
  'membership/members.json': 'the book of members starts empty, and fills as sites are met',
  'membership/certificate.json': 'other sites refuse this one until it joins again with its invitation',
  'membership/documents.json': 'amended documents are learnt again from the first sites that are met',
  'membership/agreements.json': 'this site asks again about amendments that it did not go on with yet',
  'membership/scores.json': 'cross-site scores are learnt again from the first sites that are met',
  'policy.json': 'this site holds to no policy of its own now: write it again',
  'usage.json': 'the bytes of the day are those of finished rounds',
  'best.json': 'the best round is found anew',
  'best.safetensors': 'the best round is found anew',
  'config.json': 'its settings are the defaults now: give them once more',
  'adapter.safetensors': BEFORE,
  'adapter.previous.safetensors': 'it comes again with the next checkpoint',
  'initial.safetensors': 'it is made again',
  'private/experts.safetensors': BEFORE,
  'private/experts.previous.safetensors': 'it comes again with the next round',
  'private/pseudo-masks.safetensors': 'pseudo-masks are made anew, round by round',
  'private/shown.json': 'how images are read is found out anew from those that are there',
  'private/withdrawn.json': 'who was withdrawn is trained on again: stop this site and withdraw them once more',
  'private/lineage.json': 'in which rounds each subject took part is not known any more',
  'metrics.jsonl': 'the numbers of finished rounds are lost, and nothing else',
  'audit/head.json': 'a new audit ledger begins; what was before can come from a backup alone'
}
/** Of folders whose files come and go while a site runs. */
const LOST_IN: Readonly<Record<string, string>> = {
  exchanges: 'what this one exchange changed is lost, later exchanges make up for it',
  sealed: 'what this site trained since its last group is lost',
  groups: 'what this one group changed is lost, later ones make up for it',
  unmixed: 'should this site fall far behind now, the training in it would be lost'
}

/** Notes which files a home has, when a site has started, or (`ended`) when nothing changes any more. */
export async function keepInventory ({ home, inventory: path }: SitePaths, { ended }: { readonly ended: boolean }): Promise<void> {
  const files: string[] = []
  for (const name of Object.keys(LOST)) if (await isThere(join(home, name))) files.push(name)
  for (const folder of ended ? Object.keys(LOST_IN) : []) {
    files.push(...(await namesIn(join(home, folder))).sort().map((name) => `${folder}/${name}`))
  }
  await writeCheckedJson(path, { files, place: await placeOf(home) })
}

/** A sentence for each file that was there when this site ran last, and is not any more; one where the home is another folder. */
export async function missingFiles ({ home, inventory: path }: SitePaths): Promise<string[]> {
  const text = await readChecked(path).catch((error: unknown) => {
    if (error instanceof CorruptFileError) return ''
    throw error
  })
  if (text == null) return []
  const { data } = inventory.safeParse(parseJson(text))
  if (data == null) return [`${path} is damaged: whether files of this home are gone since it ran last is not known`]
  const sentences = data.place == null || data.place === await placeOf(home)
    ? []
    : [
        `${home} was copied, restored, or moved to another disk since it ran last: run it in one place only, since two sites with one ` +
        'key spoil each other\'s exchanges; what it exchanged since a backup was made, it takes over from the others again'
      ]
  for (const name of data.files) {
    const lost = LOST[name] ?? LOST_IN[name.split('/')[0]!]
    if (lost != null && !await isThere(join(home, name))) sentences.push(`${join(home, name)} is gone: ${lost}`)
  }
  return sentences
}

async function placeOf (home: string): Promise<string> {
  return String((await stat(home, { bigint: true })).ino)
}
