import { readdir } from 'node:fs/promises'
import { basename, join, parse } from 'node:path'
import { InputError } from '../../errors.ts'
import { parseName, readCapped } from '../../formats/file.ts'
import { listEntries, walk } from '../names/walk.ts'
import type { LabelKind, Problem } from '../types.ts'
import { isCoco, parseCoco } from './coco.ts'
import { isLabelme, parseLabelme } from './labelme.ts'
import { parseBoxes, parsePoints } from './plain-lists.ts'
import { isRecord, joinedMarks, type StatedMarks } from './stated.ts'

/** Folders of label pictures in which 255 is not known. */
const PICTURE_FOLDERS = { blocks: 'block', scribbles: 'scribble' } as const satisfies Record<string, LabelKind>
/** What annotation tools write lies in these folders, beside the images, or in the data folder itself. */
const TOOL_FOLDERS = /^(annotations?|labelme|coco|images?|imgs?|imagestr)$/i
/** Files of a data folder that say something else. */
const OTHER_FILES = new Set([
  'dataset.json', 'labels.json', 'colors.json', 'colours.json', 'points.json', 'boxes.json', 'supervision.json', 'plans.json'
])
const MAX_BYTES = 256 * 2 ** 20

export function isWeakFolder (name: string): boolean {
  return Object.hasOwn(PICTURE_FOLDERS, name.toLowerCase())
}

export interface LabelPicture { readonly file: string, readonly kind: 'block' | 'scribble' }

/** The marks of a data folder that are no whole masks, by names of images. */
export interface FoundMarks {
  readonly marks: ReadonlyMap<string, StatedMarks>
  /** by name, the strongest first */
  readonly pictures: ReadonlyMap<string, readonly LabelPicture[]>
  readonly problems: readonly Problem[]
}

/** @throws InputError naming a file of marks that cannot be read */
export async function findMarks (root: string): Promise<FoundMarks> {
  const problems: Problem[] = []
  const marks = new Map<string, StatedMarks>()
  const names = (await listEntries(root)).map(({ name }) => name)
  for (const [name, parser] of [['points.json', parsePoints], ['boxes.json', parseBoxes]] as const) {
    if (names.includes(name)) add(marks, await readNamed(root, name, (stated) => parser(stated, name)))
  }
  for (const file of await toolFiles(root, names)) {
    try {
      add(marks, marksIn(await readJson(join(root, file)), file))
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      problems.push({ file, reason: error.message })
    }
  }
  return { marks, ...await labelPictures(root, names, problems), problems }
}

/** Names as images are known by: without the ending, composed. */
export function nameKey (name: string): string {
  const { dir } = parse(name.replaceAll('\\', '/'))
  const { stem, kind } = parseName(name.replaceAll('\\', '/'))
  const own = kind == null ? basename(name.replaceAll('\\', '/')) : stem
  return (dir === '' ? own : `${dir}/${own}`).normalize('NFC')
}

function add (marks: Map<string, StatedMarks>, found: ReadonlyMap<string, StatedMarks>): void {
  for (const [name, own] of found) {
    const key = nameKey(name)
    const before = marks.get(key)
    marks.set(key, before == null ? own : joinedMarks(before, own))
  }
}

async function readNamed<T> (root: string, name: string, parser: (stated: unknown) => T): Promise<T> {
  try {
    return parser(await readJson(join(root, name)))
  } catch (error) {
    throw error instanceof InputError ? new InputError(`${join(root, name)} cannot be used: ${error.message}`) : error
  }
}

/** @throws InputError whose message is a reason without the file's name */
async function readJson (path: string): Promise<unknown> {
  const bytes = await readCapped(path, MAX_BYTES)
  try {
    return JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''))
  } catch {
    throw new InputError('it is not JSON: export it again')
  }
}

async function toolFiles (root: string, names: readonly string[]): Promise<string[]> {
  const isOwn = (name: string): boolean => /\.json$/i.test(name) && !name.startsWith('.') && !OTHER_FILES.has(name.toLowerCase())
  const below = await Promise.all(names.filter((name) => TOOL_FOLDERS.test(name)).map(async (folder) => {
    const entries = await readdir(join(root, folder), { recursive: true }).catch(() => [])
    return entries.filter((entry) => isOwn(basename(entry))).map((entry) => join(folder, entry))
  }))
  return [...names.filter(isOwn), ...below.flat().sort()]
}

/** A file of another form says nothing here: dcm2niix and others write such files beside images, too. */
function marksIn (stated: unknown, file: string): ReadonlyMap<string, StatedMarks> {
  if (isCoco(stated)) return parseCoco(stated, file)
  if (!isRecord(stated) || !isLabelme(stated)) return new Map()
  const found = parseLabelme(stated, file)
  return found == null ? new Map() : new Map([[parse(file).name + '.png', found]])
}

async function labelPictures (root: string, names: readonly string[], problems: Problem[]): Promise<Pick<FoundMarks, 'pictures'>> {
  const pictures = new Map<string, LabelPicture[]>()
  for (const [folder, kind] of Object.entries(PICTURE_FOLDERS)) {
    const own = names.find((name) => name.toLowerCase() === folder)
    if (own == null) continue
    const { found, problems: others } = await walk(root, own)
    problems.push(...others)
    for (const { file, folders, stem } of found) {
      const key = [...folders, stem].join('/')
      const before = pictures.get(key) ?? []
      if (before.some((each) => each.kind === kind)) problems.push({ file, reason: 'another file of marks has the same name: keep one' })
      else pictures.set(key, [...before, { file, kind }])
    }
  }
  return { pictures }
}
