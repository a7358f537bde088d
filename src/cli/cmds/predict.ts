import { readFile } from 'node:fs/promises'
import { Presets, SingleBar } from 'cli-progress'
import { isPacs } from '../../dicomweb/address.ts'
import { readSeriesOfPacs } from '../../dicomweb/open-pacs.ts'
import { UsageError } from '../../errors.ts'
import { parseRound } from '../../home/round-adapter.ts'
import type { BoxPrompt, PointPrompt } from '../../model/predict/prompts.ts'
import type { Mode } from '../../settings/model.ts'
import { engine } from '../../settings/site/compute.ts'
import type { FolderPrediction } from '../../site-model/predict/folder.ts'
import type { Prediction, PredictRequest } from '../../site-model/predict/predictor.ts'
import { command, withFlags, type Args } from '../flags.ts'
import { interruptible } from '../interruptible.ts'
import { EXPERTS_OF_NOW, homeFlag, jsonFlag, print, roundFlag, warn } from '../output.ts'
import { flagsOf, settingsIn } from '../setting-flags.ts'

const flags = {
  ...homeFlag,
  ...jsonFlag,
  ...roundFlag,
  ...flagsOf(engine),
  image: {
    type: 'string',
    describe: 'picture or volume (docs/data.md lists the formats), the file of channel 0 (NAME_0000) of several, or a folder of them'
  },
  dicom: {
    type: 'string',
    describe: 'folder of a DICOM series, one of its files, or dicomweb+https://HOST/PATH/studies/UID[/series/UID], instead of --image',
    conflicts: 'image'
  },
  store: { type: 'boolean', describe: 'store --out, a DICOM SEG, in the PACS that --dicom names, with its study', default: false },
  out: {
    type: 'string',
    describe: 'mask to write: .png, or .nii.gz for a volume, or .dcm (DICOM SEG) of --dicom; a folder if --image is one',
    demandOption: true
  },
  mode: { choices: ['personal', 'global', 'frozen'], describe: 'which model', default: 'personal' },
  box: { type: 'string', array: true, describe: 'prompt x0,y0,x1,y1 in pixels; several boxes: what any of them marks' },
  point: { type: 'string', array: true, describe: 'prompt x,y,label in pixels; label 1 is inside, 0 outside' },
  mask: { type: 'string', describe: 'prompt: a PNG or NIfTI mask of the same size, or what --logits wrote' },
  multimask: { type: 'boolean', describe: "SAM's three masks instead of one, each with its predicted IoU", default: false },
  slices: { type: 'string', describe: 'segment only slices FIRST-LAST of a volume, from 0' },
  logits: { type: 'string', describe: 'write the low-resolution logits here, as --mask of a later prediction (.safetensors)' },
  cache: {
    type: 'boolean',
    describe: 'keep image embeddings on disk for later prompts (--no-cache: neither read nor write them)',
    default: true
  }
} as const

export const predict = command({
  command: 'predict',
  describe: 'segment one image, a volume slice by slice, or a folder of them',
  builder: (argv) => withFlags(argv, flags),
  handler: async (args) => {
    const request = requestOf(args)
    const round = parseRound(args.round)
    if (round !== 'last' && args.mode === 'personal') warn(EXPERTS_OF_NOW)
    const { isFolder, predictFolder } = await import('../../site-model/predict/folder.ts')
    const { Predictor } = await import('../../site-model/predict/predictor.ts')
    const { checkEnding } = await import('../../site-model/predict/outputs.ts')
    const folder = request.dicom !== true && await isFolder(request.image)
    if (!folder) checkEnding(args.out, request.dicom === true)
    await interruptible('stopped: masks that were not finished were not written', async (signal) => {
      const series = isPacs(request.image) ? await readSeriesOfPacs(request.image, args.home, { signal }) : undefined
      const predictor = await Predictor.open({
        home: args.home,
        mode: args.mode,
        round,
        compute: settingsIn(engine, args),
        ...(args.cache ? {} : { embeddingCache: 0 })
      })
      try {
        const { json, mode } = args
        if (folder) {
          showFolder(
            json,
            mode,
            await withBar('images', async (onProgress) => await predictFolder(predictor, { ...request, signal, onProgress }))
          )
        } else {
          const image = series?.folder ?? request.image
          const found = await withBar('slices', async (onProgress) => await predictor.predict({ ...request, image, signal, onProgress }))
          if (args.store) await series?.store(await readFile(args.out))
          showOne(json, mode, found)
        }
      } finally {
        await predictor.close()
      }
    })
  }
})

