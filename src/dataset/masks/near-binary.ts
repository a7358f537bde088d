const WHITE = 255
/** Brightness up to this, or as near to white, is black or white that went through JPEG or resizing. */
const BAND = 31
/** Areas of one exact value this near to black and white are still that; others are labels. */
const LEVEL = { exact: 7, lossy: 15 } as const
/** Pixels within an area that make a value a level of its own. */
const AREA = 8
/** Neighbours in an area of one level under JPEG noise. */
const RIPPLE = 8
/** Inner pixels of grey areas, as a share of all grey pixels, from which there is a third level. */
const PLATEAU_SHARE = 0.1

export interface Brightness { readonly data: Uint8Array, readonly height: number, readonly width: number }

/** Whether a picture is black and white with noise or soft edges between, as JPEG and resizing leave it, and not one of labels. */
export function isNearlyBinary (picture: Brightness, lossy = false): boolean {
  const counts = countsOf(picture.data)
  if (sum(counts, WHITE - BAND, WHITE) === 0) return false
  if (isShifted(counts)) return true
  // Masks of labels are exact.
  if (!lossy && !isNoisy(counts)) return false
  if (sum(counts, BAND + 1, WHITE - BAND - 1) > sum(counts, WHITE - BAND, WHITE) / 2) return false
  return !hasFurtherLevel(picture, lossy ? LEVEL.lossy : LEVEL.exact)
}

function countsOf (data: Uint8Array): Uint32Array {
  const counts = new Uint32Array(256)
  for (let i = 0; i < data.length; i++) counts[data[i]!]!++
  return counts
}

function sum (counts: Uint32Array, from: number, to: number): number {
  return counts.subarray(from, to + 1).reduce((total, each) => total + each, 0)
}

/** JPEG may move all of black or white by a little, so that nothing is 0. */
function isShifted (counts: Uint32Array): boolean {
  const [black, white] = [sum(counts, 1, LEVEL.exact), sum(counts, WHITE - LEVEL.exact, WHITE)]
  return counts[0] === 0 && black > 0 && white > 0 && sum(counts, LEVEL.exact + 1, WHITE - LEVEL.exact - 1) === 0
}

/** Noise shows in what is nearly white, soft edges in several greys. */
function isNoisy (counts: Uint32Array): boolean {
  const distinct = (from: number, to: number): number => counts.subarray(from, to + 1).filter((each) => each > 0).length
  // No one numbers labels 254 and 255.
  if (counts[WHITE]! > 0 && sum(counts, WHITE - LEVEL.exact, WHITE - 1) > 0) return true
  return distinct(1, WHITE - 1) >= 3 && (sum(counts, WHITE - BAND, WHITE - 1) > 0 || distinct(BAND + 1, WHITE - BAND - 1) >= 3)
}

function hasFurtherLevel ({ data, height, width }: Brightness, near: number): boolean {
  const flat = new Uint32Array(256)
  let greys = 0
  let inner = 0
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x
      const value = data[at]!
      if (value <= near || value >= WHITE - near) continue
      const difference = Math.max(...[-1, 1, -width, width].map((step) => Math.abs(data[at + step]! - value)))
      if (difference === 0) flat[value]!++
      if (value <= BAND || value >= WHITE - BAND) continue
      greys++
      if (difference <= RIPPLE) inner++
    }
  }
  return flat.some((area) => area >= AREA) || inner > Math.max(AREA, PLATEAU_SHARE * greys)
}

/** Black and white, 0 and 255: what is at least half bright is white. */
export function thresholded ({ data }: Brightness): Uint8Array {
  return data.map((value) => value >= 128 ? WHITE : 0)
}
