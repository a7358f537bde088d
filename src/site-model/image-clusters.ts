import { kmeans } from 'ml-kmeans'
import { adaptiveNeighbours, squaredDistances, symmetric } from '../common/adaptive-neighbours.ts'
import { normal, seededRandom } from '../common/random.ts'
import type { Fitted } from '../dataset/index.ts'
import { EmbeddingCache } from '../model/predict/embedding-cache.ts'
import type { Learner } from '../model/train/learner.ts'
import { MOST_CENTRES } from '../settings/facts.ts'
import type { ClusterSettings } from '../settings/method.ts'
import { byPatient } from './by-patient.ts'

/** Of one patient, spread over its images: neighbours resemble each other. */
const IMAGES_OF_PATIENT = 8
/** Stream of the federation's seed from which the projection comes, the same at every site. */
const PROJECTION = 0x5070

type ClusterFacts = Readonly<Record<'centres' | 'shares' | 'graph', Float32Array>>
type Settings = Pick<ClusterSettings, 'projection' | 'minimum' | 'neighbours'>

/**
 * What a site tells of clusters of its patients (docs/spec/mixing.md#clusters): by the untrained base, of means over `minimum` patients
 * or more. `seed`: the federation's. Undefined for fewer patients.
 */
export async function imageClusters (
  learner: Learner,
  samples: readonly Fitted[],
  { seed, ...settings }: Settings & { readonly seed: number }
): Promise<ClusterFacts | undefined> {
  const patients = [...byPatient(samples).values()]
  if (patients.length < settings.minimum) return undefined
  const segmenter = learner.segmenter({ adapter: learner.initialAdapter(), mode: 'frozen', cache: new EmbeddingCache({ memoryBytes: 0 }) })
  try {
    const points: number[][] = []
    for (const images of patients) {
      const shown = spread(images)
      const each: number[][] = []
      for (const image of shown) each.push(projected(pooled(await segmenter.embedding(image)), settings.projection, seed))
      points.push(meanOf(each))
    }
    return clustersOfPatients(points, { seed, ...settings })
  } finally {
    await segmenter.dispose()
  }
}

/** Of points [patients, projection] in the unit ball, `minimum` or more: k-means, clusters under `minimum` joined to the nearest. */
export function clustersOfPatients (points: readonly number[][], { minimum, neighbours, seed }: Settings & { seed: number }): ClusterFacts {
  const width = points[0]!.length
  const groups = joined(grouped(points, Math.min(MOST_CENTRES, Math.floor(points.length / minimum)), seed), points, minimum)
  const weights = symmetric(adaptiveNeighbours(squaredDistances(points), neighbours))
  const facts = {
    centres: new Float32Array(MOST_CENTRES * width), shares: new Float32Array(MOST_CENTRES), graph: new Float32Array(MOST_CENTRES ** 2)
  }
  for (const [m, group] of groups.entries()) {
    facts.centres.set(meanOf(group.map((at) => points[at]!)), m * width)
    facts.shares[m] = group.length / points.length
    for (const [n, other] of groups.entries()) {
      const sum = group.reduce((total, i) => total + other.reduce((all, j) => all + weights[i]![j]!, 0), 0)
      facts.graph[m * MOST_CENTRES + n] = sum / (group.length * other.length)
    }
  }
  return facts
}

/** Places of points, by cluster. */
function grouped (points: readonly number[][], count: number, seed: number): number[][] {
  const { clusters } = kmeans(points.map((each) => [...each]), count, { seed, initialization: 'kmeans++' })
  const groups = Map.groupBy(points.keys(), (at) => clusters[at]!)
  return [...groups.values()]
}

function joined (groups: readonly number[][], points: readonly number[][], minimum: number): number[][] {
  const sorted = [...groups].sort((a, b) => b.length - a.length || a[0]! - b[0]!)
  const smallest = sorted.at(-1)!
  if (sorted.length === 1 || smallest.length >= minimum) return sorted
  const others = sorted.slice(0, -1)
  const middles = [smallest, ...others].map((group) => meanOf(group.map((at) => points[at]!)))
  const away = squaredDistances(middles)[0]!.slice(1)
  const nearest = away.indexOf(Math.min(...away))
  return joined(others.map((group, i) => i === nearest ? [...group, ...smallest].sort((a, b) => a - b) : group), points, minimum)
}

function spread (images: readonly Fitted[]): Fitted[] {
  const shown = Math.min(IMAGES_OF_PATIENT, images.length)
  return Array.from({ length: shown }, (_, i) => images[Math.floor((i + 0.5) * images.length / shown)]!)
}

/** Mean over the places of an embedding [1,G,G,d]. */
export function pooled ({ shape, data }: { readonly shape: readonly number[], readonly data: ArrayLike<number> }): number[] {
  const width = shape.at(-1)!
  const mean = new Array<number>(width).fill(0)
  for (let i = 0; i < data.length; i++) mean[i % width]! += data[i]! * width / data.length
  return mean
}

/** By normal numbers that all sites have alike, so that features of size 1 become about 1 long; then clipped to the unit ball. */
export function projected (features: readonly number[], width: number, seed: number): number[] {
  const random = seededRandom(seed, PROJECTION)
  const scale = 1 / Math.sqrt(width * features.length)
  const point = Array.from({ length: width }, () => features.reduce((sum, each) => sum + scale * normal(random) * each, 0))
  const norm = Math.hypot(...point)
  return norm > 1 ? point.map((each) => each / norm) : point
}

function meanOf (rows: readonly number[][]): number[] {
  return rows[0]!.map((_, i) => rows.reduce((sum, row) => sum + row[i]!, 0) / rows.length)
}
