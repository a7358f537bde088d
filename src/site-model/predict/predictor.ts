import { join } from 'node:path'
import { mean } from '../../common/mean.ts'
import { SOFTWARE } from '../../common/software.ts'
import {
  EVERYTHING,
  filesRead,
  findSeries,
  legendOf,
  readDicomImage,
  readImage,
  toValues,
  type LabelMap,
  type LegendEntry
} from '../../dataset/index.ts'
import { InputError } from '../../errors.ts'
import { sitePaths } from '../../home/paths.ts'
import type { WhichRound } from '../../home/round-adapter.ts'
import { EmbeddingCache } from '../../model/predict/embedding-cache.ts'
import type { MaskMap, Segmenter } from '../../model/predict/segmenter.ts'
import type { Mode } from '../../settings/model.ts'
import type { ComputeSettings } from '../../settings/site/compute.ts'
import { openSiteModel, type SiteModel } from '../site-model.ts'
import { DiskEmbeddings } from './disk-embeddings.ts'
import {
  bestMap,
  checkEnding,
  checkOutput,
  requireNoOverwrite,
  writeMaps,
  type MapStack,
  type SegOutput,
  type WrittenMap
} from './outputs.ts'
import { promptedSlices, type Image, type Prompt } from './prompt.ts'

/** Which home, which of its models, and what computes it. */
export interface PredictorInit {
  readonly home: string
  readonly mode?: Mode
  /** Whose global adapter: the last, that of the best round, or that of one round; the experts are the last ones always. */
  readonly round?: WhichRound
  /** MiB of embeddings kept on disk in the site's private folder, 0 for none; by default what the site's settings say. */
  readonly embeddingCache?: number
  /** What shall differ from the site's own settings. */
  readonly compute?: Partial<ComputeSettings>
}

/** One image, and what the user points at. */
export interface SegmentRequest {
  /** A picture or volume in a format of docs/data.md; of a case of several files the one of channel 0. */
  readonly image: string
  /** Whether `image` is the folder of a DICOM series, or one of its files. */
  readonly dicom?: boolean
  readonly prompt?: Prompt
  /** SAM's maps 1 to 3 instead of map 0. */
  readonly multimask?: boolean
  /** First and last slice of a volume to segment, from 0; the others are background. */
  readonly slices?: readonly [number, number]
  readonly onProgress?: (done: number, total: number) => void
  /** Checked before every slice and before anything is written. */
  readonly signal?: AbortSignal | undefined
}

/** One image, and where its mask is written. */
export interface PredictRequest extends SegmentRequest {
  /** Mask to write: .png, or .nii or .nii.gz for a volume; .dcm, a DICOM SEG, for a DICOM series. */
  readonly out: string
  /** Where the low-resolution logits go, for a later mask prompt. */
  readonly logits?: string | undefined
}

/** Masks of one image, in memory. */
export interface Segmented {
  readonly image: Image
  /** One, or three with `multimask`. */
  readonly maps: readonly MapStack[]
  /** Number of the map with the highest predicted IoU. */
  readonly best: number
}

/** What was written. */
export interface Prediction {
  readonly out: string
  readonly slices: number
  readonly round: number
  /** Of the best map. */
  readonly foreground: number
  readonly iou: number | null
  readonly best: number
  readonly maps: readonly WrittenMap[]
  /** What the values in the mask mean, where the federation names its classes. */
  readonly legend?: readonly LegendEntry[]
  /** Slices that went through the image encoder, and slices whose embedding was there already. */
  readonly encoded: number
  readonly reused: number
  /** Why embeddings could not be kept on disk, if so. */
  readonly cacheProblem?: string
}

/** The files of a DICOM series. */
export type Series = Awaited<ReturnType<typeof findSeries>>

const MEMORY_BYTES = 256 * 2 ** 20
/** What a slice that is not segmented gets as logits: surely background. */
const BACKGROUND = -10

