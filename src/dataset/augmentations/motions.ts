import type { Fitted, SliceMarks } from '../types.ts'

/** One of the eight motions of a square: a transposition first (if at all), then mirrors. */
export interface Motion { readonly mirrorX: boolean, readonly mirrorY: boolean, readonly transpose: boolean }

/** All of them, the one that moves nothing first. */
export const MOTIONS: readonly Motion[] = Array.from({ length: 8 }, (_, i) =>
  ({ mirrorX: (i & 1) > 0, mirrorY: (i & 2) > 0, transpose: (i & 4) > 0 }))

interface Size { readonly height: number, readonly width: number }

/** By pixel of the moved image, row by row, the pixel that comes to lie there; `size` is that of the image as it is. */
export function sourcesOf ({ height: h, width: w }: Size, { mirrorX, mirrorY, transpose }: Motion): Uint32Array {
  const [height, width] = transpose ? [w, h] : [h, w]
  const sources = new Uint32Array(height * width)
  for (let y = 0; y < height; y++) {
    const row = mirrorY ? height - 1 - y : y
    for (let x = 0; x < width; x++) {
      const column = mirrorX ? width - 1 - x : x
      sources[y * width + x] = transpose ? column * w + row : row * w + column
    }
  }
  return sources
}

/** Where what lies at a point of the image comes to lie. */
function movedPoint ([x, y]: readonly [number, number], { height, width }: Size, motion: Motion): [number, number] {
  const [across, down, w, h] = motion.transpose ? [y, x, height, width] : [x, y, width, height]
  return [motion.mirrorX ? w - across : across, motion.mirrorY ? h - down : down]
}

/** Points and boxes in pixels whose edges are whole numbers; `size` is that of the image as it is. */
export function movedMarks ({ points, boxes }: SliceMarks, size: Size, motion: Motion): SliceMarks {
  return {
    points: points.map(([x, y, code]) => [...movedPoint([x, y], size, motion), code] as const),
    boxes: boxes.map(([x0, y0, x1, y1, code]) => {
      const [[ax, ay], [bx, by]] = [movedPoint([x0, y0], size, motion), movedPoint([x1, y1], size, motion)]
      return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by), code] as const
    })
  }
}

/** Image, and all that is known of it, in the motion; the content stays at the top left of the canvas. */
export function move (fitted: Fitted, motion: Motion): Fitted {
  const { fittedHeight, fittedWidth, channels, marks, shares, given, pseudo } = fitted
  const size = { height: fittedHeight, width: fittedWidth }
  const sources = sourcesOf(size, motion)
  const moved = (plane: Uint8Array): Uint8Array => Uint8Array.from(sources, (from) => plane[from]!)
  return {
    ...fitted,
    ...(motion.transpose
      ? { height: fitted.width, width: fitted.height, fittedHeight: fittedWidth, fittedWidth: fittedHeight }
      : {}),
    image: movedImage(fitted.image, sources, channels),
    mask: moved(fitted.mask),
    ...(marks == null ? {} : { marks: moved(marks) }),
    ...(shares == null ? {} : { shares: new Map([...shares].map(([label, share]) => [label, moved(share)])) }),
    ...(given == null ? {} : { given: movedMarks(given, size, motion) }),
    ...(pseudo == null ? {} : { pseudo: pseudo.map((each) => ({ shares: moved(each.shares), certainty: moved(each.certainty) })) })
  }
}

function movedImage (image: Uint8Array, sources: Uint32Array, channels: number): Uint8Array {
  const out = new Uint8Array(image.length)
  sources.forEach((from, to) => {
    for (let c = 0; c < channels; c++) out[to * channels + c] = image[from * channels + c]!
  })
  return out
}

/** What undoes the motion: mirrors are exchanged where a transposition came before them. */
export function undoing ({ mirrorX, mirrorY, transpose }: Motion): Motion {
  return transpose ? { mirrorX: mirrorY, mirrorY: mirrorX, transpose } : { mirrorX, mirrorY, transpose }
}
