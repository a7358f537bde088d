import type { Mode } from '../settings/model.ts'
import type { Markup } from './markup.ts'
import { legend, strip } from './page.ts'

/** What a model drew on an image; the distance in pixels, null where truth or result is empty. */
export interface ShotScore { readonly dice: number, readonly hd95: number | null }

/** An image and the outlines over it, as data URIs of one size; each model's together with the truth's. */
export interface ScoredShot extends Readonly<Record<Mode, string>> {
  readonly width: number
  readonly height: number
  readonly image: string
  readonly scores: Readonly<Record<Mode, ShotScore>>
}

/** The scores of a shot, for whoever does not know them. */
export const SCORE_WORDS: readonly (readonly [word: string, meaning: string])[] = [
  ['Dice', 'how much two outlines overlap: 1 is the same area, 0 no overlap at all. Above 0.9 they look alike; below 0.7 a reader sees ' +
    'the difference at once.'],
  ['HD95', 'how far the two outlines are apart where they differ most, but for the outermost 5 %; in pixels, and less is better.']
]

/** What the two colours of the outlines mean. */
export function outlineLegend (): Markup {
  return legend([["the radiologist's outline (truth)", '#ffc107'], ["the model's outline (result)", '#40e0ff']])
}

/** One image alone, and under what each of the three models makes of it. */
export function shotStrip (shot: ScoredShot, { id, name }: { readonly id: string, readonly name: string }): Markup {
  const scored = (model: string, mode: Mode): { label: string, overlay: string } => {
    const { dice, hd95 } = shot.scores[mode]
    return { label: `${model}, Dice ${dice.toFixed(3)}, HD95 ${pixels(hd95)}`, overlay: shot[mode] }
  }
  const { width, height, image } = shot
  const panels = [
    { label: 'image', overlay: '' },
    scored('frozen SAM', 'frozen'),
    scored('global', 'global'),
    scored('personalised', 'personal')
  ]
  return strip({ id, name, image, width, height, panels })
}

/** A distance on an image. */
export function pixels (distance: number | null | undefined): string {
  return distance == null ? '–' : `${distance.toFixed(1)} px`
}