function requestOf (args: Args<typeof flags>): PredictRequest {
  const { dicom, out, box, point, mask, multimask, slices, logits } = args
  return {
    image: imageOf(args),
    ...(dicom == null ? {} : { dicom: true }),
    out,
    multimask,
    prompt: {
      boxes: (box ?? []).map((each) => boxOf(each)),
      points: (point ?? []).map((each) => pointOf(each)),
      ...(mask == null ? {} : { mask })
    },
    ...(slices == null ? {} : { slices: rangeOf(slices) }),
    ...(logits == null ? {} : { logits })
  }
}

function imageOf ({ image, dicom, out, store }: Args<typeof flags>): string {
  const named = dicom ?? image
  if (named == null) throw new UsageError('name what to segment: --image FILE, or --dicom SERIES')
  if (dicom == null && isPacs(named)) throw new UsageError('a PACS holds DICOM series: name it with --dicom')
  if (store && !(isPacs(named) && /\.dcm$/i.test(out))) {
    throw new UsageError('--store is for a DICOM SEG (--out NAME.dcm) of a series of a PACS (--dicom dicomweb+https://…)')
  }
  return named
}

async function withBar<T> (unit: string, work: (onProgress: (done: number, total: number) => void) => Promise<T>): Promise<T> {
  const bar = new SingleBar(
    { format: `{bar} {value}/{total} ${unit}, {eta_formatted} left`, noTTYOutput: true, gracefulExit: false },
    Presets.shades_classic
  )
  try {
    return await work((done, total) => {
      if (total === 1) return
      if (!bar.isActive) bar.start(total, 0)
      bar.update(done)
    })
  } finally {
    bar.stop()
  }
}

function showOne (json: boolean, mode: Mode, prediction: Prediction): void {
  const { out, slices, foreground, iou, best, maps, legend = [], cacheProblem } = prediction
  const size = (count: number): string => `${count} foreground ${slices > 1 ? `voxels in ${slices} slices` : 'pixels'}`
  const expected = (value: number | null): string => value == null ? '' : `, predicted IoU ${value.toFixed(3)}`
  warnOfCache(cacheProblem)
  print(json, { mode, ...prediction }, () =>
    [
      `${out}: ${size(foreground)}${expected(iou)}`,
      ...legend.map((each) => `  ${each.values.join(', ')} ${each.name}: ${size(each.foreground)}`),
      ...(maps.length === 1
        ? []
        : maps.map((map) => `${map.file}: ${size(map.foreground)}${expected(map.iou)}${map.map === best ? ', best' : ''}`))
    ].join('\n'))
}

function showFolder (json: boolean, mode: Mode, { out, images, failed }: FolderPrediction): void {
  warnOfCache(images.findLast(({ cacheProblem }) => cacheProblem != null)?.cacheProblem)
  for (const { file, reason } of failed) warn(file.includes(reason) || reason.includes(file) ? reason : `${file}: ${reason}`)
  print(
    json,
    { mode, out, images, failed },
    `${out}: ${images.length} masks${failed.length === 0 ? '' : `, ${failed.length} files gave none`}`
  )
  if (failed.length > 0) process.exitCode = 1
}

function warnOfCache (problem: string | undefined): void {
  if (problem != null) warn(`embeddings are not kept on disk: ${problem}`)
}

function boxOf (text: string): BoxPrompt {
  const [x0, y0, x1, y1] = numbers('--box', text, 4) as [number, number, number, number]
  if (!(x0 <= x1 && y0 <= y1)) throw new UsageError(`--box ${text} must be x0,y0,x1,y1 with x0 ≤ x1 and y0 ≤ y1`)
  return [x0, y0, x1, y1]
}

function pointOf (text: string): PointPrompt {
  const [x, y, label] = numbers('--point', text, 3) as [number, number, number]
  if (label !== 0 && label !== 1) throw new UsageError(`--point ${text} must end with 1 (inside) or 0 (outside)`)
  return [x, y, label]
}

function rangeOf (text: string): [number, number] {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? []
  if (first == null || last == null) throw new UsageError(`--slices ${text} must be FIRST-LAST, for example 40-90`)
  return [Number(first), Number(last)]
}

function numbers (flag: string, text: string, count: number): number[] {
  const values = text.split(',').map(Number)
  if (values.length !== count || values.some((value) => !Number.isFinite(value))) {
    throw new UsageError(`${flag} ${text} must be ${count} numbers separated by commas`)
  }
  return values
}