/** A site's model, opened once for any number of images and prompts. */
export class Predictor {
  readonly #site: SiteModel
  readonly #segmenter: Segmenter
  readonly #disk: DiskEmbeddings | undefined
  readonly #mode: Mode

  private constructor (site: SiteModel, segmenter: Segmenter, disk: DiskEmbeddings | undefined, mode: Mode) {
    this.#mode = mode
    this.#site = site
    this.#segmenter = segmenter
    this.#disk = disk
  }

  /** @throws InputError when the home holds no federation, or lacks its base model. */
  static async open ({ home, mode = 'personal', round, embeddingCache, compute }: PredictorInit): Promise<Predictor> {
    const site = await openSiteModel(home, compute, round)
    const mebibytes = embeddingCache ?? site.config.embeddingCache
    const disk = mebibytes > 0
      ? new DiskEmbeddings({ folder: join(sitePaths(home).privateStore, 'embeddings'), maxBytes: mebibytes * 2 ** 20 })
      : undefined
    const cache = new EmbeddingCache({ memoryBytes: MEMORY_BYTES, store: disk })
    return new Predictor(site, site.learner.segmenter({ adapter: site.adapter, mode, cache }), disk, mode)
  }

  /** Which channels of an image are read, where the federation says it. */
  get channels (): readonly number[] | undefined {
    return this.#site.reading.channels
  }

  /** The federation's classes; undefined: everything above 0 is one. */
  get labels (): LabelMap | undefined {
    return this.#site.labels
  }

  /** Masks of one image, or of a volume slice by slice. @throws InputError for an image or prompt that cannot be used */
  async segment (request: SegmentRequest): Promise<Segmented> {
    return await this.segmentOpened(await this.open(request.image, await seriesOf(request)), request)
  }

