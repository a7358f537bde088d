import type { Problem } from '../types.ts'
import type { Found } from './walk.ts'

/** A file under the name that it shares with its partner. */
export interface Named extends Found {
  readonly key: string
  /** paths of all its files by channel, where their names say it; `file` is one of them */
  readonly channels?: ReadonlyMap<number, string>
}

/** The problem of an image that nobody labelled. */
export const NO_MASK = 'the image has no mask of the same name'

/** What people add to the name of a mask, and to that of an image. */
const MASK_WORDS = 'masks?|seg|segs|segmentations?|labels?|labelmap|gt|ground[-_ ]?truth|annotations?|roi|contour'
const MASK_SUFFIX = new RegExp(`^(.*?)[-_. ]+(?:${MASK_WORDS})(?:[-_ ]?\\d{1,2})?$`, 'i')
const MASK_PREFIX = /^(?:masks?|seg|segmentation|labels?|gt)[-_. ]+(.+)$/i
const IMAGE_SUFFIX = /^(.*?)[-_. ]+(?:images?|img|orig|original|raw|scan|0000)$/i
const IMAGE_PREFIX = /^(?:images?|img|volume|scan|ct|mr|orig)[-_. ]+(.+)$/i
/** A name that is nothing but such a word, in the folder of one patient. */
const MASK_WORD = /^(?:masks?|seg|segmentation|labels?|gt)$/i
const IMAGE_WORD = /^(?:images?|img|volume|scan|orig|raw)$/i

/** Whether a name says of itself that it is a mask. */
export function isMaskName (stem: string): boolean {
  return MASK_WORD.test(stem) || MASK_SUFFIX.test(stem) || MASK_PREFIX.test(stem)
}

const bareMask = (stem: string): string => MASK_WORD.test(stem) ? '' : (MASK_SUFFIX.exec(stem) ?? MASK_PREFIX.exec(stem))?.[1] ?? stem
const bareImage = (stem: string): string => IMAGE_WORD.test(stem) ? '' : (IMAGE_SUFFIX.exec(stem) ?? IMAGE_PREFIX.exec(stem))?.[1] ?? stem

/** By what an image and its mask are known to belong together. */
interface Way { readonly image: (file: Named) => string, readonly mask: (file: Named) => string }

const SAME: Way = { image: ({ key }) => key, mask: ({ key }) => key }
/** Further ways, the surest first: without what names add, wherever it lies, alone in the same folder. */
const LIKE: readonly Way[] = [
  { image: within((stem) => stem), mask: within(bareMask) },
  { image: within(bareImage), mask: within(bareMask) },
  { image: ({ stem }) => bareImage(stem).toLowerCase(), mask: ({ stem }) => bareMask(stem).toLowerCase() },
  { image: onlyInFolder, mask: onlyInFolder }
]

/** The name of the image that a mask's name holds, in small letters. */
export function bareMaskKey (mask: Named): string {
  return within(bareMask)(mask)
}

function within (bare: (stem: string) => string): (file: Named) => string {
  return ({ folders, stem, key }) => [...folders, bare(key.split('/').at(-1) ?? stem)].join('/').toLowerCase()
}

function onlyInFolder ({ file, folders }: Named): string {
  return folders.length === 0 ? file : folders.join('/').toLowerCase() + '/'
}

export interface Paired {
  readonly pairs: ReadonlyArray<{ readonly image: Named, readonly mask: Named }>
  /** pairs whose names are not the same */
  readonly byLikeName: number
  readonly problems: readonly Problem[]
  /** images without a mask, each with the problem that says so */
  readonly lonely: ReadonlyArray<{ readonly image: Named, readonly problem: Problem }>
}

/** Puts images and masks together by their names; a name that fits several files of one side is left alone. */
export function pairUp (images: readonly Named[], masks: readonly Named[]): Paired {
  const pairs: Array<{ image: Named, mask: Named }> = []
  const [lonely, orphans] = [new Set(images), new Set(masks)]
  const match = ({ image: imageKey, mask: maskKey }: Way): number => {
    const before = pairs.length
    const byKey = onlyOnes([...orphans], maskKey)
    for (const [key, image] of onlyOnes([...lonely], imageKey)) {
      const mask = byKey.get(key)
      if (mask == null) continue
      lonely.delete(image)
      orphans.delete(mask)
      pairs.push({ image, mask })
    }
    return pairs.length - before
  }
  const same = match(SAME)
  for (const way of LIKE) match(way)
  for (const way of byCommonSuffix([...lonely], [...orphans])) match(way)
  const order = new Map(images.map((image, at) => [image, at]))
  const left = unpaired([...lonely], [...orphans])
  return {
    pairs: pairs.sort((a, b) => order.get(a.image)! - order.get(b.image)!),
    byLikeName: pairs.length - same,
    problems: [...left.lonely.map(({ problem }) => problem), ...left.orphans],
    lonely: left.lonely
  }
}

/** What all masks left add to the names of images, whatever it is: `_liver`, `_manual1`. */
function byCommonSuffix (lonely: readonly Named[], orphans: readonly Named[]): Way[] {
  const stems = lonely.map(({ stem }) => stem.toLowerCase())
  const suffixes = orphans.map(({ stem }) => {
    const name = stem.toLowerCase()
    const longest = stems.filter((image) => name.startsWith(image)).sort((a, b) => b.length - a.length)[0] ?? name
    return name.slice(longest.length)
  })
  const [suffix = ''] = suffixes
  // A number may count what the images do not: two names at least must agree on it.
  const isWord = /^[-_. ]+[a-z]/.test(suffix) && (!/\d/.test(suffix) || suffixes.length > 1)
  if (!isWord || suffixes.some((each) => each !== suffix)) return []
  const bare = (stem: string): string => stem.slice(0, stem.length - suffix.length)
  return [
    { image: within((stem) => stem), mask: within(bare) },
    { image: ({ stem }) => stem.toLowerCase(), mask: ({ stem }) => bare(stem).toLowerCase() }
  ]
}

function unpaired (
  lonely: readonly Named[],
  orphans: readonly Named[]
): { readonly lonely: Paired['lonely'], readonly orphans: readonly Problem[] } {
  const ofImage = Map.groupBy(orphans, within(bareMask))
  return {
    lonely: lonely.map((image) => {
      const count = ofImage.get(within((stem) => stem)(image))?.length ?? 0
      const reason = count > 1 ? `${count} masks fit the image by their names: make one of them` : NO_MASK
      return { image, problem: { file: image.file, reason } }
    }),
    orphans: orphans.map(({ file }) => ({ file, reason: 'the mask has no image of the same name' }))
  }
}

function onlyOnes (files: readonly Named[], keyOf: (file: Named) => string): Map<string, Named> {
  const found = new Map<string, Named | undefined>()
  for (const file of files) found.set(keyOf(file), found.has(keyOf(file)) ? undefined : file)
  return new Map([...found].flatMap(([key, file]) => file == null ? [] : [[key, file]]))
}

/** One file for every name; a second one is a problem. */
export function withoutTwins (files: readonly Named[]): { files: Named[], problems: Problem[] } {
  const seen = new Set<string>()
  const problems: Problem[] = []
  const kept = files.filter(({ key, file }) => {
    if (!seen.has(key)) return seen.add(key) != null
    problems.push({ file, reason: 'another file of the folder has the same name before the ending' })
    return false
  })
  return { files: kept, problems }
}
