import { mean } from '../../src/common/mean.ts'
import { pixelScale, type Fitted } from '../../src/dataset/index.ts'
import type { Attack } from './attack-site.ts'
import { quality, type Grey, type Quality } from './image-quality.ts'
import { invert, type Clue } from './inversion.ts'
import { changeOf, watch } from './watched-site.ts'

/** What is found by whoever does not look at the victim at all, and by who has more than is ever sent. */
export interface Yardsticks {
  /** The mean of the attacker's own images. */
  readonly guess: Quality
  /** From the gradient of the image itself, which never leaves a site. */
  readonly gradient: Quality
  /** From what a whole round on all patients changed, sent in the clear. */
  readonly round: Quality
}

interface Target { readonly image: Fitted, readonly guess: Float32Array, readonly truth: Float32Array }

/** What optimisation makes of the change of one step on one image: a round so short that no federation has it. */
export async function attackImages (attack: Attack, seed: number): Promise<Quality> {
  const { others } = await attack.sites(seed)
  const found: Quality[] = []
  for (const [i, target] of (await targetsOf(attack, seed)).entries()) {
    const sites = [[target.image], ...others.map((images) => [images[i % images.length]!])].slice(0, attack.together)
    found.push(await reconstructed(attack, target, await clueOf(attack, sites, seed, 1 / attack.stepsPerRound)))
  }
  return averaged(found)
}

export async function yardsticks (attack: Attack, seed: number): Promise<Yardsticks> {
  const { steps, learner, pool } = attack
  const { victim } = await attack.sites(seed)
  const targets = await targetsOf(attack, seed)
  const from = learner.initialAdapter().values
  const whole = await clueOf(attack, [victim.train.slice(0, pool)], seed, 1)
  const [gradient, round]: [Quality[], Quality[]] = [[], []]
  for (const target of targets) {
    const sharp = await steps.byAdapter(from, steps.fed(target.image))
    gradient.push(await reconstructed(attack, target, { from, change: sharp.gradient.map((value) => -value) }))
    round.push(await reconstructed(attack, target, whole))
  }
  const guess = averaged(targets.map((target) => nearness(attack, target, target.guess)))
  return { guess, gradient: averaged(gradient), round: averaged(round) }
}

async function targetsOf ({ steps, sites, images }: Attack, seed: number): Promise<Target[]> {
  const { victim, others: [own] } = await sites(seed)
  const pixelsOf = (sample: Fitted): Float32Array => steps.fed(sample)['@images']!.data as Float32Array
  const all = own!.map(pixelsOf)
  const guess = all[0]!.map((_, i) => mean(all.map((each) => each[i]!)))
  return victim.train.slice(0, images).map((image) => ({ image, guess, truth: pixelsOf(image) }))
}

async function clueOf ({ learner, promise }: Attack, sites: readonly (readonly Fitted[])[], seed: number, share: number): Promise<Clue> {
  const { sights: [sight] } = await watch({ learner, promise, sites, rounds: 1, share, seed })
  return { from: sight!.from, change: changeOf(sight!) }
}

async function reconstructed (attack: Attack, target: Target, clue: Clue): Promise<Quality> {
  const { steps, iterations } = attack
  return nearness(attack, target, await invert(clue, { steps, fed: steps.fed(target.image), guess: target.guess, iterations }))
}

function nearness (attack: Attack, { image, truth }: Target, picture: Float32Array): Quality {
  return quality(grey(attack, image, picture), grey(attack, image, truth))
}

/** The pixels that the image has, each channel back to 0..255, and their mean. */
function grey ({ pixels = 'imagenet' }: Attack, { side, fittedWidth: width, fittedHeight: height }: Fitted, data: Float32Array): Grey {
  const { mean: middle, deviation } = pixelScale(pixels) ?? { mean: [0, 0, 0], deviation: [255, 255, 255] }
  const values = Float64Array.from({ length: width * height }, (_, i) => {
    const at = 3 * (Math.floor(i / width) * side + i % width)
    return mean([0, 1, 2].map((c) => Math.min(255, Math.max(0, data[at + c]! * deviation[c]! + middle[c]!))))
  })
  return { width, height, values }
}

function averaged (list: readonly Quality[]): Quality {
  return { psnr: mean(list.map(({ psnr }) => psnr)), ssim: mean(list.map(({ ssim }) => ssim)) }
}
