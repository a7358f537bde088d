import { join } from 'node:path'
import { writeOutcomePicture } from '../../dataset/index.ts'
import type { CaseOutcome, NamedScore } from './score-cases.ts'

/** A case that went badly; names are local, never logged or sent. */
export interface WorstCase {
  readonly patient: string
  readonly case: string
  readonly class: string
  readonly dice: number
  readonly hd95: number
  /** the slice with most wrong pixels */
  readonly slice: string
  /** the picture of that slice, where one was asked for */
  readonly picture?: string
}

/**
 * The cases of least volume Dice, worst first, the greater distance first where it is the same; what was marked where nothing is has a
 * Dice of 0. With a folder, each is drawn there as `worst-1.png` and so on, without a name. @throws InputError when one cannot be written
 */
export async function worstCases (outcomes: readonly CaseOutcome[], count: number, folder?: string): Promise<WorstCase[]> {
  const ranked = outcomes.flatMap(({ scores, worst }) => scores.map((score) => ({ score, worst })))
    .filter(({ score }) => !Number.isNaN(score.dice))
    .sort((a, b) => a.score.dice - b.score.dice || distance(b.score) - distance(a.score))
  return await Promise.all(ranked.slice(0, count).map(async ({ score, worst }, rank) => {
    const { patient, case: name, class: scored, dice, hd95 } = score
    const found = { patient, case: name, class: scored, dice, hd95, slice: worst.slice.id }
    if (folder == null) return found
    const picture = join(folder, `worst-${rank + 1}.png`)
    await writeOutcomePicture(picture, worst.slice, worst.mask)
    return { ...found, picture }
  }))
}

function distance ({ hd95, diagonal }: NamedScore): number {
  return Math.min(hd95, diagonal)
}
