import { InputError } from '../../errors.ts'
import { isNumbers, isRecord, NO_MARKS, type StatedMarks } from './stated.ts'

const POINTS = 'a point is [x, y, label], in volumes [x, y, z, label]; label 1 is inside, 0 outside'
const BOXES = 'a box is [x0, y0, x1, y1, class], in volumes [x0, y0, z0, x1, y1, z1, class]'

/** points.json: lists of points by the name of their image. @throws InputError whose message is a reason without the file's name */
export function parsePoints (stated: unknown, file: string): Map<string, StatedMarks> {
  return listsOf(stated, POINTS, (numbers) => {
    if (![3, 4].includes(numbers.length)) return undefined
    return { ...NO_MARKS, file, points: [{ at: numbers.slice(0, -1), label: numbers.at(-1)! }] }
  })
}

/** boxes.json: lists of boxes by the name of their image. @throws InputError whose message is a reason without the file's name */
export function parseBoxes (stated: unknown, file: string): Map<string, StatedMarks> {
  return listsOf(stated, BOXES, (numbers) => {
    const dimensions = Math.floor(numbers.length / 2)
    if (![4, 5, 6, 7].includes(numbers.length)) return undefined
    const corners = [numbers.slice(0, dimensions), numbers.slice(dimensions, 2 * dimensions)] as const
    return { ...NO_MARKS, file, boxes: [{ corners, label: numbers[2 * dimensions] ?? 1 }] }
  })
}

function listsOf (
  stated: unknown,
  form: string,
  one: (numbers: readonly number[]) => StatedMarks | undefined
): Map<string, StatedMarks> {
  const wrong = new InputError(`it is not a list of marks by the name of each image: ${form}`)
  if (!isRecord(stated)) throw wrong
  return new Map(Object.entries(stated).flatMap(([name, list]): [string, StatedMarks][] => {
    if (!Array.isArray(list)) throw wrong
    const marks = list.map((each: unknown) => {
      const found = isNumbers(each) ? one(each) : undefined
      if (found == null) throw wrong
      return found
    })
    if (marks.length === 0) return []
    return [[name, { ...marks[0]!, points: marks.flatMap(({ points }) => points), boxes: marks.flatMap(({ boxes }) => boxes) }]]
  }))
}
