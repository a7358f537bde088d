import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { readImage, readMaskOf, scanDataset } from '../../../src/dataset/index.ts'
import { folderOf, niftiBytes } from '../dataset/fixtures.ts'

type Three = [number, number, number]
/** Steps in mm of the axes i, j, k and the first voxel, to the left, the back and the head. */
interface Place { readonly axes: readonly number[][], readonly origin: readonly number[] }

const DIMS: Three = [7, 6, 5]
const PLACE: Place = { axes: [[0.8, 0.1, 0], [-0.1, 0.8, 0], [0, -0.2, 2.5]], origin: [-11, 12, 13] }
const LABELS = Uint8Array.from({ length: 210 }, (_, i) => {
  const [x, y, z] = [i % 7, Math.floor(i / 7) % 6, Math.floor(i / 42)]
  return x > 1 && x < 5 && y > 1 && y < 5 && z > 0 && z < 4 ? (x + y + z) % 3 : 0
})

function seg (sizes: readonly number[], { axes, origin }: Place, data: Uint8Array, layers?: number): Uint8Array {
  const text = (vector: readonly number[]): string => `(${vector.join(',')})`
  const names = [0, 1].map((at) => [
    `Segment${at}_ID:=s${at}`, `Segment${at}_Layer:=${layers == null ? 0 : at}`, `Segment${at}_LabelValue:=${layers == null ? at + 1 : 1}`
  ])
  const fields = [
    'NRRD0004', 'type: unsigned char', `dimension: ${sizes.length}`, 'space: left-posterior-superior', `sizes: ${sizes.join(' ')}`,
    `space directions: ${layers == null ? '' : 'none '}${axes.map(text).join(' ')}`, `space origin: ${text(origin)}`, 'encoding: raw',
    `kinds: ${layers == null ? '' : 'list '}domain domain domain`, ...names.flat(), '', ''
  ]
  return Buffer.concat([Buffer.from(fields.join('\n')), data])
}

/** The voxels from `from` on, so many of them, of LABELS; 0 beyond. */
function cut (from: Three, sizes: Three): { labels: Uint8Array, place: Place } {
  const labels = Uint8Array.from({ length: sizes[0] * sizes[1] * sizes[2] }, (_, i) => {
    const within = [i % sizes[0], Math.floor(i / sizes[0]) % sizes[1], Math.floor(i / sizes[0] / sizes[1])]
    const at = within.map((step, axis) => step + from[axis]!)
    return at.every((index, axis) => index >= 0 && index < DIMS[axis]!) ? LABELS[(at[2]! * 6 + at[1]!) * 7 + at[0]!]! : 0
  })
  return { labels, place: { axes: PLACE.axes, origin: PLACE.origin.map((value, world) => value + shift(from, world)) } }
}

function shift (from: Three, world: number): number {
  return from.reduce((sum, steps, axis) => sum + steps * PLACE.axes[axis]![world]!, 0)
}

describe('segments of 3D Slicer', () => {
  let folder: Awaited<ReturnType<typeof folderOf>>
  const at = (name: string): string => join(folder.path, name)
  before(async () => {
    const sform = [-1, -1, 1].map((sign, world) => [...PLACE.axes.map((axis) => sign * axis[world]!), sign * PLACE.origin[world]!])
    const image = niftiBytes({ dims: DIMS, values: Array.from({ length: 210 }, (_, i) => i), datatype: 4, sform })
    folder = await folderOf({ 'images/v.nii': image, 'masks/v.seg.nrrd': seg(DIMS, PLACE, LABELS) })
  })
  after(async () => { await folder.clear() })

  async function read (file: Uint8Array): Promise<number[][]> {
    await writeFile(at('part.seg.nrrd'), file)
    return (await readMaskOf(await readImage(at('images/v.nii')), at('part.seg.nrrd'))).map((mask) => [...mask])
  }

  it('stored for a part of the image, or for more of it, are those of the whole', async () => {
    const whole = await read(seg(DIMS, PLACE, LABELS))
    expect(whole.flat().filter((label) => label > 0)).to.have.length(LABELS.filter((label) => label > 0).length)
    const from = fc.tuple(fc.integer({ min: -3, max: 2 }), fc.integer({ min: -3, max: 2 }), fc.integer({ min: -3, max: 1 }))
    const more = fc.tuple(fc.nat(4), fc.nat(4), fc.nat(4))
    await fc.assert(fc.asyncProperty(from, more, fc.boolean(), async (first, further, layered) => {
      const sizes = first.map((value, axis) => [5, 5, 4][axis]! - value + further[axis]!) as Three
      const { labels, place } = cut(first, sizes)
      const layers = Uint8Array.from({ length: 2 * labels.length }, (_, i) => labels[i >> 1] === 1 + (i & 1) ? 1 : 0)
      expect(await read(layered ? seg([2, ...sizes], place, layers, 2) : seg(sizes, place, labels))).to.deep.equal(whole)
    }), { numRuns: 60 })
  })

  it('stored in another order of axes lie where their header says', async () => {
    const { labels, place } = cut([1, 1, 0], [5, 5, 5])
    const turned = Uint8Array.from(labels, (_, i) => labels[Math.floor(i / 25) * 25 + i % 5 * 5 + 4 - Math.floor(i / 5) % 5]!)
    const [i, j, k] = place.axes as [number[], number[], number[]]
    const last = place.origin.map((value, world) => value + 4 * i[world]!)
    expect(await read(seg([5, 5, 5], { axes: [j, i.map((step) => -step), k], origin: last }, turned))).to.deep.equal(
      await read(seg(DIMS, PLACE, LABELS))
    )
  })

  it('are refused between the voxels of the image and beyond it, and the whole is said of the rest', async () => {
    const { labels, place } = cut([1, 1, 1], [5, 5, 3])
    const between = { ...place, origin: place.origin.map((value) => value + 0.3) }
    await writeFile(at('masks/v.seg.nrrd'), seg([5, 5, 3], between, labels))
    expect((await scanDataset(folder.path)).problems[0]?.reason).to.include('the mask has 5×5×3 voxels')
    await writeFile(at('masks/v.seg.nrrd'), seg([9, 6, 5], PLACE, new Uint8Array(270).fill(1)))
    expect((await scanDataset(folder.path)).problems[0]?.reason).to.include('beyond the image')
    await writeFile(at('masks/v.seg.nrrd'), seg([5, 5, 3], place, labels))
    const { notes, labels: uses } = await scanDataset(folder.path)
    expect(notes).to.deep.equal({ 'segments stored for a part of the image: what lies beyond is background': 1 })
    expect(uses.reduce((sum, { pixels }) => sum + pixels, 0)).to.equal(210)
  })
})
