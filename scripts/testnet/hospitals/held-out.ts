import { resolve } from 'node:path'
import { loadDataset } from '../../../src/dataset/index.ts'
import type { Hospital } from './hospitals.ts'
import { writeApart } from './write-apart.ts'

/** One slice in so many is for validation. */
const HELD_OUT = 4

/**
 * A data folder in `folder` with the hospital's slices as pictures, every fourth of which is for validation, whatever the classes: a slab
 * would hold out none or one or two of the few slices of a rare class, and other slices where other classes are looked at.
 */
export async function withHeldOut (
  hospital: Hospital,
  { folder, seed }: { readonly folder: string, readonly seed: number }
): Promise<Hospital> {
  const { slices } = await loadDataset(hospital.data, { empty: true })
  const sorted = slices.toSorted((a, b) => a.index - b.index)
  const isHeldOut = (_: unknown, i: number): boolean => (i + seed) % HELD_OUT === 0
  const training = sorted.filter((slice, i) => !isHeldOut(slice, i))
  const data = resolve(folder, hospital.name)
  await writeApart(data, { training, heldOut: sorted.filter(isHeldOut) }, seed)
  return { ...hospital, data }
}
