import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { symmetric } from '../../common/adaptive-neighbours.ts'

type Rows = readonly Float64Array[]

const MOST_STEPS = 30
const FIRST_WEIGHT = 0.01
/** Below it an eigenvalue of a Laplacian counts as 0. */
const ZERO = 1e-10
/** Clusters that a graph may be said to have of itself. */
const MOST_CLUSTERS = 8
/** Relative gap between two eigenvalues from which on it is one between clusters. */
const GAP = 0.85
const CONSIDERED = 0.9

/** The point of the simplex {p ≥ 0, Σ p = 1} that is nearest to v. */
export function ontoSimplex (v: ArrayLike<number>): Float64Array {
  const sorted = Float64Array.from(v).sort().reverse()
  let [sum, shift] = [0, 0]
  for (let i = 0; i < sorted.length; i++) {
    sum += sorted[i]!
    const least = (sum - 1) / (i + 1)
    if (sorted[i]! > least) shift = least
  }
  return Float64Array.from(v, (value) => Math.max(0, value - shift))
}

interface Spectrum {
  /** From the lowest. */
  readonly values: readonly number[]
  /** One row per node, its coordinates in that order. */
  readonly vectors: readonly number[][]
}

/** Of the Laplacian of a symmetric graph. */
function spectrumOf (graph: Rows): Spectrum {
  const laplacian = graph.map((row, i) => {
    const degree = row.reduce((sum, each) => sum + each, 0)
    return Array.from(row, (value, j) => i === j ? degree - value : -value)
  })
  const found = new EigenvalueDecomposition(new Matrix(laplacian), { assumeSymmetric: true })
  const order = [...found.realEigenvalues.keys()].sort((a, b) => found.realEigenvalues[a]! - found.realEigenvalues[b]! || a - b)
  const vectors = found.eigenvectorMatrix.to2DArray()
  return {
    values: order.map((at) => found.realEigenvalues[at]!),
    vectors: vectors.map((row) => order.map((at) => row[at]!))
  }
}

/**
 * How many clusters a symmetric graph has of itself, 1 to 8: the most after which its Laplacian's eigenvalues make a jump, by which the
 * lower one is less than 0.15 of the higher (docs/spec/mixing.md#clusters).
 */
export function clusterCount (graph: Rows): number {
  const { values } = spectrumOf(graph)
  const most = Math.min(MOST_CLUSTERS, Math.floor(CONSIDERED * values.length))
  let found = 1
  for (let count = 1; count <= most; count++) {
    const [low = 0, high = 0] = [values[count - 1], values[count]]
    if (high > ZERO && (high - Math.max(0, low)) / high > GAP) found = count
  }
  return found
}

/**
 * Constrained Laplacian rank (Nie, Wang, Jordan and Huang, AAAI 2016): the graph nearest to this symmetric one, with rows [n] in the
 * simplex over the neighbours that they have, that falls into `count` parts; yields between its steps, at most 30. Returns the part of
 * each node, numbered by their first nodes: `count` of them, or what there is where the steps do not suffice.
 */
export function * constrainedRank (graph: Rows, count: number): Generator<void, number[]> {
  let [rows, weight]: [Rows, number] = [graph, FIRST_WEIGHT]
  let place = spectrumOf(graph).vectors
  for (let step = 0; step < MOST_STEPS; step++) {
    rows = graph.map((row, i) => nearestRow(row, place, { i, weight, count }))
    const { values, vectors } = spectrumOf(symmetric(rows))
    yield
    const lowest = sumOf(values.slice(0, count))
    if (lowest > ZERO) {
      weight *= 2
      place = vectors
    } else if (count < values.length && lowest + values[count]! < ZERO) weight /= 2
    else break
  }
  return partsOf(symmetric(rows))
}

function nearestRow (
  row: Float64Array,
  place: readonly number[][],
  { i, weight, count }: { readonly i: number, readonly weight: number, readonly count: number }
): Float64Array {
  const near = [...row.keys()].filter((j) => j !== i && row[j]! > 0)
  const away = (j: number): number => sumOf(place[i]!.slice(0, count).map((each, k) => (each - place[j]![k]!) ** 2))
  const found = ontoSimplex(near.map((j) => row[j]! - weight / 2 * away(j)))
  const nearest = new Float64Array(row.length)
  near.forEach((j, at) => { nearest[j] = found[at]! })
  return nearest
}

function sumOf (values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0)
}

/** Connected parts. */
function partsOf (graph: Rows): number[] {
  const part = new Array<number>(graph.length).fill(-1)
  let parts = 0
  for (const first of graph.keys()) {
    if (part[first] !== -1) continue
    const open = [first]
    part[first] = parts
    for (let at = open.pop(); at != null; at = open.pop()) {
      for (const [next, weight] of graph[at]!.entries()) {
        if (weight <= ZERO || part[next] !== -1) continue
        part[next] = parts
        open.push(next)
      }
    }
    parts++
  }
  return part
}
