import type { Triple } from '../nifti-header.ts'
import type { LeftPosterior } from '../raw-volume.ts'
import { cross, dot, type Frame, type Instance, type Plane, type Vector } from './instance.ts'

export type PlacedFrame = Frame & { readonly plane: Plane }

/** Frames of one series that make a volume, slice after slice along their normal; without planes, pictures in their order. */
export interface Stack {
  /** One of its instances, which speaks for all. */
  readonly instance: Omit<Instance, 'frames'>
  readonly frames: readonly Frame[]
  /** of a volume */
  readonly place?: LeftPosterior
  readonly dims: Triple
  /** what had to be decided, each in a sentence without a name */
  readonly notes: readonly string[]
}

const TWICE = 'DICOM series that hold an image twice: one of both is used'
const AT_ONE_PLACE = 'DICOM series with several images at one place that nothing tells apart: the first of each is used'
const GAPS = 'DICOM series with slices missing between others: those that are there are used, at their places'
const UNEVEN = 'DICOM series whose slices lie unevenly: they are used as they are, distances are means'
const TILTED = 'DICOM series with a tilted gantry: slices are used as they were taken, each a little shifted'

/** Directions that differ by less are the same, rounded. */
const SAME_COSINE = 0.9999
/** Slices nearer than this share of a step are at one place; steps that differ by more are uneven. */
const [SAME_SHARE, EVEN_SHARE] = [0.01, 0.05]
const TILT_DEGREES = 0.5

/** The volumes and rows of pictures in the instances of one series, the largest first. */
export function stacksOf (series: readonly Instance[]): Stack[] {
  const { unique, twice } = withoutCopies(series)
  const groups: Instance[][] = []
  for (const each of unique) {
    const group = groups.find(([first]) => first!.rows === each.rows && first!.columns === each.columns)
    if (group == null) groups.push([each])
    else group.push(each)
  }
  const stacks = groups.flatMap((group) => {
    const { frames: _, ...instance } = group[0]!
    const frames = group.flatMap((each) => each.frames)
    const placed = frames.filter((frame): frame is PlacedFrame => frame.plane != null)
    const flat = frames.filter(({ plane }) => plane == null).sort(byNumber)
    const dims = (count: number): Triple => [instance.columns, instance.rows, count]
    return [
      ...byDirection(placed).flatMap(volumesOf).map((volume) => ({ instance, ...volume, dims: dims(volume.frames.length) })),
      ...flat.length > 0 ? [{ instance, frames: flat, dims: dims(flat.length), notes: [] as string[] }] : []
    ]
  })
  const sorted = stacks.sort((a, b) => b.frames.length - a.frames.length)
  return twice ? sorted.map((stack) => ({ ...stack, notes: [TWICE, ...stack.notes] })) : sorted
}

function withoutCopies (series: readonly Instance[]): { unique: Instance[], twice: boolean } {
  const unique = [...new Map(series.toReversed().map((each) => [each.sop === '' ? each.file : each.sop, each])).values()].reverse()
  return { unique, twice: unique.length < series.length }
}

function byNumber (a: Frame, b: Frame): number {
  return a.number - b.number || (a.sop < b.sop ? -1 : a.sop > b.sop ? 1 : a.index - b.index)
}

function byDirection (frames: readonly PlacedFrame[]): PlacedFrame[][] {
  const groups: PlacedFrame[][] = []
  for (const frame of frames) {
    const isLike = ([first]: PlacedFrame[]): boolean => sameDirection(first!.plane, frame.plane)
    const group = groups.find(isLike)
    if (group == null) groups.push([frame])
    else group.push(frame)
  }
  return groups
}

function sameDirection (a: Plane, b: Plane): boolean {
  const spaced = [0, 1].every((at) => Math.abs(a.spacing[at]! / b.spacing[at]! - 1) < 0.001)
  return spaced && dot(a.along, b.along) > SAME_COSINE && dot(a.down, b.down) > SAME_COSINE
}

type Volume = Pick<Stack, 'frames' | 'notes'> & { readonly place: LeftPosterior }

/** Frames of one direction: of several at each place, those that belong together by what tells them apart. */
function volumesOf (frames: readonly PlacedFrame[]): Volume[] {
  const sorted = inOrder(frames)
  if (isOnePerPlace(sorted)) return [volumeOf(sorted, [])]
  for (let at = 0; at < sorted[0]!.apart.length; at++) {
    const parts = [...Map.groupBy(sorted, ({ apart }) => apart[at] ?? '').values()]
    if (parts.length > 1 && parts.every(isOnePerPlace)) return parts.map((part) => volumeOf(part, []))
  }
  const first = sorted.filter((frame, i) => i === 0 || depthOf(frame) - depthOf(sorted[i - 1]!) > sameWithin(sorted))
  return [volumeOf(first, [AT_ONE_PLACE])]
}

/** Along the normal, by the direction of the first; at one place by number. */
function inOrder (frames: readonly PlacedFrame[]): PlacedFrame[] {
  return [...frames].sort((a, b) => {
    const step = depthOf(a) - depthOf(b)
    return Math.abs(step) < 1e-4 ? byNumber(a, b) : step
  })
}

/** mm along the normal of a plane's rows and columns. */
export function depthOf ({ plane: { position, along, down } }: PlacedFrame): number {
  return dot(position, cross(along, down))
}

function isOnePerPlace (sorted: readonly PlacedFrame[]): boolean {
  const least = sameWithin(sorted)
  return sorted.every((frame, i) => i === 0 || depthOf(frame) - depthOf(sorted[i - 1]!) > least)
}

/** mm within which two are at one place. */
function sameWithin (sorted: readonly PlacedFrame[]): number {
  const span = depthOf(sorted.at(-1)!) - depthOf(sorted[0]!)
  return Math.max(1e-3, SAME_SHARE * span / Math.max(1, sorted.length - 1))
}

function volumeOf (frames: readonly PlacedFrame[], notes: readonly string[]): Volume {
  const { position, along, down, spacing: [rows, columns] } = frames[0]!.plane
  const step = stepOf(frames)
  const normal = cross(along, down)
  const steps = frames.slice(1).map((frame, i) => depthOf(frame) - depthOf(frames[i]!))
  const middle = steps.toSorted((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 1
  const odd = steps.filter((each) => Math.abs(each - middle) > EVEN_SHARE * middle)
  const isMissing = odd.length > 0 && odd.every((each) => Math.abs(each / middle - Math.round(each / middle)) < EVEN_SHARE && each > middle)
  const length = Math.hypot(...step)
  const tilt = Math.acos(Math.min(1, Math.abs(dot(step, normal)) / length)) * 180 / Math.PI
  return {
    frames,
    place: { axes: [scaled(along, columns), scaled(down, rows), step], origin: position },
    notes: [
      ...notes,
      ...odd.length === 0 ? [] : [isMissing ? GAPS : UNEVEN],
      ...frames.length > 1 && tilt > TILT_DEGREES ? [TILTED] : []
    ]
  }
}

/** From slice to slice: the mean, which rounding in single positions does not move; of an only slice 1 mm. */
function stepOf (frames: readonly PlacedFrame[]): Vector {
  const [first, last] = [frames[0]!.plane, frames.at(-1)!.plane]
  if (frames.length === 1) return cross(first.along, first.down)
  return first.position.map((value, axis) => (last.position[axis]! - value) / (frames.length - 1)) as unknown as Vector
}

function scaled (vector: Vector, factor: number): Vector {
  return vector.map((value) => value * factor) as unknown as Vector
}
