/** Child process: what the three models of a home draw on its validation images in `data`: the worst one, and a typical one. */
import { mean } from '../../../src/common/mean.ts'
import { isForeground, loadDataset, type Slice } from '../../../src/dataset/index.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import { diceScore, hausdorff95 } from '../../../src/model/scores/overlap.ts'
import type { Mode } from '../../../src/settings/model.ts'
import { openSiteModel } from '../../../src/site-model/site-model.ts'
import { readSides } from '../../../src/site-model/sides.ts'
import { fitScored, splitOf } from '../../../src/site-model/split.ts'
import type { PictureData, ShotData } from './pictures.ts'

const [home = '', data = ''] = process.argv.slice(2)

const site = await openSiteModel(home)
const dataset = await loadDataset(data, site.reading)
const { seed } = site.federation.document.training
const { validation } = splitOf(dataset.slices, { seed, ...await readSides(sitePaths(home).privateStore) })
const samples = await fitScored(validation, site.learner.inputSize)

interface Drawn { readonly mask: Uint8Array, readonly dice: number, readonly hd95: number }

const drawn: Record<Mode, Drawn[]> = { frozen: await draw('frozen'), global: await draw('global'), personal: await draw('personal') }
const worst = drawn.personal.reduce((least, each, index) => each.dice < drawn.personal[least]!.dice ? index : least, 0)
const pictures: PictureData = {
  hd95: { frozen: meanDistance('frozen'), global: meanDistance('global'), personal: meanDistance('personal') },
  worst: picture(worst),
  typical: picture(medianByArea(validation))
}
await site.close()
process.stdout.write(JSON.stringify(pictures))

/** Of all classes together: a pixel counts where any is marked. */
async function draw (mode: Mode): Promise<Drawn[]> {
  const masks = await site.learner.predict({ adapter: site.adapter, samples, mode })
  return masks.map((mask, index) => {
    const { mask: labels, height, width } = validation[index]!
    const truth = labels.map((label) => isForeground(label) ? label : 0)
    return { mask: mask.map((label) => label > 0 ? 1 : 0), dice: diceScore(mask, truth), hd95: hausdorff95(mask, truth, height, width) }
  })
}

/** Over the images for which there is a distance; null where there is none. */
function meanDistance (mode: Mode): number | null {
  const known = drawn[mode].map(({ hd95 }) => hd95).filter(Number.isFinite)
  return known.length === 0 ? null : mean(known)
}

function picture (index: number): ShotData {
  const { height, width, channels, image, mask } = validation[index]!
  const of = (mode: Mode): ShotData['frozen'] => {
    const { mask: result, dice, hd95 } = drawn[mode][index]!
    return { mask: base64(result), dice, hd95: Number.isFinite(hd95) ? hd95 : null }
  }
  return {
    height,
    width,
    channels,
    image: base64(image),
    truth: base64(mask.map((label) => isForeground(label) ? 1 : 0)),
    frozen: of('frozen'),
    global: of('global'),
    personal: of('personal')
  }
}

/** The slice whose foreground is of median size: chosen without looking at any result. */
function medianByArea (slices: readonly Slice[]): number {
  const sized = slices.map((each, index) => ({ index, area: each.mask.reduce((sum, label) => sum + (isForeground(label) ? 1 : 0), 0) }))
  return sized.sort((a, b) => a.area - b.area)[Math.floor(sized.length / 2)]!.index
}

function base64 (bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