  /** An image to be segmented several times; of a DICOM series, with its files. @throws InputError for one that cannot be used */
  async open (file: string, series?: Series): Promise<Image> {
    return series == null ? await readImage(file, this.#site.reading) : await readDicomImage(file, series, this.#site.reading)
  }

  /** Masks as a DICOM SEG of the series of an image that was opened. @throws InputError where it cannot be written */
  async writeSeg (out: string, { image, maps }: Segmented, series: Series, prompt?: Prompt): Promise<void> {
    await writeMaps(out, image, maps, { lowRes: this.#segmenter.lowRes, exact: true, seg: this.#segOutput(series, prompt) })
  }

  /** The same, written in the image's geometry; files appear whole or not at all. */
  async predict ({ out, logits, ...request }: PredictRequest): Promise<Prediction> {
    checkEnding(out, request.dicom === true)
    if (this.#segmenter.hasClasses && logits != null) {
      throw new InputError('this federation has several classes, and logits of one mask would be none of them: leave --logits out')
    }
    const series = await seriesOf(request)
    const images = series == null ? await filesRead(request.image, this.channels) : series.frames.map(({ file }) => file)
    await requireNoOverwrite({ ...request, images, out, logits, mask: request.prompt?.mask })
    const { labels } = this.#site
    const before = this.#segmenter.counts
    const image = await this.open(request.image, series)
    checkOutput(out, image, request.image)
    const { maps } = await this.segmentOpened(image, request)
    request.signal?.throwIfAborted()
    const { best, written } = await writeMaps(out, image, maps, {
      logits,
      lowRes: this.#segmenter.lowRes,
      exact: labels != null,
      seg: series == null ? undefined : this.#segOutput(series, request.prompt)
    })
    const { foreground, iou } = written.find(({ map }) => map === best)!
    const { encoded, reused } = this.#segmenter.counts
    const problem = this.#disk?.problem
    return {
      out,
      slices: image.slices.length,
      round: this.#site.round,
      foreground,
      iou,
      best,
      maps: written,
      ...(labels == null ? {} : { legend: legendOf(maps.find(({ map }) => map === best)!.masks, labels) }),
      encoded: encoded - before.encoded,
      reused: reused - before.reused,
      ...(problem == null ? {} : { cacheProblem: problem })
    }
  }

  async close (): Promise<void> {
    await this.#segmenter.dispose()
    await this.#site.close()
  }

  #segOutput (series: Series, prompt: Prompt = {}): SegOutput {
    const { adapter, round, labels = EVERYTHING } = this.#site
    const classes = labels.names.map((name, c) => ({
      name,
      values: labels.values.filter((_, code) => labels.members[c]![code] === 1),
      code: labels.labelCodes?.[c]
    }))
    return {
      stack: series,
      classes,
      algorithm: {
        name: 'Consilium',
        version: SOFTWARE,
        parameters: `adapter sha256 ${adapter.digest()}, round ${round}, ${this.#mode} model`,
        prompted: [prompt.points, prompt.boxes].some((given = []) => given.length > 0) || prompt.mask != null
      }
    }
  }

  /** The same of an image that was opened. @throws InputError for a prompt that cannot be used */
  async segmentOpened (
    image: Image,
    { image: file, prompt = {}, multimask = false, slices, onProgress, signal }: SegmentRequest
  ): Promise<Segmented> {
    checkRange(image, file, slices)
    if (multimask && this.#segmenter.hasClasses) {
      throw new InputError("this federation has several classes, for which SAM's three maps stand: leave --multimask out")
    }
    const { lowRes } = this.#segmenter
    const prepare = await promptedSlices(image, prompt, slices, { side: this.#site.learner.inputSize, lowRes })
    const answers: (readonly MaskMap[] | undefined)[] = []
    for (let index = 0; index < image.slices.length; index++) {
      signal?.throwIfAborted()
      const prepared = await prepare(index)
      answers.push(prepared == null ? undefined : await this.#segmenter.segment(prepared.fitted, prepared.prompt, { multimask }))
      onProgress?.(index + 1, image.slices.length)
    }
    const maps = stack(answers, image, multimask, lowRes).map((map) => inValues(map, this.#site.labels))
    return { image, maps, best: bestMap(maps).map }
  }
}

async function seriesOf ({ image, dicom = false }: Pick<SegmentRequest, 'image' | 'dicom'>): Promise<Series | undefined> {
  return dicom ? await findSeries(image) : undefined
}

function checkRange (image: Image, file: string, range: SegmentRequest['slices']): void {
  if (range == null) return
  if (image.kind === 'picture') throw new InputError(`${file} is one picture: --slices is for volumes`)
  const [first, last] = range
  if (!(first >= 0 && first <= last && last < image.slices.length)) {
    throw new InputError(`${file} has the slices 0 to ${image.slices.length - 1}: --slices ${first}-${last} is not among them`)
  }
}

/** One stack per map out of the answers for the slices; what was left out is background. */
function stack (answers: readonly (readonly MaskMap[] | undefined)[], image: Image, multimask: boolean, lowRes: number): MapStack[] {
  const { height, width } = image.slices[0]!
  const [nothing, surely] = [new Uint8Array(height * width), new Float32Array(lowRes ** 2).fill(BACKGROUND)]
  return (multimask ? [1, 2, 3] : [0]).map((map, i) => {
    const given = answers.flatMap((answer) => answer?.[i] ?? [])
    return {
      map,
      iou: mean(given.map(({ iou }) => iou)),
      masks: answers.map((answer) => answer?.[i]?.mask ?? nothing),
      logits: answers.map((answer) => answer?.[i]?.logits ?? surely)
    }
  })
}

/** Codes become the federation's values. */
function inValues (map: MapStack, labels: LabelMap | undefined): MapStack {
  if (labels == null) return map
  const values = new Map([...new Set(map.masks)].map((mask) => [mask, toValues(mask, labels)]))
  return { ...map, masks: map.masks.map((mask) => values.get(mask)!) }
}
