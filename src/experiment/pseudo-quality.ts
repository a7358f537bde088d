import { mean } from '../common/mean.ts'
import { EVERYTHING, labelMapOf, toClassTargets, type Fitted } from '../dataset/index.ts'
import { isSelected, WHOLE } from '../model/pseudo/certainty.ts'
import { MemoryPool } from '../model/pseudo/pool.ts'
import type { FederationSettings } from '../settings/federation-settings.ts'
import type { TrainedSite } from './site-model.ts'

/** Of one site's pseudo-masks as a round would make them, beside masks that training does not see; means over images and classes. */
export interface PseudoQuality {
  /** Images without whole masks whose turn a round is. */
  readonly images: number
  /** Pseudo-masks that were made of them, and the share that would be used. */
  readonly made: number
  readonly selected: number
  /** Of all that were made, and of those that would be used; NaN where there is none. */
  readonly dice: number
  readonly diceSelected: number
  /** Of the coarse masks they come from: the teacher's own answers. */
  readonly teacher: number
}

/** Undefined where the method makes none, or all images have whole masks. */
export async function pseudoQuality (
  model: TrainedSite,
  hidden: ReadonlyMap<string, Fitted> | undefined,
  round: number,
  { method, labels }: Partial<Pick<FederationSettings, 'method' | 'labels'>>
): Promise<PseudoQuality | undefined> {
  const settings = method?.pseudo
  const bare = model.samples.filter(({ kind }) => kind != null).length
  if (settings == null || settings.weight === 0 || hidden == null || bare === 0) return undefined
  const images = Math.min(bare, settings.images ?? bare)
  const map = labels == null ? EVERYTHING : labelMapOf(labels)
  const scores: { readonly dice: number, readonly teacher: number, readonly used: boolean }[] = []
  await model.guess(round, new MemoryPool(), (sample, of, { coarse, shares, measures }) => {
    const whole = hidden.get(sample.id)
    if (whole == null) return
    const { targets } = toClassTargets([whole], Math.sqrt(coarse.length), map)
    const truth = targets.subarray(of * coarse.length, (of + 1) * coarse.length)
    const against = (isShown: (cell: number) => boolean): number => diceOfCells(truth, isShown)
    scores.push({
      dice: against((cell) => 2 * shares[cell]! > WHOLE),
      teacher: against((cell) => coarse[cell]! > 0.5),
      used: isSelected(measures, settings)
    })
  })
  const used = scores.filter((each) => each.used)
  return {
    images,
    made: scores.length,
    selected: scores.length === 0 ? 0 : used.length / scores.length,
    dice: mean(scores.map(({ dice }) => dice)),
    diceSelected: mean(used.map(({ dice }) => dice)),
    teacher: mean(scores.map(({ teacher }) => teacher))
  }
}

function diceOfCells (truth: Float32Array, isShown: (cell: number) => boolean): number {
  let [both, either] = [0, 0]
  truth.forEach((share, cell) => {
    const [is, says] = [Number(share > 0.5), Number(isShown(cell))]
    both += is * says
    either += is + says
  })
  return either === 0 ? 1 : 2 * both / either
}

/** One line for a person. */
export function qualityInWords (sites: readonly (PseudoQuality | undefined)[]): string | undefined {
  const known = sites.filter((each) => each != null)
  if (known.length === 0) return undefined
  const [images, made] = [known, known].map((all, i) => all.reduce((sum, each) => sum + (i === 0 ? each.images : each.made), 0))
  const shown = (of: keyof PseudoQuality): string => {
    const values = known.map((each) => each[of]).filter(Number.isFinite)
    return values.length === 0 ? '–' : (100 * mean(values)).toFixed(1)
  }
  return `pseudo-masks of ${made} of ${images} images: Dice ${shown('dice')}, the teacher's own ${shown('teacher')}; ${
    shown('selected')} % selected, with Dice ${shown('diceSelected')}`
}
