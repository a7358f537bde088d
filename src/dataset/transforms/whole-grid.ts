import { InputError } from '../../errors.ts'
import type { Affine, NiftiHeader, Triple } from '../../formats/nifti-header.ts'
import type { Volume, Voxels } from '../../formats/nifti.ts'

/** How far from the middle of a voxel of the image a voxel of its segments may lie, in voxels. */
const OFF_VOXEL = 0.1

/** Voxel (i, j, k) of the part is voxel rows·(i, j, k, 1) of the whole; whole numbers. */
type Steps = readonly (readonly number[])[]

/**
 * Labels of a part of an image on the whole grid of the image; undefined where their header does not put them on its voxels. @throws
 * InputError for labels beyond the image
 */
export function onWholeGrid ({ header, voxels }: Volume, image: NiftiHeader): Volume | undefined {
  const steps = [image.affine, ...image.others ?? []].map((affine) => stepsOf(header, affine)).find((found) => found != null)
  return steps == null ? undefined : { header: image, voxels: spread(voxels, header.dims, steps, image.dims) }
}

function stepsOf ({ affine, dims }: NiftiHeader, whole: Affine): Steps | undefined {
  const inverse = inverted(whole)
  const exact = inverse.map((row) => [0, 1, 2, 3].map((column) =>
    row.reduce((sum, value, world) => sum + value * (affine[world]![column]! - (column === 3 ? whole[world]![3] : 0)), 0)))
  const steps = exact.map((row) => row.map(Math.round))
  const isAxis = (line: readonly number[]): boolean => line.reduce((sum, step) => sum + Math.abs(step), 0) === 1
  const lines = [0, 1, 2].map((voxel) => steps.map((row) => row[voxel]!))
  const reach = [...dims.map((count) => count - 1), 1]
  const off = exact.map((row, axis) => row.reduce((sum, value, i) => sum + Math.abs(value - steps[axis]![i]!) * reach[i]!, 0))
  return lines.every(isAxis) && steps.every((row) => isAxis(row.slice(0, 3))) && Math.max(...off) <= OFF_VOXEL ? steps : undefined
}

function spread (voxels: Voxels, [columns, rows, slices]: Triple, steps: Steps, dims: Triple): Voxels {
  const out = new (voxels.constructor as Uint8ArrayConstructor)(dims[0] * dims[1] * dims[2])
  let from = 0
  for (let k = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      for (let i = 0; i < columns; i++, from++) {
        if (voxels[from] === 0) continue
        const [x, y, z] = steps.map(([a, b, c, d]) => a! * i + b! * j + c! * k + d!) as [number, number, number]
        if (x < 0 || y < 0 || z < 0 || x >= dims[0] || y >= dims[1] || z >= dims[2]) throw new InputError(BEYOND)
        out[(z * dims[1] + y) * dims[0] + x] = voxels[from]!
      }
    }
  }
  return out
}

const BEYOND = 'its segments reach beyond the image: they were drawn on another image, or the image was cut after'

/** The inverse of the three columns of directions. */
function inverted ([a, b, c]: Affine): readonly (readonly [number, number, number])[] {
  const cross = (p: readonly number[], q: readonly number[]): [number, number, number] =>
    [p[1]! * q[2]! - p[2]! * q[1]!, p[2]! * q[0]! - p[0]! * q[2]!, p[0]! * q[1]! - p[1]! * q[0]!]
  const columns = [cross(b, c), cross(c, a), cross(a, b)]
  const determinant = a[0] * columns[0]![0] + a[1] * columns[0]![1] + a[2] * columns[0]![2]
  return [0, 1, 2].map((row) => columns.map((column) => column[row]! / determinant)) as unknown as readonly [number, number, number][]
}
