import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { item, items, text } from '../../../../src/formats/dicom/elements.ts'
import { readInstance } from '../../../../src/formats/dicom/instance.ts'
import { parseWhole } from '../../../../src/formats/dicom/parse.ts'
import { readSeg } from '../../../../src/formats/dicom/seg.ts'
import type { Stack } from '../../../../src/formats/dicom/stacks.ts'
import { segBytes, type SegmentMask } from '../../../../src/formats/dicom/write-seg.ts'
import { DICOM, onlyStack } from './fixtures.ts'

const ALGORITHM = { name: 'Consilium', version: '0.2.0', parameters: 'adapter sha256 00ff, round 3, personal model', prompted: false }
const LIVER = { scheme: 'SCT', value: '10200004', meaning: 'Liver' }
const LESION = { scheme: '99CONSILIUM', value: 'CLASS-7', meaning: 'läsion', category: 'abnormality' } as const
/** Debian's dicom3tools; development machines have it. */
const VALIDATOR = 'dciodvfy'

function masksOf ({ dims, frames }: Stack, inside: (pixel: number, slice: number) => boolean): Uint8Array[] {
  return frames.map((_, slice) => Uint8Array.from({ length: dims[0] * dims[1] }, (_none, pixel) => inside(pixel, slice) ? 1 : 0))
}

function segmentsOn (stack: Stack): SegmentMask[] {
  return [
    { name: 'liver', code: LIVER, slices: masksOf(stack, (at, k) => at % 7 === 0 && k !== 1) },
    { name: 'läsion', code: LESION, slices: masksOf(stack, (at) => at % 7 === 3) }
  ]
}

describe('DICOM SEG of a series', () => {
  let folder: string
  beforeEach(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-seg-')) })
  afterEach(async () => { await rm(folder, { recursive: true }) })

  for (const name of ['ct', 'mr', 'enhanced.dcm', 'us.dcm', 'dx.dcm']) {
    it(`on ${name} is read back as it was drawn, on the very images`, async () => {
      const stack = await onlyStack(join(DICOM, name))
      const file = join(folder, 'seg.dcm')
      await writeFile(file, await segBytes(stack, segmentsOn(stack), ALGORITHM))
      const { kind, refersTo, images, patient, study, frameOfReference } = await readInstance(file)
      const source = stack.instance
      expect({ kind, patient, study, frameOfReference }).to.deep.equal({
        kind: 'seg',
        patient: source.patient,
        study: source.study,
        frameOfReference: source.frameOfReference
      })
      expect(refersTo).to.deep.equal([source.series])
      expect(new Set(images)).to.deep.equal(new Set(stack.frames.map(({ sop }) => sop)))
      const { voxels } = await readSeg(file, stack, (segments) => {
        expect(segments.map(({ names }) => names)).to.deep.equal([['liver', 'Liver'], ['läsion', 'läsion']])
        return { valueOf: ({ number }) => ({ value: number, isKnown: true }), notes: [] }
      })
      const size = stack.dims[0] * stack.dims[1]
      const drawn = Array.from(voxels, (_, at) => (at % size) % 7 === 3 ? 2 : (at % size) % 7 === 0 && Math.floor(at / size) !== 1 ? 1 : 0)
      expect([...voxels]).to.deep.equal(drawn)
      expect((await readFile(file)).toString('latin1')).to.include(ALGORITHM.parameters)
    })
  }

  it('says what kind of thing each segment shows: by its label, by a code that is known, or anatomy', async () => {
    const stack = await onlyStack(join(DICOM, 'dx.dcm'))
    const [{ slices }] = segmentsOn(stack) as [SegmentMask]
    const known = [['4147007', 'Mass'], ['55603005', 'Fat']] as const
    const scheme = 'SCT'
    const codes = [LIVER, LESION, ...known.map(([value, meaning]) => ({ scheme, value, meaning }))]
    const bytes = await segBytes(stack, codes.map((code) => ({ name: code.meaning, code, slices })), ALGORITHM)
    const categories = items(parseWhole(Buffer.from(bytes)), 'x00620002').map((each) => text(item(each, 'x00620003'), 'x00080104'))
    const abnormal = 'Morphologically Abnormal Structure'
    expect(categories).to.deep.equal(['Anatomical Structure', abnormal, abnormal, 'Tissue'])
  })

  it('has no error for the validator of dicom3tools, where that is installed', async function () {
    if (spawnSync(VALIDATOR, ['-h']).error != null) return this.skip()
    for (const name of ['ct', 'enhanced.dcm', 'us.dcm', 'dx.dcm']) {
      const stack = await onlyStack(join(DICOM, name))
      const file = join(folder, 'seg.dcm')
      await writeFile(file, await segBytes(stack, segmentsOn(stack), ALGORITHM))
      const { stderr } = spawnSync(VALIDATOR, ['-new', file], { encoding: 'utf8' })
      expect(stderr, name).to.include('Segmentation').and.not.include('Error')
    }
  })
})
