import { branched, type Random } from '../../common/random.ts'
import { greyPlanes, toImages, type Pixels } from '../transforms/batch.ts'
import type { Fitted } from '../types.ts'
import { amplitudesOf, inLook, planeOf } from './frequency.ts'
import { drawNetwork, GIN, RAND_CONV, throughNetwork, type NetworkShape, type Planes } from './random-network.ts'
import { smoothField } from './smooth-field.ts'
import { strongView } from './strong.ts'

/** How training images are shown anew each time (docs/spec/views.md). */
export interface ViewOptions {
  readonly kind: 'gin' | 'spatial' | 'frequency' | 'strong'
  /** Part of the images that is changed, 0..1; none draws no random number. */
  readonly share: number
  /** Two views of an image are mixed by a smooth map, `gin` and `spatial` alone. */
  readonly blend?: boolean | undefined
}

/** Low frequencies up to 1…4 take another own image's amplitudes. */
const MOST_WINDOW = 4
/** Control points of the map that blends two views lie so far apart, in parts of the side (48 of 192 pixels in GIN's code). */
const BLEND_EVERY = 1 / 4
const NETWORKS: Readonly<Partial<Record<ViewOptions['kind'], NetworkShape>>> = { gin: GIN, spatial: RAND_CONV }

/** Changed before they become numbers of the network: `frequency` and `strong`. Others' images come from the same batch. */
export function viewedSlices (batch: readonly Fitted[], { kind, share }: ViewOptions, random: Random): readonly Fitted[] {
  if (share === 0 || NETWORKS[kind] != null) return batch
  const own = branched(random)
  return batch.map((fitted, b) => {
    if (own() >= share) return fitted
    if (kind === 'strong') return strongView(fitted, own)
    const another = batch[(b + 1 + Math.floor(own() * (batch.length - 1))) % batch.length]!
    return frequencyView(fitted, another, own)
  })
}

/** Network input [B, S, S, 3] with the views `gin` and `spatial`; the padding stays 0. */
export function viewedImages (
  batch: readonly Fitted[],
  { pixels = 'imagenet', views, random }: { readonly pixels?: Pixels | undefined, readonly views: ViewOptions, readonly random: Random }
): Float32Array {
  const images = toImages(batch, pixels)
  const shape = NETWORKS[views.kind]
  if (views.share === 0 || shape == null) return images
  const own = branched(random)
  const size = images.length / batch.length
  batch.forEach((fitted, b) => {
    if (own() >= views.share) return
    const image = images.subarray(b * size, (b + 1) * size)
    const planes = planesOf(image, fitted)
    const first = drawView(planes, shape, own)
    const shown = views.blend === true ? blended(first, drawView(planes, shape, own), fitted.side, own) : first
    putPlanes(shown, fitted.side, pixels, image)
  })
  return images
}

function drawView (planes: Planes, shape: NetworkShape, random: Random): Planes {
  const network = drawNetwork(shape, planes.channels, random)
  return throughNetwork(planes, network, random())
}

/** b·first + (1 − b)·second, b a smooth map in 0..1. */
function blended (first: Planes, second: Planes, side: number, random: Random): Planes {
  const { height, width } = first
  const map = smoothField({ height, width, every: Math.max(2, BLEND_EVERY * side) }, random)
  const values = first.values.map((value, i) => {
    const b = map[i % (height * width)]!
    return b * value + (1 - b) * second.values[i]!
  })
  return { ...first, values }
}

/** The content alone: one plane of a grey image whose three are alike, else three. */
function planesOf (image: Float32Array, { side, fittedHeight: height, fittedWidth: width, channels }: Fitted): Planes {
  const values = new Float32Array(channels * height * width)
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) values[(c * height + y) * width + x] = image[(y * side + x) * 3 + c]!
    }
  }
  return { channels, height, width, values }
}

function putPlanes ({ channels, height, width, values }: Planes, side: number, pixels: Pixels, image: Float32Array): void {
  const grey = greyPlanes(pixels)
  for (let c = 0; c < 3; c++) {
    const from = (channels === 1 ? 0 : c) * height
    const { gain, shift } = channels === 1 ? grey[c]! : { gain: 1, shift: 0 }
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) image[(y * side + x) * 3 + c] = gain * values[(from + y) * width + x]! + shift
    }
  }
}

function frequencyView (fitted: Fitted, other: Fitted, random: Random): Fitted {
  const smallest = Math.min(fitted.fittedHeight, fitted.fittedWidth, other.fittedHeight, other.fittedWidth)
  const window = Math.min(1 + Math.floor(random() * MOST_WINDOW), Math.floor((smallest - 1) / 2))
  const ratio = random()
  return inLook(fitted, { window, ratio, amplitudes: (c) => amplitudesOf(planeOf(other, Math.min(c, other.channels - 1)), window) })
}
