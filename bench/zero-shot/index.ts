/**
 * npm run bench:zero-shot -- --data FOLDER [--data FOLDER …] [--model litemedsam|sam-tiny] [--image-size 256] [--images 16] [--widen 5]
 * [--torch PYTHON] The frozen base on the largest object of each image, with a box around it: what it knows before any training. With
 * --torch PyTorch's LiteMedSAM is asked for the same objects.
 */
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { sayHelp } from '../../scripts/say-help.ts'
import { mean } from '../../src/common/mean.ts'
import { seededRandom, type Random } from '../../src/common/random.ts'
import { createEngine, type Engine } from '../../src/compute/index.ts'
import { fitSlice, loadDataset, type Slice } from '../../src/dataset/index.ts'
import { createLayout } from '../../src/model/parameters/layout.ts'
import { EmbeddingCache } from '../../src/model/predict/embedding-cache.ts'
import { Segmenter } from '../../src/model/predict/segmenter.ts'
import { withImageSize } from '../../src/model/sam/build-sam.ts'
import { prepareWeights } from '../../src/model/sam/weights.ts'
import { diceScore } from '../../src/model/scores/overlap.ts'
import { defaultModelSettings } from '../../src/settings/model.ts'
import { readBaseModel } from '../../src/site-model/base/base-model.ts'
import { bundledWeights } from '../../src/site-model/base/bundled-weights.ts'
import { filled, largestPiece, widened } from './objects.ts'
import { askTorch, type Asked } from './torch.ts'

interface Answer extends Asked { readonly dice: { readonly box: number, readonly fill: number, readonly bestMap: number } }

const TORCH_MODEL = 'litemedsam'
const TORCH_SIDE = 256

async function openSegmenter (engine: Engine, name: string, side: number): Promise<Segmenter> {
  const base = await readBaseModel(name, await bundledWeights(name))
  const config = withImageSize(base.config, side)
  return new Segmenter({
    engine,
    config,
    pixels: defaultModelSettings(config).pixels,
    context: {
      config,
      options: { loraScale: 1, topK: 1, gate: 'token' },
      adapter: createLayout([]),
      experts: createLayout([]),
      firstExpert: Infinity,
      firstAdapted: config.depth,
      clipNorm: 1
    },
    weights: prepareWeights(base.weights, base.config, config),
    adapted: {},
    identity: name,
    cache: new EmbeddingCache({ memoryBytes: 2 ** 24 })
  })
}

async function answer (segmenter: Segmenter, slice: Slice, side: number, [most, random]: [number, Random]): Promise<Answer | undefined> {
  const { height, width, mask } = slice
  const piece = largestPiece(mask, width)
  if (piece == null) return undefined
  const box = widened(piece.box, most, random, width, height)
  const fitted = await fitSlice(slice, side)
  const [single] = await segmenter.segment(fitted, { boxes: [box] })
  const others = await segmenter.segment(fitted, { boxes: [box] }, { multimask: true })
  const dice = (found: Uint8Array): number => diceScore(found, piece.mask)
  return {
    slice,
    mask: piece.mask,
    box,
    dice: { box: dice(single!.mask), fill: dice(filled(box, width, height)), bestMap: Math.max(...others.map((map) => dice(map.mask))) }
  }
}

/** So many slices, evenly over all that show something. */
function chosen (slices: readonly Slice[], most: number): Slice[] {
  const marked = slices.filter(({ mask }) => mask.some((label) => label > 0))
  const count = Math.min(most, marked.length)
  return Array.from({ length: count }, (_, i) => marked[Math.floor(i * marked.length / count)]!)
}

const USAGE = `npm run bench:zero-shot -- --data FOLDER [--data FOLDER …] [--model litemedsam] [--image-size 256] [--images 16]
  [--widen 5] [--torch PYTHON]
The frozen base on the largest object of each image, with a box around it that is up to so many pixels too wide at each side; --torch:
beside PyTorch's, on the same objects.
`

interface Options {
  readonly data: readonly string[]
  readonly model: string
  readonly side: number
  readonly images: number
  readonly widen: number
  readonly torch: string | undefined
}

function parseOptions (): Options {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', multiple: true, default: [] },
      model: { type: 'string', default: TORCH_MODEL },
      'image-size': { type: 'string', default: String(TORCH_SIDE) },
      images: { type: 'string', default: '16' },
      widen: { type: 'string', default: '5' },
      torch: { type: 'string' }
    }
  })
  const { data, model, torch } = values
  const side = Number(values['image-size'])
  if (data.length === 0) throw new Error('say which data: --data FOLDER')
  if (torch != null && (model !== TORCH_MODEL || side !== TORCH_SIDE)) {
    throw new Error(`--torch knows ${TORCH_MODEL} at ${TORCH_SIDE} pixels alone: leave --model and --image-size out`)
  }
  return { data, model, side, images: Number(values.images), widen: Number(values.widen), torch }
}

async function answersOf (segmenter: Segmenter, folder: string, { side, images, widen }: Options): Promise<Answer[]> {
  const { slices } = await loadDataset(folder)
  const answers: Answer[] = []
  for (const [i, slice] of chosen(slices, images).entries()) {
    const found = await answer(segmenter, slice, side, [widen, seededRandom(1, i)])
    if (found != null) answers.push(found)
  }
  return answers
}

/** Mean Dice of PyTorch, and the largest difference of one object. */
async function besideTorch (python: string, model: string, answers: readonly Answer[]): Promise<string[]> {
  const theirs = await askTorch(python, await bundledWeights(model), answers)
  const apart = answers.map(({ dice }, i) => Math.abs(dice.box - theirs[i]!))
  return [mean(theirs).toFixed(3), Math.max(...apart).toFixed(3)]
}

async function main (): Promise<void> {
  sayHelp(USAGE)
  const options = parseOptions()
  const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1 })
  const segmenter = await openSegmenter(engine, options.model, options.side)
  const head = ['data', 'objects', 'box', 'best of maps 1-3', 'filled box', ...options.torch == null ? [] : ['PyTorch', 'most apart']]
  const table = new Table({ head, style: { head: [], border: [] } })
  for (const folder of options.data) {
    const answers = await answersOf(segmenter, folder, options)
    const of = (key: keyof Answer['dice']): string => mean(answers.map(({ dice }) => dice[key])).toFixed(3)
    const torch = options.torch == null ? [] : await besideTorch(options.torch, options.model, answers)
    table.push([basename(folder), answers.length, of('box'), of('bestMap'), of('fill'), ...torch])
    process.stderr.write(`${basename(folder)}: ${of('box')} of ${answers.length}\n`)
  }
  console.log(table.toString())
  await segmenter.dispose()
  await engine.dispose()
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
})
