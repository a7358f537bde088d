import { join } from 'node:path'
import { loadDataset, type Slice } from '../../src/dataset/index.ts'
import { InputError } from '../../src/errors.ts'
import { withLabelling } from '../../src/experiment/annotator.ts'
import { withNoise } from '../../src/experiment/label-noise.ts'
import type { DataChoice, DataFolder, SiteData } from '../../src/experiment/data-source.ts'
import { fitScored } from '../../src/site-model/split.ts'
import { fitLabelled } from './fit-labelled.ts'
import { folderData } from './folder.ts'
import { fundusSites } from './phantoms/fundus.ts'
import { conflictSites, modalitySites, outlinesCore, prostateSites, T2_LIKE } from './phantoms/prostate.ts'
import type { PhantomSite } from './phantoms/types.ts'

export const DATA_NAMES = [
  'fundus-phantom', 'prostate-phantom', 'prostate-modality', 'prostate-conflict', 'two-organs', 'colin27'
] as const
export type DataName = typeof DATA_NAMES[number]

const PHANTOMS: Readonly<Partial<Record<string, readonly PhantomSite[]>>> = {
  'fundus-phantom': fundusSites,
  'prostate-phantom': prostateSites,
  'prostate-modality': modalitySites,
  'prostate-conflict': conflictSites,
  'two-organs': [...fundusSites, ...prostateSites]
}
/** Which of two groups a site is of, by its place, where sites are of two. */
const GROUPS: Readonly<Partial<Record<string, (site: number) => boolean>>> = {
  'prostate-modality': (site) => site < T2_LIKE,
  'prostate-conflict': outlinesCore,
  'two-organs': (site) => site < fundusSites.length
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

/** Whether two sites of a data set see the same, and outline it alike; all of them where nothing else is said. */
export function areAlike (name: string, one: number, other: number): boolean {
  const isFirst = GROUPS[name]
  return isFirst == null || isFirst(one) === isFirst(other)
}

/** By site, which group it is of; undefined where all sites are of one. */
export function groupsOf (name: string): readonly number[] | undefined {
  const isFirst = GROUPS[name]
  return isFirst == null ? undefined : PHANTOMS[name]!.map((_, site) => Number(!isFirst(site)))
}

/** In their order. */
export function siteNames (name: DataName): readonly string[] {
  return PHANTOMS[name]?.map((site) => site.name) ?? COLIN_HOSPITALS
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
    const split = await fitLabelled(slices, side, { ...choice, site, name })
    if (split.train.length === 0 || split.validation.length === 0) {
      throw new InputError(`${join(samples, 'colin27', name)} holds too few slices`)
    }
    return { name, ...split }
  }))
}

async function phantomData (site: PhantomSite, choice: DataChoice & { readonly index: number }, side: number): Promise<SiteData> {
  const { train, validation, seed, labelling, noise, index: place } = choice
  const slices = (first: number, count: number): Slice[] =>
    Array.from({ length: count }, (_, index) => toSlice(site, seed, first + index, side))
  const whole = slices(0, train)
  const drawn = withNoise(whole, noise, { site: place, name: site.name, seed })
  const images = await fitScored(labelling == null ? drawn : withLabelling(drawn, labelling, { site: place, seed }), side)
  const masked = images.filter(({ kind }) => kind == null)
  const held = masked.slice(0, Math.max(1, Math.round(CHOICE_SHARE * masked.length)))
  return {
    name: site.name,
    train: images,
    validation: await fitScored(slices(VALIDATION_FROM, validation), side),
    ...(labelling == null ? {} : { hidden: new Map((await fitScored(whole, side)).map((each) => [each.id, each])) }),
    choice: { train: images.filter((each) => !held.includes(each)), held }
  }
}

function toSlice (site: PhantomSite, seed: number, patient: number, side: number): Slice {
  const { image, mask, channels } = site.draw(seed, patient, side)
  const id = `${site.name}-${patient}`
  return { id, subject: id, index: 0, height: side, width: side, channels, image, mask }
}
