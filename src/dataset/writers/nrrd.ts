import type { Affine, Triple } from '../../formats/nifti-header.ts'

const TYPES = { uint8: Uint8Array, uint16: Uint16Array, int16: Int16Array, float32: Float32Array } as const
const NAMES: Readonly<Record<NrrdType, string>> = { uint8: 'uint8', uint16: 'uint16', int16: 'int16', float32: 'float' }
/** NRRD's world here runs to the left, the back and the head; NIfTI's to the right, the front and the head. */
const SIGNS = [-1, -1, 1] as const

export type NrrdType = keyof typeof TYPES

/** Voxels in their own order, at their place, as NRRD without compression: what viewers in a browser read. */
export function nrrdBytes (
  voxels: ArrayLike<number>,
  { dims, affine }: { readonly dims: Triple, readonly affine: Affine },
  type: NrrdType
): Buffer {
  const vector = (column: number): string => `(${SIGNS.map((sign, row) => sign * affine[row]![column]! + 0).join(',')})`
  const header = [
    'NRRD0004',
    `type: ${NAMES[type]}`,
    'dimension: 3',
    'space: left-posterior-superior',
    `sizes: ${dims.join(' ')}`,
    `space directions: ${[0, 1, 2].map(vector).join(' ')}`,
    'kinds: domain domain domain',
    'endian: little',
    'encoding: raw',
    `space origin: ${vector(3)}`
  ]
  const { buffer } = new TYPES[type](voxels)
  return Buffer.concat([Buffer.from(`${header.join('\n')}\n\n`), Buffer.from(buffer)])
}
