/** Child process: what the frozen and the personalised model of a home draw on one validation image of `data`. */
import { isForeground, loadDataset, type Slice } from '../../../src/dataset/index.ts'
import { sitePaths } from '../../../src/home/paths.ts'
import type { Mode } from '../../../src/settings/model.ts'
import { openSiteModel } from '../../../src/site-model/site-model.ts'
import { readSides } from '../../../src/site-model/sides.ts'
import { fitScored, splitOf } from '../../../src/site-model/split.ts'
import type { PictureData } from './pictures.ts'

const [home = '', data = ''] = process.argv.slice(2)

const site = await openSiteModel(home)
const dataset = await loadDataset(data, site.reading)
const { seed } = site.federation.document.training
const { validation } = splitOf(dataset.slices, { seed, ...await readSides(sitePaths(home).privateStore) })
const slice = medianByArea(validation)
const samples = await fitScored([slice], site.learner.inputSize)
const draw = async (mode: Mode): Promise<{ mask: string, dice: number }> => {
  const [mask] = await site.learner.predict({ adapter: site.adapter, samples, mode })
  const { dice } = await site.learner.evaluate({ adapter: site.adapter, samples, mode })
  return { mask: base64(mask!), dice }
}
const picture: PictureData = {
  height: slice.height,
  width: slice.width,
  channels: slice.channels,
  image: base64(slice.image),
  truth: base64(slice.mask.map((label) => isForeground(label) ? label : 0)),
  frozen: await draw('frozen'),
  personal: await draw('personal')
}
await site.close()
process.stdout.write(JSON.stringify(picture))

/** The slice whose foreground is of median size: chosen without looking at any result. */
function medianByArea (slices: readonly Slice[]): Slice {
  const sized = slices.map((each) => ({ each, area: each.mask.reduce((sum, label) => sum + (isForeground(label) ? 1 : 0), 0) }))
  return sized.sort((a, b) => a.area - b.area)[Math.floor(sized.length / 2)]!.each
}

function base64 (bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
