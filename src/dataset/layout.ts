import { join } from 'node:path'
import { InputError } from '../errors.ts'
import { parseName } from '../formats/file.ts'
import { isNnunetFolder, namesOf, needsCases, toCases, type Cases, type ChannelFiles } from './channels/case-files.ts'
import { isColour } from './channels/open-channels.ts'
import { readDatasetJson, SILENT, type Statement } from './names/dataset-json.ts'
import { isMaskName, pairUp, withoutTwins, type Named, type Paired } from './names/pairing.ts'
import { readSubjectsFile, stemOf, type SubjectsFile } from './names/subjects-file.ts'
import { listEntries, walk, type Found } from './names/walk.ts'
import { lastNumber, type Whose } from './subject.ts'
import type { Dataset, LoadOptions, Problem } from './types.ts'
import { isWeakFolder } from './weak/find-marks.ts'

/** An image and its mask; `stem` is the name they share. */
export interface Pair {
  readonly stem: string
  readonly kind: 'picture' | 'volume'
  /** paths below the data folder */
  readonly image: string
  readonly mask: string
  /** files of the image by channel, where their names say it */
  readonly channels?: ChannelFiles
  /** whose it is, where the site or the folder says so and not the name */
  readonly whose?: Whose & { readonly by: 'site' | 'folder' }
}

/** An image that nothing in the folder labels, and the problem that says so. */
export type Unlabelled = Omit<Pair, 'mask'> & { readonly problem: Problem }

export interface Listing {
  readonly layout: Dataset['layout']
  readonly pairs: readonly Pair[]
  readonly unlabelled: readonly Unlabelled[]
  readonly problems: readonly Problem[]
  readonly statement: Statement
  /** image files of channels that are not read */
  readonly ignoredChannels: number
  /** pairs whose names are not the same: a suffix, another folder */
  readonly byLikeName: number
}

const IMAGE_FOLDERS = ['images', 'image', 'imgs', 'img']
const MASK_FOLDERS = [
  'masks', 'mask', 'labels', 'label', 'segmentations', 'segmentation', 'annotations', 'annotation', 'gt', 'groundtruth', 'ground_truth'
]
/** Folders that part a data set by use or by finding, not its patients. */
const SETS = 'train(ing)?|val(id|idation)?|test(ing)?|images?|masks?|labels?|all|data'
const FINDINGS = 'benign|malignant|normal|abnormal|healthy'
const PARTS = new RegExp(`^(${SETS}|${FINDINGS}|(part|batch|fold)[-_]?\\d*)$`, 'i')
const ADD_MASKS = 'add the masks, or let this site read what the others average with "consilium start --without-labels"'
const NO_CHANNEL = 'the name lacks the channel suffix _0000 of the nnU-Net layout'

/** What lies in a folder: files of images and of masks, or files that pair within their own folders. */
interface Files {
  readonly layout: Dataset['layout']
  readonly images: readonly Named[]
  readonly masks: readonly Named[]
  readonly ignored: number
  readonly problems: readonly Problem[]
  readonly statement: Statement
}

/**
 * Finds the pairs of a data folder, of whose images so many channels are read, or the first; of a site without labels its images alone.
 * @throws InputError when the folder has no layout that is known
 */
export async function listPairs (
  root: string,
  channels?: readonly number[],
  { withoutLabels = false, kinds }: Pick<LoadOptions, 'withoutLabels' | 'kinds'> = {}
): Promise<Listing> {
  const names = (await listEntries(root)).map(({ name }) => name)
  const files = withoutLabels ? imagesAlone : kinds == null ? filesOf : filesOrImages
  const { layout, images, masks, ignored, problems, statement } = await files(root, names, channels)
  const [kept, keptMasks] = [withoutTwins(images), withoutTwins(masks)]
  const { pairs, byLikeName, problems: unpaired, lonely } = pairUp(kept.files, keptMasks.files)
  const stated = names.includes('subjects.csv') ? await readSubjectsFile(root) : undefined
  const found = sameKinds(pairs)
  const whose = new Stated(stated, statement)
  const described = (image: Named, mask: Named): Omit<Pair, 'mask'> => ({
    stem: image.key,
    kind: image.kind,
    image: image.file,
    ...image.channels == null ? {} : { channels: image.channels },
    ...whose.of(image, mask, layout)
  })
  return {
    layout,
    pairs: found.pairs.map(({ image, mask }) => ({ ...described(image, mask), mask: mask.file })),
    unlabelled: lonely.map(({ image, problem }) => ({ ...described(image, image), problem })),
    statement,
    ignoredChannels: ignored,
    byLikeName,
    problems: [
      ...statement.problems,
      ...problems,
      ...kept.problems,
      ...keptMasks.problems,
      ...unpaired,
      ...found.problems,
      ...stated?.problems ?? [],
      ...whose.unused()
    ]
  }
}

