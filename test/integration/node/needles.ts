import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import type { NamedTensor } from '../../../src/adapter/safetensors.ts'
import { seededRandom } from '../../../src/common/random.ts'

export const SIDE = 64
export const PATIENT = 'canary-patient-0815'
const IMAGES = 8
/** Bytes of a needle: four floats or sixteen pixels do not occur by chance. */
export const NEEDLE = 16
/** Of the numbers by which needles are looked up. */
const KEY = 4

export interface Needles { readonly name: string, readonly needles: Buffer[] }

/** Noise with a disc: every row of pixels is a canary. Without masks for a site without labels. */
export async function writeSite (folder: string, seed: number, { masks = true }: { masks?: boolean } = {}): Promise<Buffer[]> {
  const random = seededRandom(seed)
  const rows: Buffer[] = []
  await mkdir(join(folder, 'images'), { recursive: true })
  if (masks) await mkdir(join(folder, 'masks'))
  for (let image = 0; image < IMAGES; image++) {
    const pixels = Buffer.from(Array.from({ length: SIDE * SIDE }, () => Math.floor(random() * 256)))
    const mask = Buffer.from(pixels.map((_, i) => Math.hypot(i % SIDE - 30 - image, Math.floor(i / SIDE) - 30) < 16 ? 1 : 0))
    const name = `${PATIENT}-${seed}${String.fromCharCode(97 + image)}.png`
    const raw = { raw: { width: SIDE, height: SIDE, channels: 1 } } as const
    await sharp(pixels, raw).toColourspace('b-w').png().toFile(join(folder, 'images', name))
    if (masks) await sharp(mask, raw).toColourspace('b-w').png().toFile(join(folder, 'masks', name))
    for (let y = 0; y < SIDE; y += 7) rows.push(pixels.subarray(y * SIDE, y * SIDE + NEEDLE))
  }
  return rows
}

/** Sixteen bytes from several places of each tensor, as little-endian floats. */
export function floatNeedles (tensors: ReadonlyMap<string, NamedTensor>, perTensor: number): Buffer[] {
  const needles: Buffer[] = []
  for (const { data } of tensors.values()) {
    for (let i = 0; i < perTensor; i++) {
      const begin = Math.floor(i * (data.length - 4) / perTensor)
      const four = data.slice(begin, begin + 4)
      if (new Set(four).size === 4) needles.push(Buffer.from(four.buffer))
    }
  }
  return needles
}

/** How many of the needles, of four bytes or more, occur: in one pass, since there are thousands of them and megabytes of hay. */
export function countFound (hay: Buffer, needles: readonly Buffer[]): number {
  const byKey = new Map<number, Set<Buffer>>()
  for (const needle of needles) {
    const key = needle.readUInt32LE(0)
    byKey.set(key, (byKey.get(key) ?? new Set()).add(needle))
  }
  let found = 0
  for (let at = 0; at + KEY <= hay.length; at++) {
    const candidates = byKey.get(hay.readUInt32LE(at))
    for (const needle of candidates ?? []) {
      if (hay.compare(needle, 0, needle.length, at, Math.min(hay.length, at + needle.length)) !== 0) continue
      candidates!.delete(needle)
      found++
    }
  }
  return found
}
