import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import type { SegmentRule } from '../../../../src/formats/dicom/canvas.ts'
import { readPictures, type PlacedStack } from '../../../../src/formats/dicom/read-stack.ts'
import { readStructures } from '../../../../src/formats/dicom/rtstruct.ts'
import { readSeg } from '../../../../src/formats/dicom/seg.ts'
import type { Stack } from '../../../../src/formats/dicom/stacks.ts'
import { surveyFiles } from '../../../../src/formats/dicom/survey.ts'
import { stacksIn } from '../../../../src/dataset/dicom/list-dicom.ts'
import { DICOM, digest, onlyStack, placed, valuesOf } from './fixtures.ts'

interface Read { size: number[], spacing: number[], origin: number[], direction: number[], values: string }
const expected = JSON.parse(await readFile(join(DICOM, 'expected.json'), 'utf8')) as Record<string, Read> &
  Record<'labels' | 'halves' | 'structures', string>

/** Whatever its class, a segment keeps its number; the outline of the body is none. */
const asNumbered: SegmentRule = () => ({ valueOf: ({ number, isBody }) => ({ value: isBody ? 0 : number, isKnown: false }), notes: [] })

async function stackOf (...names: string[]): Promise<Stack> {
  return await onlyStack(join(DICOM, ...names))
}

async function placedStack (...names: string[]): Promise<PlacedStack> {
  return placed(await stackOf(...names))
}

describe('DICOM series', () => {
  for (const name of ['ct', 'mr', 'pet', 'enhanced']) {
    it(`${name}: slices by their places, values and geometry as pydicom and SimpleITK read them`, async () => {
      const stack = await placedStack(name === 'enhanced' ? 'enhanced.dcm' : name)
      const { size, spacing, origin, direction, values } = expected[name]!
      expect(stack.dims).to.deep.equal(size)
      expect(stack.place.origin).to.deep.equal(origin)
      const axes = [0, 1, 2].map((axis) => [0, 1, 2].map((world) => direction[3 * world + axis]! * spacing[axis]!))
      // SimpleITK takes the step from the first two slices, whose places are rounded to 0.0001 mm.
      axes.flat().forEach((value, at) => { expect(stack.place.axes.flat()[at]!).to.be.closeTo(value, 2e-4) })
      expect(digest(await valuesOf(stack))).to.equal(values)
      expect(stack.notes).to.deep.equal([])
    })
  }

  it('says that a gantry was tilted, slices are missing, and a file is there twice', async () => {
    const tilted = await placedStack('tilted')
    expect(digest(await valuesOf(tilted))).to.equal(expected['tilted']!.values)
    expect(tilted.notes.join()).to.include('tilted gantry')
    const { instances } = await surveyFiles((await readdir(join(DICOM, 'ct'))).map((name) => join(DICOM, 'ct', name)))
    const inner = instances.toSorted((a, b) => a.frames[0]!.plane!.position[2] - b.frames[0]!.plane!.position[2])[2]
    const notesOf = (some: typeof instances): string => stacksIn(some).values().next().value![0]!.notes.join()
    expect(notesOf(instances.filter((each) => each !== inner))).to.include('slices missing')
    expect(notesOf([...instances, { ...inner!, file: 'copy' }])).to.include('twice')
  })

  it('turns an inverted picture over, and keeps colours', async () => {
    const of = async (name: string): Promise<number[]> => {
      const all: number[] = []
      for await (const { data } of readPictures(await stackOf(name))) all.push(...data)
      return all
    }
    expect(digest(await of('dx.dcm'))).to.equal(expected['dx']!.values)
    expect(digest(await of('us.dcm'))).to.equal(expected['us']!.values)
  })
})

describe('labels on DICOM series', () => {
  for (const [name, key] of [['binary', 'labels'], ['labelmap', 'labels'], ['fractional', 'halves']] as const) {
    it(`a ${name} segmentation gives the labels that highdicom was given`, async () => {
      const { voxels } = await readSeg(join(DICOM, `ct-${name}.dcm`), await stackOf('ct'), asNumbered)
      expect(Buffer.from(voxels).toString('base64')).to.equal(expected[key])
    })
  }

  it('contours enclose the pixels whose middles matplotlib finds inside, holes left out', async () => {
    const { voxels } = await readStructures(join(DICOM, 'ct-structures.dcm'), await stackOf('ct'), (regions) => {
      expect(regions.map(({ names }) => names[0])).to.deep.equal(['Body', 'Liver', 'Lesion'])
      return asNumbered(regions)
    })
    expect(Buffer.from(voxels).toString('base64')).to.equal(expected.structures)
  })

  it('refuses a segmentation of other voxels', async () => {
    const refused = await readSeg(join(DICOM, 'ct-binary.dcm'), await stackOf('mr'), asNumbered).catch((error: Error) => error.message)
    expect(refused).to.include('does not lie on the voxels of its series')
  })
})
