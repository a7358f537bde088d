import { join } from 'node:path'
import { loadDataset, type Slice } from '../../src/dataset/index.ts'
import { InputError } from '../../src/errors.ts'
import { withLabelling } from '../../src/experiment/annotator.ts'
import type { DataChoice, DataFolder, SiteData } from '../../src/experiment/data-source.ts'
import { fitScored } from '../../src/site-model/split.ts'
import { fitLabelled } from './fit-labelled.ts'
import { folderData } from './folder.ts'
import { fundusSites } from './phantoms/fundus.ts'
import { modalitySites, prostateSites, T2_LIKE } from './phantoms/prostate.ts'
import type { PhantomSite } from './phantoms/types.ts'

export const DATA_NAMES = ['fundus-phantom', 'prostate-phantom', 'prostate-modality', 'colin27'] as const
export type DataName = typeof DATA_NAMES[number]

const PHANTOMS: Readonly<Partial<Record<string, readonly PhantomSite[]>>> = {
  'fundus-phantom': fundusSites,
  'prostate-phantom': prostateSites,
  'prostate-modality': modalitySites
}
const COLIN_HOSPITALS = ['hospital-a', 'hospital-b', 'hospital-c', 'hospital-d']
/** Patients of the two splits never share a number. */
const VALIDATION_FROM = 50_000
/** Of training patients, by which a site chooses what it serves. */
const CHOICE_SHARE = 0.2

/** Drawn, with as many patients as are asked for. */
export function isPhantom (name: string): boolean {
  return PHANTOMS[name] != null
}

/** Whether two sites of a data set see alike; all of them where nothing else is said. */
export function areAlike (name: string, one: number, other: number): boolean {
  return name !== 'prostate-modality' || (one < T2_LIKE) === (other < T2_LIKE)
}

/** Number of sites in a data set. */
export function siteCount (name: string, folder?: DataFolder): number {
  return folder?.sites.length ?? PHANTOMS[name]?.length ?? COLIN_HOSPITALS.length
}

/** Draws or reads all sites; `samples` is the folder of the bundled sample. @throws InputError when it is missing, or the name unknown. */
export async function loadSites (choice: DataChoice, side: number, samples = join(process.cwd(), 'samples')): Promise<SiteData[]> {
  if (choice.folder != null) return await folderData(choice.folder, choice, side)
  const phantoms = PHANTOMS[choice.name]
  if (phantoms != null) return await Promise.all(phantoms.map(async (site, index) => await phantomData(site, { ...choice, index }, side)))
  if (choice.name !== 'colin27') throw new InputError(`there is no data set ${choice.name}: choose from ${DATA_NAMES.join(', ')}`)
  return await Promise.all(COLIN_HOSPITALS.map(async (name, site) => {
    const { slices } = await loadDataset(join(samples, 'colin27', name))
    const split = await fitLabelled(slices, side, { ...choice, site })
    if (split.train.length === 0 || split.validation.length === 0) {
      throw new InputError(`${join(samples, 'colin27', name)} holds too few slices`)
    }
    return { name, ...split }
  }))
}

async function phantomData (site: PhantomSite, choice: DataChoice & { readonly index: number }, side: number): Promise<SiteData> {
  const { train, validation, seed, labelling, index: place } = choice
  const slices = (first: number, count: number): Slice[] =>
    Array.from({ length: count }, (_, index) => toSlice(site, seed, first + index, side))
  const drawn = slices(0, train)
  const images = await fitScored(labelling == null ? drawn : withLabelling(drawn, labelling, { site: place, seed }), side)
  const masked = images.filter(({ kind }) => kind == null)
  const held = masked.slice(0, Math.max(1, Math.round(CHOICE_SHARE * masked.length)))
  return {
    name: site.name,
    train: images,
    validation: await fitScored(slices(VALIDATION_FROM, validation), side),
    ...(labelling == null ? {} : { hidden: new Map((await fitScored(drawn, side)).map((each) => [each.id, each])) }),
    choice: { train: images.filter((each) => !held.includes(each)), held }
  }
}

function toSlice (site: PhantomSite, seed: number, patient: number, side: number): Slice {
  const { image, mask, channels } = site.draw(seed, patient, side)
  const id = `${site.name}-${patient}`
  return { id, subject: id, index: 0, height: side, width: side, channels, image, mask }
}
