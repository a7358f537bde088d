import type { LabelKind, Problem } from '../types.ts'
import type { FoundMarks, LabelPicture } from './find-marks.ts'
import type { StatedMarks } from './stated.ts'

interface Own { readonly stated: StatedMarks | undefined, readonly pictures: readonly LabelPicture[] }

/** Which marks belong to which image: those of its name with its folders, else of the bare name where only one image has it. */
export class OwnMarks {
  readonly #found: FoundMarks
  readonly #bare = new Map<string, string | undefined>()
  readonly #left: Set<string>
  /** Tools may write the path that an image had on their machine. */
  readonly #tails: ReadonlyMap<string, readonly string[]>

  /** `masked`: names of images that have masks, whose marks nobody needs. */
  constructor (images: readonly { readonly stem: string }[], found: FoundMarks, masked: readonly string[] = []) {
    this.#found = found
    this.#tails = Map.groupBy([...found.marks.keys()].filter((key) => key.includes('/')), last)
    for (const stem of [...images.map((each) => each.stem), ...masked]) {
      const name = last(stem)
      this.#bare.set(name, this.#bare.has(name) ? undefined : stem)
    }
    this.#left = new Set([...found.marks.keys(), ...found.pictures.keys()])
    for (const stem of masked) for (const key of this.#keysOf(stem)) this.#left.delete(key)
  }

  /** Marks of these kinds; undefined where there are none. */
  of (stem: string, kinds: readonly LabelKind[]): Own | undefined {
    const { stated: all, pictures: every } = this.#all(stem)
    const pictures = every.filter(({ kind }) => kinds.includes(kind))
    const stated = all == null ? undefined : only(all, kinds)
    const isAny = pictures.length > 0 || (stated != null && count(stated) > 0)
    return isAny ? { stated, pictures } : undefined
  }

  has (stem: string): boolean {
    const { stated, pictures } = this.#all(stem)
    return stated != null || pictures.length > 0
  }

  /** Marks of images that are not there. */
  unused (): Problem[] {
    const files = [...this.#left].flatMap((key) =>
      this.#found.marks.get(key)?.file ?? this.#found.pictures.get(key)?.map(({ file }) => file) ?? [])
    return [...new Set(files)].map((file) => ({ file, reason: 'it marks an image that is not there, or not twice by that name' }))
  }

  #all (stem: string): Own {
    const keys = this.#keysOf(stem)
    for (const key of keys) this.#left.delete(key)
    const stated = keys.flatMap((key) => this.#found.marks.get(key) ?? [])
    const pictures = keys.flatMap((key) => this.#found.pictures.get(key) ?? [])
    return { stated: stated[0], pictures }
  }

  #keysOf (stem: string): string[] {
    const name = last(stem)
    const keys = name !== stem && this.#bare.get(name) === stem ? [stem, name] : [stem]
    const tails = this.#bare.get(name) === stem ? this.#tails.get(name) ?? [] : []
    return [...new Set([...keys, ...tails])]
  }
}

function last (key: string): string {
  return key.split('/').at(-1)!
}

function only (marks: StatedMarks, kinds: readonly LabelKind[]): StatedMarks {
  const has = (kind: LabelKind): boolean => kinds.includes(kind)
  return {
    ...marks,
    points: has('points') ? marks.points : [],
    boxes: has('box') ? marks.boxes : [],
    lines: has('scribble') ? marks.lines : [],
    outlines: has('mask') || has('block') ? marks.outlines : []
  }
}

function count ({ points, boxes, lines, outlines }: StatedMarks): number {
  return points.length + boxes.length + lines.length + outlines.length
}
