/**
 * Facets of the surface inside a cube of eight voxel centres, by the kinds of neighbourhood: each facet is the length of its normal's
 * components in eighths of a voxel face. From surface-distance (DeepMind, Apache-2.0), where marching cubes made them.
 */
const KINDS = [
  '000', '111', '004 004', '022 022', '040 040', '111 111', '202 202', '220 220', '400 400', '004 111 222', '022 022 111', '040 111 222',
  '111 111 111', '111 202 202', '111 220 220', '111 222 400', '004 111 111 222', '022 022 022 022', '022 111 202 333', '022 111 220 333',
  '040 111 111 222', '111 111 111 111', '111 111 222 222', '111 111 222 400', '111 202 220 333', '202 202 202 202', '220 220 220 220'
].map((kind) => kind.split(' ').map((facet) => [...facet].map((eighths) => Number(eighths) / 8)))

/** The kind of each neighbourhood code 0 to 127, as a letter; turned inside out (255 − code) the surface is the same. */
const KIND_OF_CODE =
  'abbhbgfpbfgphppibdflfjmwfknsotxpbfdlfnksfmjwoxtphlleoyulouylAoohbffodjktfmnxlwspgjnyjcqjnqznyjngfmkukqrkmvqmumkfpwsltjkdxmnfoffb'
const LETTERS = 'abcdefghijklmnopqrstuvwxyzA'

/** Area of the surface in a cube of 2×2×2 voxels, by its code: bit 4a + 2b + c is set where voxel (1 − a, 1 − b, 1 − c) is marked. */
function areasOfCubes ([x, y, z]: readonly [number, number, number]): Float64Array {
  const face = [y * z, x * z, x * y]
  const areas = KINDS.map((facets) => facets.reduce((sum, facet) => sum + Math.hypot(...facet.map((part, i) => part * face[i]!)), 0))
  return Float64Array.from({ length: 256 }, (_, code) => areas[LETTERS.indexOf(KIND_OF_CODE[Math.min(code, 255 - code)]!)]!)
}

/** Length of the contour in a square of 2×2 pixels, by its code. */
function lengthsOfSquares ([x, y]: readonly [number, number]): Float64Array {
  const corner = Math.hypot(x, y) / 2
  const lengths = [0, corner, corner, y, corner, x, 2 * corner, corner]
  return Float64Array.from({ length: 16 }, (_, code) => lengths[Math.min(code, 15 - code)]!)
}

/** How much surface (or contour) each neighbourhood code holds, for the spacing of three axes (or two). */
export function surfaceByCode (spacing: readonly number[]): Float64Array {
  const [x, y, z] = spacing as [number, number, number?]
  return z == null ? lengthsOfSquares([x, y]) : areasOfCubes([x, y, z])
}
