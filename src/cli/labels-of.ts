import { stat } from 'node:fs/promises'
import { labelMapOf, type LabelMap } from '../dataset/index.ts'
import { readDraft } from '../federation/document.ts'
import { sitePaths } from '../home/paths.ts'

/** The classes of a federation, by its home or its document; undefined where everything above 0 is one. @throws InputError. */
export async function labelsOf (place: string): Promise<LabelMap | undefined> {
  const isHome = await stat(place).then((found) => found.isDirectory(), () => false)
  const { document } = await readDraft(isHome ? sitePaths(place).federation : place, 'name a home, or a federation.json')
  return document.labels == null ? undefined : labelMapOf(document.labels)
}
