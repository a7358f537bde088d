import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { InputError } from '../../../../src/errors.ts'
import { predictFolder } from '../../../../src/site-model/predict/folder.ts'
import type { Prediction, PredictRequest } from '../../../../src/site-model/predict/predictor.ts'
import { folderOf } from '../../dataset/fixtures.ts'

describe('predicting a folder', () => {
  let data: Awaited<ReturnType<typeof folderOf>>
  let asked: PredictRequest[]
  before(async () => {
    data = await folderOf({
      'in/a.png': 'x',
      'in/a.jpg': 'x',
      'in/b.nii': 'x',
      'in/c.tif': 'x',
      'in/notes.txt': 'x',
      'in/deeper/d.png': 'x',
      'stacks/s.tif': await readFile(join(import.meta.dirname, '../../../fixtures/pictures/stack.tif')),
      'masks/a.png': 'x',
      'masks/b.nii.gz': 'x',
      'empty/.keep': ''
    })
  })
  after(async () => {
    await data.clear()
  })
  beforeEach(() => {
    asked = []
  })

  const predictor = (fails?: string) => ({
    predict: async (request: PredictRequest): Promise<Prediction> => {
      asked.push(request)
      if (fails != null && request.image.includes(fails)) throw new InputError(`${request.image} is bad`)
      return { out: request.out } as Prediction
    }
  })
  const at = (name: string): string => join(data.path, name)

  it('goes on after a bad file and names what gave no mask', async () => {
    const seen: number[] = []
    const { images, failed } = await predictFolder(predictor('b.nii'), {
      image: at('in'),
      out: at('out'),
      onProgress: (done) => {
        seen.push(done)
      }
    })
    expect(images.map(({ out }) => out)).to.deep.equal([at('out/a.png'), at('out/c.png')])
    expect(failed.map(({ file }) => file)).to.deep.equal([at('in/a.png'), at('in/notes.txt'), at('in/b.nii')])
    expect(failed[2]!.reason).to.equal(`${at('in/b.nii')} is bad`)
    expect(seen).to.deep.equal([1, 2, 3])
    expect(await readdir(at('out'))).to.deep.equal([])
  })

  it('gives volumes NIfTI and every image its own mask and logits', async () => {
    const { failed } = await predictFolder(predictor(), {
      image: at('in'),
      out: at('out'),
      prompt: { mask: at('masks') },
      logits: at('logits')
    })
    expect(asked.map(({ out, prompt, logits }) => [out, prompt?.mask, logits])).to.deep.equal([
      [at('out/a.png'), at('masks/a.png'), at('logits/a.safetensors')],
      [at('out/b.nii.gz'), at('masks/b.nii.gz'), at('logits/b.safetensors')]
    ])
    expect(failed.at(-1)!.reason).to.include('no mask of the same name')
  })

  it('gives a picture file of several pages NIfTI, since it is a volume', async () => {
    await predictFolder(predictor(), { image: at('stacks'), out: at('out') })
    expect(asked.map(({ out }) => out)).to.deep.equal([at('out/s.nii.gz')])
  })

  it('never writes into the folder that it reads, whatever name that has', async () => {
    for (const out of [at('in'), join(at('masks'), '..', 'in')]) {
      expect(await predictFolder(predictor(), { image: at('in'), out }).catch((error: Error) => error.message)).to.match(
        /is the folder of the images, and masks would replace them: choose another$/
      )
    }
    expect(asked).to.deep.equal([])
  })

  it('stops when told to, and passes on what is no fault of a file', async () => {
    const signal = AbortSignal.abort(new InputError('stopped'))
    expect(await predictFolder(predictor(), { image: at('in'), out: at('out'), signal }).catch((error: Error) => error.message)).to.equal(
      'stopped'
    )
    const broken = {
      predict: async () => {
        throw new RangeError('a bug')
      }
    }
    expect(await predictFolder(broken, { image: at('in'), out: at('out') }).catch((error: Error) => error.message)).to.equal('a bug')
    expect(await predictFolder(predictor(), { image: at('empty'), out: at('out') }).catch((error: Error) => error.message)).to.include(
      'holds no images'
    )
  })
})
