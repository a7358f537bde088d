import { InputError } from '../../errors.ts'
import type { Frame } from './instance.ts'
import type { Stack } from './stacks.ts'

/** A segment or region of interest as its file describes it. */
export interface Segment {
  readonly number: number
  /** its label and the meanings of its codes */
  readonly names: readonly string[]
  /** the outline of the whole body, which is no organ */
  readonly isBody: boolean
}

/** The value that a segment gets, 0 for none; `isKnown`: its class is known, and no other may cover it. */
export interface SegmentValue { readonly value: number, readonly isKnown: boolean }

/** What the segments of a file become, with what had to be decided for it. */
export type SegmentRule = (segments: readonly Segment[]) => {
  readonly valueOf: (segment: Segment) => SegmentValue
  readonly notes: readonly string[]
}

/** Labels on the voxels of a stack, slice after slice. */
export interface DrawnLabels {
  readonly voxels: Uint8Array | Uint16Array
  readonly notes: readonly string[]
}

const OVERLAP = 'its segments overlap where both have a class: say in labels.json which are meant, or export a label map'

/** Where segments are drawn one after the other. */
export class Canvas {
  readonly voxels: Uint16Array
  readonly size: number
  readonly #known = new Set<number>()

  constructor ({ dims }: Pick<Stack, 'dims'>) {
    this.size = dims[0] * dims[1]
    this.voxels = new Uint16Array(this.size * dims[2])
  }

  /** Says that the class of a value is known. */
  know (value: number): void {
    this.#known.add(value)
  }

  /** @throws InputError where two known classes meet */
  put (at: number, value: number): void {
    const before = this.voxels[at]!
    if (before === value) return
    if (before !== 0 && this.#known.has(before)) {
      if (this.#known.has(value)) throw new InputError(OVERLAP)
      return
    }
    this.voxels[at] = value
  }

  /** In bytes where they do. */
  get labels (): Uint8Array | Uint16Array {
    return this.voxels.some((value) => value > 255) ? this.voxels : Uint8Array.from(this.voxels)
  }
}

/** Slices of a stack by instance and frame. */
export function slicesByReference ({ frames }: Pick<Stack, 'frames'>): (sop: string, frame: number | undefined) => number | undefined {
  const places = new Map(frames.map((each: Frame, at) => [`${each.sop} ${each.index}`, at]))
  return (sop, frame) => places.get(`${sop} ${(frame ?? 1) - 1}`)
}
