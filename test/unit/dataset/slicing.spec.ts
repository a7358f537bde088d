import { expect } from 'chai'
import { planCut } from '../../../src/dataset/transforms/orientation.ts'
import { cutImages, cutLabels, joinLabels, planStack } from '../../../src/dataset/transforms/slicing.ts'
import type { Axis } from '../../../src/dataset/types.ts'
import { InputError } from '../../../src/errors.ts'
import type { Affine, NiftiHeader, Triple } from '../../../src/formats/nifti-header.ts'
import { parseHeader } from '../../../src/formats/nifti-header.ts'
import type { Volume, Voxels } from '../../../src/formats/nifti.ts'
import { niftiBytes, qformOf } from './fixtures.ts'

/** A head of 3×4×5 mm that is different in every voxel, world x to the right, y to the front, z to the head. */
const SIZE: Triple = [3, 4, 5]
const valueAt = (x: number, y: number, z: number): number => 1 + x + 3 * y + 12 * z

const ORDERS: readonly Triple[] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]]
const SIGNS: readonly Triple[] = [[1, 1, 1], [1, 1, -1], [1, -1, 1], [1, -1, -1], [-1, 1, 1], [-1, 1, -1], [-1, -1, 1], [-1, -1, -1]]

/** The head stored so that voxel axis v runs along world axis order[v], forwards or backwards. */
function stored (order: Triple, signs: Triple): { dims: Triple, values: number[], affine: Affine } {
  const dims = order.map((world) => SIZE[world]) as unknown as Triple
  const affine = [0, 1, 2].map((world) => {
    const voxel = order.indexOf(world)
    const row = [0, 0, 0, signs[voxel]! > 0 ? 0 : SIZE[world]! - 1]
    row[voxel] = signs[voxel]!
    return row
  }) as unknown as Affine
  const values: number[] = []
  for (let k = 0; k < dims[2]; k++) {
    for (let j = 0; j < dims[1]; j++) {
      for (let i = 0; i < dims[0]; i++) {
        const [x, y, z] = affine.map((row) => row[0] * i + row[1] * j + row[2] * k + row[3])
        values.push(valueAt(x!, y!, z!))
      }
    }
  }
  return { dims, values, affine }
}

function volumeOf (bytes: Uint8Array<ArrayBuffer>, voxels: Voxels): Volume {
  return { header: parseHeader(bytes), voxels }
}

function headerOf (change: Partial<NiftiHeader>): NiftiHeader {
  return {
    version: 1,
    littleEndian: true,
    dims: SIZE,
    datatype: 2,
    slope: 1,
    intercept: 0,
    offset: 352,
    affine: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]],
    bytes: new Uint8Array(348),
    ...change
  }
}

/** Slice, row and column by hand: the patient's right at the left, the front at the top or left, the head at the top. */
const EXPECTED: Record<Axis, (slice: number) => number[][]> = {
  axial: (z) => [3, 2, 1, 0].map((y) => [2, 1, 0].map((x) => valueAt(x, y, z))),
  coronal: (y) => [4, 3, 2, 1, 0].map((z) => [2, 1, 0].map((x) => valueAt(x, y, z))),
  sagittal: (x) => [4, 3, 2, 1, 0].map((z) => [3, 2, 1, 0].map((y) => valueAt(x, y, z)))
}

describe('slices of volumes', () => {
  for (const axis of ['axial', 'coronal', 'sagittal'] as const) {
    it(`gives the same ${axis} slices for all 48 ways to store a volume, by sform and by qform`, () => {
      for (const order of ORDERS) {
        for (const signs of SIGNS) {
          const { dims, values, affine } = stored(order, signs)
          for (const form of [{ sform: affine }, { qform: qformOf(affine) }]) {
            const volume = volumeOf(niftiBytes({ dims, values, ...form }), Uint8Array.from(values))
            const slices = cutImages(volume, planStack(volume, axis), {})
            slices.forEach((slice, k) => {
              expect([...slice], `${axis} ${order.join()} ${signs.join()}`).to.deep.equal(EXPECTED[axis](k).flat())
            })
          }
        }
      }
    })
  }

  it('puts labels back where they came from, whatever the storage order', () => {
    for (const order of ORDERS) {
      for (const signs of SIGNS) {
        const { dims, values, affine } = stored(order, signs)
        const volume = { header: headerOf({ dims, affine }), voxels: Uint8Array.from(values) }
        for (const axis of ['axial', 'coronal', 'sagittal'] as const) {
          const stack = planStack(volume, axis)
          expect([...joinLabels(cutLabels(volume, stack), stack)]).to.deep.equal(values)
        }
      }
    }
  })

  it('makes pixels square, and undoes it for masks', () => {
    const header = headerOf({ dims: [4, 4, 3], affine: [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 2.5, 0]] })
    const voxels = Uint8Array.from({ length: 48 }, (_, i) => i % 2)
    const stack = planStack({ header, voxels }, 'coronal')
    expect(stack).to.include({ height: 8, width: 4 })
    const labels = cutLabels({ header, voxels }, stack)
    expect(labels).to.have.length(4)
    expect(labels[0]).to.have.length(32)
    expect([...joinLabels(labels, stack)]).to.deep.equal([...voxels])
    expect(cutImages({ header, voxels }, stack, {})[0]).to.have.length(32)
  })

  it('cuts oblique volumes along the nearest axis and says how far off that is', () => {
    const [c, s] = [Math.cos(Math.PI / 9), Math.sin(Math.PI / 9)]
    const cut = planCut([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0]], SIZE, 'axial')
    expect(cut.obliqueDegrees).to.be.closeTo(20, 1e-6)
    expect([cut.slices.count, cut.rows.count, cut.columns.count]).to.deep.equal([5, 4, 3])
    expect(cut.slices.spacing).to.be.closeTo(1, 1e-9)
  })

  it('finds the plane in which a volume was acquired', () => {
    const axisOf = (spacing: Triple): Axis => planStack({
      header: headerOf({ affine: [[spacing[0], 0, 0, 0], [0, spacing[1], 0, 0], [0, 0, spacing[2], 0]] }), voxels: new Uint8Array(60)
    }, 'auto').cut.axis
    expect(axisOf([1, 1, 1])).to.equal('axial')
    expect(axisOf([1, 1, 5])).to.equal('axial')
    expect(axisOf([1, 4, 1])).to.equal('coronal')
    expect(axisOf([3, 1, 1])).to.equal('sagittal')
    expect(axisOf([1, 1.1, 1])).to.equal('axial')
  })

  it('refuses slices that would be huge, and masks that are not labels', () => {
    const long = headerOf({ dims: [1, 100, 100], affine: [[1, 0, 0, 0], [0, 0.01, 0, 0], [0, 0, 1, 0]] })
    expect(() => planStack({ header: long, voxels: new Uint8Array(10000) }, 'sagittal')).to.throw(InputError, 'square pixels')
    for (const bad of [0.5, -1, 256, NaN]) {
      const volume = { header: headerOf({ dims: [1, 1, 2] }), voxels: Float32Array.of(0, bad) }
      expect(() => cutLabels(volume, planStack(volume, 'axial')), String(bad)).to.throw(InputError, 'not labels')
    }
  })
})
