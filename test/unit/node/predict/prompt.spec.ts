import { join } from 'node:path'
import { expect } from 'chai'
import { readImage } from '../../../../src/dataset/index.ts'
import { InputError } from '../../../../src/errors.ts'
import { promptedSlices, writeLogits, type Image, type Prompt, type PromptedSlice } from '../../../../src/site-model/predict/prompt.ts'
import { folderOf, niftiBytes, png } from '../../dataset/fixtures.ts'

const MODEL = { side: 32, lowRes: 8 }

/** 4 columns of 1 mm, 4 rows of 2 mm, 3 slices of 4 mm: slices are shown as 4×8 square pixels. */
const volume = (values: (i: number) => number): Uint8Array => niftiBytes({
  dims: [4, 4, 3], values: Array.from({ length: 48 }, (_, i) => values(i)), sform: [[-1, 0, 0, 0], [0, -2, 0, 0], [0, 0, 4, 0]]
})

describe('prompts of an image', () => {
  let data: Awaited<ReturnType<typeof folderOf>>
  before(async () => {
    data = await folderOf({
      'image.nii': volume((i) => i),
      'mask.nii': volume((i) => i >= 16 && i < 32 ? 1 : 0),
      'empty.nii': volume(() => 0),
      'image.png': await png(16, 32, (x, y) => x + y),
      'mask.png': await png(16, 32, (x) => x < 16 ? 255 : 0),
      'wrong.png': await png(16, 16, (x) => x < 8 ? 255 : 0)
    })
  })
  after(async () => { await data.clear() })

  async function prompted (image: Image, prompt: Prompt, range?: [number, number]): Promise<Array<PromptedSlice | undefined>> {
    const prepare = await promptedSlices(image, prompt, range, MODEL)
    return await Promise.all(image.slices.map(async (_, index) => await prepare(index)))
  }

  it('in a volume count columns and rows of the slice as it is cut, whatever their spacing', async () => {
    const image = await readImage(join(data.path, 'image.nii'))
    const [first] = await prompted(image, { boxes: [[1, 1, 3, 3]], points: [[2, 2, 1]] })
    expect([first!.fitted.width, first!.fitted.height]).to.deep.equal([4, 8])
    expect(first!.prompt).to.deep.equal({ boxes: [[1, 2, 3, 6]], points: [[2, 4, 1]] })
  })

  it('apply to the slices named, and where the mask marks something', async () => {
    const image = await readImage(join(data.path, 'image.nii'))
    expect((await prompted(image, { points: [[1, 1, 1]] }, [1, 2])).map((each) => each != null)).to.deep.equal([false, true, true])
    const masked = await prompted(image, { mask: join(data.path, 'mask.nii') })
    expect(masked.map((each) => each?.prompt.mask?.length)).to.deep.equal([undefined, 64, undefined])
    expect(Math.max(...masked[1]!.prompt.mask!)).to.equal(10)
  })

  it('of a picture take a mask or the logits of an earlier prediction', async () => {
    const image = await readImage(join(data.path, 'image.png'))
    const [masked] = await prompted(image, { mask: join(data.path, 'mask.png') })
    expect([...masked!.prompt.mask!.subarray(0, 8)]).to.deep.equal([10, 10, 10, 10, -10, -10, -10, -10])
    const logits = Float32Array.from({ length: 64 }, (_, i) => i - 20)
    const file = join(data.path, 'logits.safetensors')
    await writeLogits(file, [logits], 8)
    expect((await prompted(image, { mask: file }))[0]!.prompt.mask).to.deep.equal(logits)
  })

  it('outside the image are refused, in the pixels that the user knows', async () => {
    const [picture, stack] = [await readImage(join(data.path, 'image.png')), await readImage(join(data.path, 'image.nii'))]
    const refused = async (image: Image, prompt: Prompt): Promise<string> =>
      await prompted(image, prompt).then(() => 'taken', (error: Error) => error.message)
    expect(await refused(picture, { points: [[32, 16, 1]], boxes: [[0, 0, 32, 16]] })).to.equal('taken')
    expect(await refused(picture, { points: [[5, 5, 1], [16, 17, 1]] })).to.equal(
      'the point 16,17 does not lie in the image, which is 32 pixels wide and 16 high: give it in pixels from the upper left corner'
    )
    expect(await refused(picture, { boxes: [[0, 0, 9999, 9999]] })).to.include('the box 0,0,9999,9999 does not lie')
    expect(await refused(stack, { points: [[-1, 2, 1]] })).to.include(
      'the point -1,2 does not lie in the image, which is 4 pixels wide and 4 high'
    )
  })

  it('that do not fit are refused in one sentence', async () => {
    const [picture, stack] = [await readImage(join(data.path, 'image.png')), await readImage(join(data.path, 'image.nii'))]
    const refused = async (image: Image, mask: string): Promise<string> => {
      const error = await prompted(image, { mask: join(data.path, mask) }).catch((thrown: unknown) => thrown)
      expect(error, mask).to.be.instanceOf(InputError)
      return (error as Error).message
    }
    await writeLogits(join(data.path, 'logits.safetensors'), [new Float32Array(64)], 8)
    expect(await refused(picture, 'wrong.png')).to.include('16×16 pixels, the image 32×16')
    expect(await refused(picture, 'mask.nii')).to.include('is not a picture')
    for (const name of ['gone', 'gone.png']) {
      expect(await refused(picture, name)).to.equal(`the mask ${join(data.path, name)} cannot be used: it does not exist`)
    }
    expect(await refused(stack, 'mask.png')).to.include('is not a volume')
    expect(await refused(stack, 'empty.nii')).to.include('no foreground')
    expect(await refused(stack, 'logits.safetensors')).to.include('shape [3, 8, 8]')
  })
})