async function filesOf (root: string, names: readonly string[], channels: readonly number[] | undefined): Promise<Files> {
  if (names.includes('imagesTr')) return await nnunetFiles(root, names, channels)
  const [images, masks] = [IMAGE_FOLDERS, MASK_FOLDERS].map((known) => known.flatMap((each) => names.find((name) =>
    name.toLowerCase() === each) ?? [])[0])
  const statement = names.includes('dataset.json') ? await readDatasetJson(root) : SILENT
  if (images != null && masks != null) {
    const [of, truth] = [await walk(root, images), await walk(root, masks)]
    const labels = truth.found.map(named)
    const { files, ignored, problems } = casesIn(of.found.map(named), labels, channels)
    return {
      layout: 'folders',
      images: files,
      masks: labels,
      ignored,
      problems: [...of.problems, ...problems, ...truth.problems],
      statement
    }
  }
  const beside = await besideEachOther(root, images, channels)
  if (beside != null) return { ...beside, statement }
  if (images != null) throw new InputError(`${root} has no masks/ beside ${images}/: ${ADD_MASKS}`)
  if (masks != null) throw new InputError(`${root} has no images/ beside ${masks}/: add the images`)
  throw new InputError(
    `${root} has neither images/ and masks/ nor imagesTr/ and labelsTr/, nor images with masks of like names (a.png, a_mask.png) beside ` +
      'them: choose the folder that holds them'
  )
}

/** Of a site that may do without masks. */
async function filesOrImages (root: string, names: readonly string[], channels: readonly number[] | undefined): Promise<Files> {
  try {
    return await filesOf(root, names, channels)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    return await imagesAlone(root, names, channels)
  }
}

/** What is no mask, wherever a data folder has its images. */
async function imagesAlone (root: string, names: readonly string[], channels: readonly number[] | undefined): Promise<Files> {
  const folder = names.includes('imagesTr')
    ? 'imagesTr'
    : IMAGE_FOLDERS.flatMap((known) => names.find((name) => name.toLowerCase() === known) ?? [])[0]
  const { found, problems } = await walk(root, folder ?? '.')
  const isPicture = (each: Found): boolean => !isMask(each) && !(folder == null && isWeakFolder(each.folders[0] ?? ''))
  const files = found.filter(isPicture).map(named)
  const isNnunet = folder === 'imagesTr' && isNnunetFolder(folder, files.map(({ stem }) => stem))
  const cases = isNnunet
    ? toCases(files, { channels: channels ?? [0], isPlain: () => false, bare: NO_CHANNEL })
    : casesIn(files, [], channels)
  return {
    layout: isNnunet ? 'nnunet' : 'folders',
    images: isNnunet && channels == null ? cases.files.filter(hasFirst) : cases.files,
    masks: [],
    ignored: cases.ignored,
    problems: [...problems.filter(({ file }) => !NOT_IMAGES.test(file)), ...cases.problems],
    statement: names.includes('dataset.json') ? await readDatasetJson(root) : SILENT
  }
}

async function nnunetFiles (root: string, names: readonly string[], channels: readonly number[] | undefined): Promise<Files> {
  if (!names.includes('labelsTr')) throw new InputError(`${root} has no labelsTr/ beside imagesTr/: ${ADD_MASKS}`)
  const statement = await readDatasetJson(root)
  const [images, masks] = [await walk(root, 'imagesTr'), await walk(root, 'labelsTr')]
  const labels = masks.found.map(named)
  // The Decathlon has no channel suffix: there an image bears the very name of its mask.
  const plain = new Set(statement.stated ? labels.map(({ key }) => key) : [])
  const { files, ignored, problems } = toCases(images.found.map(named), {
    channels: channels ?? [0],
    isPlain: (key) => plain.has(key),
    bare: NO_CHANNEL
  })
  return {
    layout: 'nnunet',
    images: channels == null ? files.filter(hasFirst) : files,
    masks: labels,
    ignored,
    problems: [...images.problems, ...problems, ...masks.problems],
    statement
  }
}

/** Images of which a channel 0000 is read alone. */
function hasFirst ({ channels }: Named): boolean {
  return channels == null || channels.has(0)
}

/** Images of several files where several channels are read; else every file is one. */
function casesIn (files: readonly Named[], masks: readonly Named[], channels: readonly number[] | undefined): Cases {
  return needsCases(channels) ? toCases(files, { channels, isPlain: namesOf(masks) }) : { files, ignored: 0, problems: [] }
}

