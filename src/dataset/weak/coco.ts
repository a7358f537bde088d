import { InputError } from '../../errors.ts'
import { isNumbers, isRecord, joinedMarks, NO_MARKS, pointsOf, type Outline, type Runs, type StatedMarks } from './stated.ts'

interface Coco { readonly images: unknown[], readonly annotations: unknown[], readonly categories?: unknown }

/** Whether a JSON file is of COCO's form. */
export function isCoco (value: unknown): value is Coco {
  return isRecord(value) && Array.isArray(value['images']) && Array.isArray(value['annotations'])
}

interface Image { readonly name: string, readonly size: StatedMarks['size'] }

/**
 * What a COCO file (cocodataset.org, "Data format") marks: outlines, boxes where there is no outline, and keypoints, by the name of their
 * image. @throws InputError whose message is a reason without the file's name
 */
export function parseCoco (stated: Coco, file: string): Map<string, StatedMarks> {
  const images = new Map(stated.images.map(imageOf))
  const names = categoriesOf(stated.categories)
  const found = new Map<string, StatedMarks>()
  for (const each of stated.annotations) {
    if (!isRecord(each)) throw new InputError('an annotation is not an object: export the file again')
    const image = images.get(each['image_id'])
    if (image == null) throw new InputError('an annotation is of an image that "images" does not list: export the file again')
    const label = names.get(each['category_id'])
    if (label == null) throw new InputError('an annotation is of a category that "categories" does not list: export the file again')
    const marks = { file, size: image.size, ...marksOf(each, label) }
    const before = found.get(image.name)
    found.set(image.name, before == null ? marks : joinedMarks(before, marks))
  }
  return found
}

function imageOf (stated: unknown): [unknown, Image] {
  const { id, file_name: name, width, height } = isRecord(stated) ? stated : {}
  if (typeof name !== 'string') throw new InputError('an image has no "file_name": export the file again')
  const hasSize = typeof width === 'number' && typeof height === 'number'
  return [id, { name, size: hasSize ? { width, height } : undefined }]
}

function categoriesOf (stated: unknown): Map<unknown, string> {
  const list: unknown[] = Array.isArray(stated) ? stated : []
  return new Map(list.flatMap((each): [unknown, string][] =>
    isRecord(each) && typeof each['name'] === 'string' ? [[each['id'], each['name']]] : []))
}

function marksOf ({ segmentation, bbox, keypoints }: Record<string, unknown>, label: string): Omit<StatedMarks, 'file' | 'size'> {
  const shape = shapeOf(segmentation)
  const points = isNumbers(keypoints) ? seenPoints(keypoints) : []
  const own = { ...NO_MARKS, points: points.map((at) => ({ at, label })) }
  if (shape != null) return { ...own, outlines: [{ label, shape }] }
  if (points.length > 0) return own
  if (!isNumbers(bbox) || bbox.length !== 4) throw new InputError('an annotation has no outline, box or point: export the file again')
  const [x, y, width, height] = bbox as [number, number, number, number]
  return { ...own, boxes: [{ corners: [[x, y], [x + width, y + height]], label }] }
}

/** Keypoints are x, y and whether they were marked. */
function seenPoints (numbers: readonly number[]): number[][] {
  return Array.from({ length: Math.floor(numbers.length / 3) }, (_, i) => numbers.slice(3 * i, 3 * i + 3))
    .flatMap(([x, y, seen]) => seen === 0 ? [] : [[x!, y!]])
}

function shapeOf (stated: unknown): Outline['shape'] | undefined {
  if (Array.isArray(stated)) {
    const polygons = stated.flatMap((each: unknown) => isNumbers(each) && each.length >= 6 ? [pointsOf(each)] : [])
    return polygons.length > 0 ? polygons : undefined
  }
  if (!isRecord(stated) || !isNumbers(stated['size']) || stated['size'].length !== 2) return undefined
  const [height, width] = stated['size'] as [number, number]
  const counts = typeof stated['counts'] === 'string' ? unpacked(stated['counts']) : stated['counts']
  if (!isNumbers(counts) || counts.some((each) => each < 0) || counts.reduce((sum, each) => sum + each, 0) !== height * width) {
    throw new InputError('the runs of a mask do not add up to its size: export the file again')
  }
  return { counts, height, width } satisfies Runs
}

/** The counts of pycocotools: 5 bits a letter, lowest first, from the third on as the difference from two before. */
function unpacked (text: string): number[] {
  const counts: number[] = []
  let [value, shift] = [0, 0]
  for (const letter of text) {
    const code = letter.charCodeAt(0) - 48
    value += (code & 31) * 2 ** shift
    shift += 5
    if ((code & 32) !== 0) continue
    if ((code & 16) !== 0) value -= 2 ** shift
    counts.push(counts.length > 2 ? value + counts.at(-2)! : value)
    ;[value, shift] = [0, 0]
  }
  return counts
}
