import { mean } from '../../common/mean.ts'
import { seededRandom } from '../../common/random.ts'
import { percentile } from './percentile.ts'

/** Dice of an image, and of each class that it shows where a federation names classes. */
interface ScoredImage {
  readonly dice: number
  readonly classes?: readonly ({ readonly dice: number } | null)[]
}

const DRAWS = 1_000
/** Fewer say next to nothing about other patients. */
const LEAST_PATIENTS = 5

/**
 * The 95 % percentile interval of Dice as `evaluate` means it, patients drawn anew with replacement (Efron 1979): images of one patient
 * resemble each other. Undefined for fewer than five patients. `patients`: whose each image is. The same for the same scores and seed.
 */
export function diceInterval (
  images: readonly ScoredImage[],
  patients: readonly (string | undefined)[],
  seed: number
): readonly [low: number, high: number] | undefined {
  const sums = [...Map.groupBy(images.keys(), (i) => patients[i]).values()].map((own) => sumsOf(own.map((i) => images[i]!)))
  if (sums.length < LEAST_PATIENTS) return undefined
  const random = seededRandom(seed)
  const draw = (): number => meanOf(sums.map(() => sums[Math.floor(random() * sums.length)]!))
  const means = Array.from({ length: DRAWS }, draw).filter(Number.isFinite)
  return means.length === 0 ? undefined : [percentile(means, 0.025), percentile(means, 0.975)]
}

interface Sum { readonly dice: number, readonly count: number }

/** Of one patient, by class; one where there are none. */
function sumsOf (images: readonly ScoredImage[]): readonly Sum[] {
  const rows = images.map(({ dice, classes }) => classes?.map((each) => each?.dice) ?? [dice])
  return rows[0]!.map((_, c) => {
    const known = rows.map((row) => row[c]).filter((dice) => dice != null)
    return { dice: known.reduce((sum, dice) => sum + dice, 0), count: known.length }
  })
}

/** Over images, and then over the classes that any of them shows. */
function meanOf (patients: readonly (readonly Sum[])[]): number {
  const classes = patients[0]!.map((_, c) => patients.reduce(
    (all, own) => ({ dice: all.dice + own[c]!.dice, count: all.count + own[c]!.count }), { dice: 0, count: 0 }))
  return mean(classes.filter(({ count }) => count > 0).map(({ dice, count }) => dice / count))
}
