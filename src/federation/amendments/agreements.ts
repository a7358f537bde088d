import { z } from 'zod'
import { parseJson } from '../../common/parse-json.ts'
import { CorruptFileError } from '../../errors.ts'
import { readChecked, writeCheckedJson } from '../../home/checksum.ts'
import type { AmendmentRule } from '../../settings/site/amendments.ts'
import { documentDigest, type FederationDocument } from '../document.ts'
import { federationIdText } from '../signed.ts'
import { changesBetween } from './changes.ts'

const MOST = 64
const agreements = z.array(federationIdText).max(MOST)

/** Digests of the documents that the people of this site have agreed to; of a damaged file, which `say` is told, none. */
export async function readAgreements (path: string, say: (sentence: string) => void = () => {}): Promise<string[]> {
  const text = await readChecked(path).catch((error: unknown) => {
    if (!(error instanceof CorruptFileError)) throw error
    return ''
  })
  const { data } = agreements.safeParse(parseJson(text ?? '[]'))
  if (data == null) say(`${path} is damaged: this site asks again about amendments that it did not go on with yet`)
  return data ?? []
}

/** From now on this site agrees to the document. */
export async function agreeTo (path: string, document: FederationDocument): Promise<void> {
  const digest = documentDigest(document)
  const before = (await readAgreements(path)).filter((each) => each !== digest)
  await writeCheckedJson(path, [...before.slice(1 - MOST), digest])
}

/** The last of the documents after the one in force that this site agrees to, by what was typed here or by its setting. */
export function agreed (
  inForce: FederationDocument,
  after: readonly FederationDocument[],
  { rule, agreements: digests }: { readonly rule: AmendmentRule, readonly agreements: readonly string[] }
): FederationDocument | undefined {
  const isMoreRounds = (document: FederationDocument): boolean => {
    return changesBetween(inForce, document).every(({ name }) => name === 'training.rounds') &&
      document.training.rounds >= inForce.training.rounds
  }
  return after.findLast((each) =>
    rule === 'accept' || (rule === 'rounds' && isMoreRounds(each)) || digests.includes(documentDigest(each)))
}
