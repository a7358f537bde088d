/**
 * npm run bench:zero-shot -- --data FOLDER [--data FOLDER …] [--model litemedsam|sam-tiny] [--image-size 256] [--images 16] [--widen 5]
 * The frozen base on the largest object of each image, with a box around it: what it knows before any training.
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

interface Answer { readonly box: number, readonly fill: number, readonly bestMap: number }

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
  return { box: dice(single!.mask), fill: dice(filled(box, width, height)), bestMap: Math.max(...others.map((map) => dice(map.mask))) }
}

/** So many slices, evenly over all that show something. */
function chosen (slices: readonly Slice[], most: number): Slice[] {
  const marked = slices.filter(({ mask }) => mask.some((label) => label > 0))
  const count = Math.min(most, marked.length)
  return Array.from({ length: count }, (_, i) => marked[Math.floor(i * marked.length / count)]!)
}

async function main (): Promise<void> {
  sayHelp(`npm run bench:zero-shot -- --data FOLDER [--data FOLDER …] [--model litemedsam] [--image-size 256] [--images 16] [--widen 5]
The frozen base on the largest object of each image, with a box around it that is up to so many pixels too wide at each side.
`)
  const { values } = parseArgs({
    options: {
      data: { type: 'string', multiple: true, default: [] },
      model: { type: 'string', default: 'litemedsam' },
      'image-size': { type: 'string', default: '256' },
      images: { type: 'string', default: '16' },
      widen: { type: 'string', default: '5' }
    }
  })
  if (values.data.length === 0) throw new Error('say which data: --data FOLDER')
  const engine = await createEngine({ name: 'onnx', provider: 'cpu', threads: 1 })
  const side = Number(values['image-size'])
  const segmenter = await openSegmenter(engine, values.model, side)
  const table = new Table({ head: ['data', 'objects', 'box', 'best of maps 1-3', 'filled box'], style: { head: [], border: [] } })
  for (const folder of values.data) {
    const { slices } = await loadDataset(folder)
    const answers: Answer[] = []
    for (const [i, slice] of chosen(slices, Number(values.images)).entries()) {
      const found = await answer(segmenter, slice, side, [Number(values.widen), seededRandom(1, i)])
      if (found != null) answers.push(found)
    }
    const of = (key: keyof Answer): string => mean(answers.map((each) => each[key])).toFixed(3)
    table.push([basename(folder), answers.length, of('box'), of('bestMap'), of('fill')])
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
