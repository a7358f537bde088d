import { Matrix, QrDecomposition, SingularValueDecomposition } from 'ml-matrix'

/** B [out, rank] and A [rank, in], row-major: their product stands for a low-rank update. */
export interface Factors {
  readonly b: Float32Array
  readonly a: Float32Array
}

/** Rows of A keep the length that they start with, √(in · 1/(3·in)), so that a learning rate means the same in every round. */
const ROW_LENGTH = 1 / Math.sqrt(3)
/**
 * Directions beyond the rank that the iteration carries along, and its steps: the ratio of what is lost to what is kept shrinks by
 * their square in each.
 */
const SPARE = 4
const STEPS = 8
/** Directions that hold less than this share of the greatest hold nothing but rounding. */
const NOTHING = 1e-6

/** B·A, [out, in]. */
export function multiply ({ b, a }: Factors, [out, rank, into]: readonly [number, number, number]): Float32Array {
  const product = new Float32Array(out * into)
  for (let i = 0; i < out; i++) {
    for (let k = 0; k < rank; k++) {
      const factor = b[i * rank + k]!
      for (let j = 0; j < into; j++) product[i * into + j] = product[i * into + j]! + factor * a[k * into + j]!
    }
  }
  return product
}

/**
 * The best factors of this rank for `product` [out, in] (docs/spec/pfedsam.md#lora-aggregation), by subspace iteration (Halko,
 * Martinsson, Tropp 2011), since a full decomposition of 768×768 takes a minute. Where the product has less than the rank, A keeps the
 * rows of `start` and B is zero, so that training can use them.
 */
export function factorise (product: Float32Array, [out, rank, into]: readonly [number, number, number], start: Float32Array): Factors {
  const [b, a] = [new Float32Array(out * rank), start.slice()]
  if (product.every((value) => value === 0)) return { b, a }
  const p = matrix(product, out, into)
  const { directions, values } = rightDirections(p, Math.min(rank + SPARE, out, into), start, rank)
  const images = p.mmul(directions)
  for (let k = 0; k < Math.min(rank, values.length); k++) {
    if (!(values[k]! > NOTHING * values[0]!)) continue
    for (let j = 0; j < into; j++) a[k * into + j] = ROW_LENGTH * directions.get(j, k)
    for (let i = 0; i < out; i++) b[i * rank + k] = images.get(i, k) / ROW_LENGTH
  }
  return { b, a }
}

/** The right singular vectors of the greatest singular values, as columns, and these values in falling order. */
function rightDirections (p: Matrix, count: number, start: Float32Array, rank: number): { directions: Matrix, values: number[] } {
  const turned = p.transpose()
  // The start must have a part in every direction: rows of the product itself, and the seeded rows of A.
  const rows = Array.from({ length: count }, (_, k) => Math.floor(k * p.rows / count))
  let basis = new Matrix(
    rows.map((row, k) => p.getRow(row).map((value, j) => value + 1e-3 * p.get(row, j) * k + 1e-3 * start[(k % rank) * p.columns + j]!))
  ).transpose()
  for (let step = 0; step < STEPS; step++) {
    basis = new QrDecomposition(turned.mmul(p.mmul(new QrDecomposition(basis).orthogonalMatrix))).orthogonalMatrix
  }
  const { rightSingularVectors, diagonal } = new SingularValueDecomposition(p.mmul(basis), { computeLeftSingularVectors: false })
  return { directions: basis.mmul(rightSingularVectors), values: diagonal }
}

function matrix (data: Float32Array, rows: number, columns: number): Matrix {
  return Matrix.from1DArray(rows, columns, data)
}
