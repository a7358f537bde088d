import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { cropped } from '../../../../src/model/scores/block.ts'
import { borderDistances, borderHausdorff95 } from '../../../../src/model/scores/border.ts'
import { FOREGROUND, scoreCase, type Plane } from '../../../../src/model/scores/case-scores.ts'
import { surfaceDice, surfaceHausdorff95, surfacesOf } from '../../../../src/model/scores/surface.ts'

type Figure = number | 'nan' | 'inf'
interface Figures { readonly dice: Figure, readonly nsd: Figure, readonly hd95: Figure }
type Triple = readonly [number, number, number]

/** test/fixtures/scores/README.md */
interface Pair {
  readonly shape: Triple
  readonly spacing: Triple
  readonly tolerance: number
  readonly truth: string
  readonly prediction: string
  readonly surfaceDistance: Figures
  readonly monai: Figures
  readonly plane: Figures
}

const pairs = readFileSync(new URL('../../../fixtures/scores/volumes.jsonl', import.meta.url), 'utf8').trim().split('\n')
  .map((line) => JSON.parse(line) as Pair)

function unpacked (bits: string, [depth, height, width]: Triple): Uint8Array {
  const bytes = Buffer.from(bits, 'base64')
  return Uint8Array.from({ length: depth * height * width }, (_, i) => bytes[i >> 3]! >> (7 - i % 8) & 1)
}

function planesOf ({ shape, truth, prediction }: Pair): Plane[] {
  const [depth, height, width] = shape
  const [t, p] = [unpacked(truth, shape), unpacked(prediction, shape)]
  return Array.from({ length: depth }, (_, k) => {
    const cut = (mask: Uint8Array): Uint8Array => mask.subarray(k * height * width, (k + 1) * height * width)
    return { height, width, truth: cut(t), prediction: cut(p) }
  })
}

function expectEqual (actual: number, expected: Figure, what: string, within = 1e-6): void {
  if (expected === 'nan') expect(actual, what).to.be.NaN
  else if (expected === 'inf') expect(actual, what).to.equal(Infinity)
  else expect(actual, what).to.be.closeTo(expected, within)
}

describe('scores of volumes equal two packages', () => {
  it('are 50, anisotropic, some with an empty side', () => {
    expect(pairs).to.have.length(50)
    expect(pairs.every(({ spacing }) => new Set(spacing).size === 3)).to.equal(true)
    const empty = pairs.map((pair) => (['truth', 'prediction'] as const).map((side) => !unpacked(pair[side], pair.shape).includes(1)))
    expect(new Set(empty.map(String)).size).to.equal(4)
  })

  for (const [number, pair] of pairs.entries()) {
    const isEmpty = pair.surfaceDistance.dice === 'nan'

    it(`surface-distance on volume ${number}`, () => {
      const score = scoreCase({ planes: planesOf(pair), spacing: pair.spacing }, FOREGROUND, pair.tolerance)
      expectEqual(score.dice, pair.surfaceDistance.dice, 'Dice')
      expectEqual(score.nsd, pair.surfaceDistance.nsd, 'NSD')
      // The package says that two empty masks are infinitely far apart; here they have no distance.
      expectEqual(score.hd95, isEmpty ? 'nan' : pair.surfaceDistance.hd95, 'HD95')
    })

    it(`MONAI on volume ${number}`, () => {
      const { dice, nsd, hd95Voxels } = scoreCase({ planes: planesOf(pair), spacing: pair.spacing }, FOREGROUND, pair.tolerance)
      // MONAI leaves a Dice with an empty truth out, and knows no distance from an empty mask.
      if (pair.monai.dice === 'nan') expect(dice).to.deep.equal(isEmpty ? NaN : 0)
      else expectEqual(dice, pair.monai.dice, 'Dice')
      expectEqual(nsd, pair.monai.nsd, 'NSD')
      if (pair.monai.hd95 === 'nan') expect(hd95Voxels).to.deep.equal(isEmpty ? NaN : Infinity)
      // A float32 of 8 has no finer steps than 1e-6.
      else expectEqual(hd95Voxels, pair.monai.hd95, 'HD95', 1e-6 * Math.max(1, Number(pair.monai.hd95)))
    })

    it(`surface-distance on the first plane of volume ${number}`, () => {
      const { truth, prediction, height, width } = planesOf(pair)[0]!
      const block = { shape: [height, width], truth: truth as Uint8Array, prediction: prediction as Uint8Array }
      const surfaces = surfacesOf(cropped(block), pair.spacing.slice(1))
      expectEqual(surfaceDice(surfaces, pair.tolerance), pair.plane.nsd, 'NSD')
      expectEqual(surfaceHausdorff95(surfaces), pair.plane.dice === 'nan' ? 'nan' : pair.plane.hd95, 'HD95')
    })
  }

  it('a hole has a border, and so has the edge of the picture', () => {
    const ring = Uint8Array.from({ length: 25 }, (_, i) => i === 12 ? 0 : 1)
    const full = new Uint8Array(25).fill(1)
    const distances = borderDistances(cropped({ shape: [5, 5], truth: full, prediction: ring }), [2, 3])
    expect([distances.truth.length, distances.prediction.length]).to.deep.equal([16, 24 - 4])
    expect(borderHausdorff95(distances)).to.be.greaterThan(0)
  })
})
