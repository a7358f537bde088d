import sharp from 'sharp'
import { outlinePixels } from '../../../src/dataset/index.ts'
import type { SiteData } from '../../../src/experiment/data-source.ts'
import { methodOf } from '../../../src/experiment/jobs.ts'
import { unpackBits } from '../../../src/experiment/masks.ts'
import { openBase, type RunRecord } from '../../../src/experiment/run-job.ts'
import { conditionName } from '../labels.ts'
import { loadSites } from '../sites.ts'

/** One site's validation image under the outlines of several methods, as data URIs. */
export interface Strip {
  readonly site: string
  readonly width: number
  readonly height: number
  readonly image: string
  readonly panels: readonly { readonly label: string, readonly outline: string }[]
}

const SHOWN = ['frozen', 'local', 'fedavg-lora', 'pfedsam-gossip']
/** Where training images lack masks: what is marked alone, and systems in the order of the rows. */
const MOST_SHOWN = 4
const TRUTH = [255, 193, 7] as const
const PREDICTED = [64, 224, 160] as const
const SCALE = 2

/**
 * Strips of one data set and labelling, from the runs of its first seed; the images are drawn anew. Those of a folder are not ours to
 * show.
 */
export async function drawStrips (condition: string, records: readonly RunRecord[]): Promise<Strip[]> {
  const whole = records.filter(({ job }) => conditionName(job) === condition && job.leftOut == null)
  const runs = shownOf(whole).flatMap((name) => whole.find(({ job }) => job.method === name) ?? [])
  const first = runs[0]
  if (first == null || first.job.folder != null) return []
  const { job } = first
  const { config } = await openBase()
  const sites = await loadSites({ name: job.data, train: 1, validation: job.validation, seed: job.seed }, config.imageSize)
  const same = runs.filter((run) => run.job.seed === job.seed)
  return await Promise.all(sites.map(async (site, index) => await drawStrip(site, index, same)))
}

function shownOf (whole: readonly RunRecord[]): readonly string[] {
  if (whole[0]?.job.labelling == null) return SHOWN
  const names = new Set(whole.map(({ job }) => methodOf(job)).filter(({ ablation }) => ablation !== true).map(({ name }) => name))
  return [...names].slice(0, MOST_SHOWN)
}

async function drawStrip ({ name, validation }: SiteData, index: number, runs: readonly RunRecord[]): Promise<Strip> {
  const sample = validation[runs[0]!.sites[index]!.example.index]!
  const { height, width, channels, fittedHeight, fittedWidth } = sample
  const image = await sharp(sample.image, { raw: { height: fittedHeight, width: fittedWidth, channels } })
    .resize(SCALE * width, SCALE * height, { fit: 'fill', kernel: 'cubic' }).jpeg({ quality: 80 }).toBuffer()
  const outline = async (mask: Uint8Array, colour: readonly [number, number, number]): Promise<string> =>
    await outlineUri(mask, { height, width }, colour)
  return {
    site: name,
    width,
    height,
    image: `data:image/jpeg;base64,${image.toString('base64')}`,
    panels: [
      { label: 'truth', outline: await outline(sample.truth, TRUTH) },
      ...await Promise.all(runs.map(async ({ job, sites }) => {
        const { mask, dice } = sites[index]!.example
        return {
          label: `${methodOf(job).title}, ${(100 * dice).toFixed(1)}`,
          outline: await outline(unpackBits(mask, height * width), PREDICTED)
        }
      }))
    ]
  }
}

async function outlineUri (
  mask: Uint8Array,
  { height, width }: { height: number, width: number },
  colour: readonly [number, number, number]
): Promise<string> {
  const size = { width: SCALE * width, height: SCALE * height }
  const large = Uint8Array.from(
    { length: size.width * size.height },
    (_, i) => mask[Math.floor(Math.floor(i / size.width) / SCALE) * width + Math.floor(i % size.width / SCALE)]! > 0 ? 1 : 0
  )
  const png = await sharp(outlinePixels(large, size, colour), { raw: { ...size, channels: 4 } }).png({ palette: true, compressionLevel: 9 })
    .toBuffer()
  return `data:image/png;base64,${png.toString('base64')}`
}
