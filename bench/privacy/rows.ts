import type { Quality } from './image-quality.ts'
import type { Yardsticks } from './inversion-attack.ts'
import type { Membership } from './membership.ts'

export interface Row extends Membership {
  readonly defence: string
  readonly title: string
  /** Of the advantage; 1 where nothing is promised. */
  readonly bound: number
  /** Deviation of the noise over the clip; 0 without. */
  readonly noise: number
  /** Of the shared model on the victim's validation images, mean over trainings. */
  readonly dice: number
  readonly inversion: Quality
}

export interface Attacked extends Yardsticks {
  readonly data: string
  readonly rows: readonly Row[]
}

/** One thing that a defence was to show, and whether it does. */
export interface Finding { readonly name: string, readonly ok: boolean, readonly detail: string }

export const HEAD = ['defence', 'advantage (95 %)', 'its bound', 'AUC', 'PSNR, dB', 'SSIM', 'Dice']

/** Each promise keeps the attacker's advantage, interval and all, below what it allows. */
export function findings ({ data, rows }: Attacked): Finding[] {
  return rows.filter(({ bound }) => bound < 1).map(({ title, advantage, bound }) => ({
    name: `${data}: ${title} keeps the advantage below its bound`,
    ok: advantage.high <= bound,
    detail: `${advantage.mean.toFixed(2)}, at most ${advantage.high.toFixed(2)}, of ${bound.toFixed(3)}`
  }))
}

export function cellsOf ({ title, advantage, bound, auc, inversion, dice }: Row): string[] {
  return [
    title,
    `${advantage.mean.toFixed(2)} (${advantage.low.toFixed(2)} to ${advantage.high.toFixed(2)})`,
    bound < 1 ? bound.toFixed(3) : 'none',
    auc.mean.toFixed(2),
    ...qualityCells(inversion),
    dice.toFixed(3)
  ]
}

function qualityCells ({ psnr, ssim }: Quality): [string, string] {
  return [psnr.toFixed(1), ssim.toFixed(2)]
}

/** What the images can be compared with. */
function yardstickLines ({ guess, gradient, round }: Attacked): string[][] {
  const row = (title: string, found: Quality): string[] => [title, '', '', '', ...qualityCells(found), '']
  return [
    row('only guessing: the mean of other images', guess),
    row('the gradient of one image itself, which never leaves', gradient),
    row('a whole round on all patients, plain', round)
  ]
}

export function linesOf (attacked: Attacked): string[][] {
  return [...attacked.rows.map(cellsOf), ...yardstickLines(attacked)]
}
