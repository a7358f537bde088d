import { expect } from 'chai'
import fc from 'fast-check'
import { cutLabels, placeInCut, planStack } from '../../../src/dataset/transforms/slicing.ts'
import type { Affine, NiftiHeader, Triple } from '../../../src/formats/nifti-header.ts'
import type { Image } from '../../../src/site-model/predict/prompt.ts'
import { inferParams, slicePrompt } from '../../../src/viewer/infer-request.ts'
import { slice } from '../dataset/fixtures.ts'

const ORDERS = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] as const

/** A volume whose voxel axes run along world axes in any order and direction, with slices thicker than its pixels. */
function headerOf (dims: Triple, order: readonly number[], signs: readonly number[]): NiftiHeader {
  const affine = [0, 1, 2].map((world) => [...[0, 1, 2].map((voxel) => order[voxel] === world ? signs[voxel]! * (world + 1) : 0), 5])
  return { dims, affine: affine as unknown as Affine, slope: 1, intercept: 0 } as NiftiHeader
}

const volume = fc.record({
  dims: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
  order: fc.constantFrom(...ORDERS),
  signs: fc.tuple(fc.constantFrom(1, -1), fc.constantFrom(1, -1), fc.constantFrom(1, -1)),
  at: fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4))
}).filter(({ dims, at }) => at.every((each, axis) => each < dims[axis]!))

describe('a click in a viewer', () => {
  it('lies in the slice, row and column in which its voxel is cut, however the volume lies', () => {
    fc.assert(fc.property(volume, ({ dims, order, signs, at }) => {
      const header = headerOf(dims, order, signs)
      const { cut } = planStack({ header })
      const voxels = new Uint8Array(dims[0] * dims[1] * dims[2])
      voxels[at[0] + dims[0] * (at[1] + dims[1] * at[2])] = 1
      const { slices, rows, columns } = cut
      const plain = { cut, height: rows.count, width: columns.count }
      const { slice: shown, row, column } = placeInCut(dims, cut, at)
      const masks = cutLabels({ header, voxels }, plain)
      expect(masks).to.have.length(slices.count)
      expect(masks[shown]![row * columns.count + column]).to.equal(1)
    }), { examples: [[{ dims: [1, 2, 1], order: [0, 1, 2], signs: [-1, 1, 1], at: [0, 1, 0] }]], numRuns: 1_000 })
  })

  it('and boxes of 3D Slicer, first and last index along each axis in any order, become one on the slice', () => {
    const header = headerOf([8, 6, 4], ORDERS[0], [1, 1, 1])
    const stack = planStack({ header })
    const image = { kind: 'volume', header, stack, slices: Array.from({ length: 4 }, (_, i) => slice('s', i)) } as Image
    const asked = inferParams.parse({ roi: [6, 1, 2, 4, 0, 3], slice: 3, foreground: [[2, 3, 3]] })
    // Radiological: the right of the patient, the end of x, is at the left; the front, the end of y, at the top.
    expect(slicePrompt(image, asked)).to.deep.equal({
      slice: 3,
      prompt: { points: [[5.5, 2.5, 1]], boxes: [[1.5, 1.5, 6.5, 3.5]] }
    })
    expect(() => slicePrompt(image, inferParams.parse({ roi: [1, 2, 3] }))).to.throw('roi must be')
  })
})