/** Images whose masks lie beside them, in one folder or in a folder (or images/ and masks/) for each patient; undefined where none do. */
async function besideEachOther (
  root: string,
  images: string | undefined,
  channels: readonly number[] | undefined
): Promise<Omit<Files, 'statement'> | undefined> {
  const { found, problems } = await walk(root, images ?? '.')
  const files = found.map((each) => {
    const ends = [...IMAGE_FOLDERS, ...MASK_FOLDERS].includes(each.folders.at(-1)?.toLowerCase() ?? '')
    return { ...named({ ...each, folders: ends ? each.folders.slice(0, -1) : each.folders }), isMask: isMask(each) }
  })
  const truth = files.filter((each) => each.isMask)
  const { files: rest, ignored, problems: twins } = casesIn(files.filter((each) => !each.isMask), truth, channels)
  if (pairUp(rest, truth).pairs.length === 0) return undefined
  return {
    layout: files.some(({ folders }) => folders.length > 0) ? 'patients' : 'beside',
    images: rest,
    masks: truth,
    ignored,
    problems: [...problems.filter(({ file }) => !NOT_IMAGES.test(file)), ...twins]
  }
}

function isMask ({ file, folders, stem }: Found): boolean {
  const last = folders.at(-1)?.toLowerCase() ?? ''
  return MASK_FOLDERS.includes(last) || (!IMAGE_FOLDERS.includes(last) && (isMaskName(stem) || /\.seg\.nrrd$/i.test(file)))
}

/** What may lie beside images without being meant as one. */
const NOT_IMAGES = /\.(csv|json|txt|md|xlsx?|pdf|yaml|yml|tsv|bval|bvec)$/i

function named (file: Found): Named {
  return { ...file, key: [...file.folders, file.stem].join('/') }
}

function sameKinds (pairs: Paired['pairs']): { pairs: Paired['pairs'], problems: Problem[] } {
  const unlike = pairs.filter(({ image, mask }) => image.kind !== mask.kind)
  return {
    pairs: pairs.filter((pair) => !unlike.includes(pair)),
    problems: unlike.map(({ image: { file } }) => ({ file, reason: 'image and mask must both be pictures or both be volumes' }))
  }
}

/** Who has an image by what the site states: subjects.csv, then dataset.json, then a folder for each patient. */
class Stated {
  readonly #rows: ReadonlyMap<string, Whose>
  readonly #unused: Set<string>
  readonly #source: string

  constructor (file: SubjectsFile | undefined, { subjects }: Statement) {
    const rows = [...subjects].map(([name, subject]): [string, Whose] => [stemOf(name), { subject, index: lastNumber(stemOf(name)) }])
    this.#rows = new Map([...rows, ...file?.subjects ?? []])
    this.#unused = new Set(this.#rows.keys())
    this.#source = file == null ? 'dataset.json' : 'subjects.csv'
  }

  of ({ file, folders, stem, key, channels }: Named, mask: Named, layout: Dataset['layout']): Pick<Pair, 'whose'> {
    for (const other of channels?.values() ?? []) this.#use([...folders, parseName(other).stem])
    const name = [stemOf(file).normalize('NFC'), key, [...folders, stem].join('/'), stem].find((each) => this.#rows.has(each))
    if (name != null) {
      this.#unused.delete(name)
      return { whose: { ...this.#rows.get(name)!, by: 'site' } }
    }
    // A folder of images alone, whose masks lie in another, is no patient's.
    const isShared = (each: string): boolean => layout !== 'patients' || mask.folders.includes(each)
    const folder = layout === 'nnunet' ? undefined : folders.find((each) => !PARTS.test(each) && isShared(each))
    return folder == null ? {} : { whose: { subject: folder, index: lastNumber(stem), by: 'folder' } }
  }

  /** Files of further channels may have lines of their own. */
  #use (path: readonly string[]): void {
    for (const name of [path.join('/'), path.at(-1) ?? '']) this.#unused.delete(name.normalize('NFC'))
  }

  unused (): Problem[] {
    if (this.#unused.size === 0) return []
    return [{ file: this.#source, reason: 'it gives subjects to images that are not there: write their names as in the folder of images' }]
  }
}

/**
 * Images of one folder by the name that their masks get, without its subfolders; where several channels are read, one for each case.
 * @throws InputError when it cannot be read
 */
export async function listImages (
  folder: string,
  channels?: readonly number[]
): Promise<{ readonly images: ReadonlyMap<string, Found>, readonly problems: readonly Problem[] }> {
  const { found, problems } = await walk(folder, '.', 0)
  const all = found.map(named)
  const isPlain = (): boolean => false
  const first = found[0]?.file
  // Photographs may be numbered with four digits, too.
  const several = needsCases(channels) && first != null && !await isColour(join(folder, first))
  const cases = several || isNnunetFolder(folder, found.map(({ stem }) => stem))
    ? toCases(all, { channels: channels ?? [0], isPlain })
    : { files: all, problems: [] }
  const { files, problems: twins } = withoutTwins(cases.files)
  return {
    images: new Map(files.map((file) => [file.key, file])),
    problems: [...problems, ...cases.problems, ...twins].sort((a, b) => a.file < b.file ? -1 : 1)
  }
}
