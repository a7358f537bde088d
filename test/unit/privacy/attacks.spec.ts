import { readFile } from 'node:fs/promises'
import { expect } from 'chai'
import { advantageBound, defences, settingsUnder } from '../../../bench/privacy/defences.ts'
import { quality, type Grey } from '../../../bench/privacy/image-quality.ts'
import { judge, type World } from '../../../bench/privacy/membership.ts'
import { parseOptions } from '../../../bench/privacy/options.ts'
import { mean } from '../../../src/common/mean.ts'
import { normalNumbers } from '../../../src/common/normal-numbers.ts'
import { seededRandom } from '../../../src/common/random.ts'
import { UsageError } from '../../../src/errors.ts'
import { settingsOf } from '../../../src/experiment/jobs.ts'
import { promiseOf } from '../../../src/experiment/run-method.ts'
import { samConfig } from '../../../src/model/sam/build-sam.ts'
import { hiding } from '../../../src/privacy/clip-and-noise.ts'
import { gaussianDelta, gaussianMu } from '../../../src/privacy/gaussian.ts'
import { mechanismOf } from '../../../src/privacy/mechanism.ts'

/** Members and others by turns; a score that tells them apart by so much, and one that tells nothing. */
function world (seed: number, apart: number): World {
  const normal = normalNumbers(seededRandom(seed, 1))
  const members = Array.from({ length: 40 }, (_, i) => i % 2 === 0)
  return { members, scores: { empty: members.map(() => normal()), telling: members.map((isMember) => normal() + (isMember ? apart : 0)) } }
}

describe('an attack on membership', () => {
  const worlds = (apart: number): World[] => Array.from({ length: 8 }, (_, i) => world(i + 1, apart))

  it('is certain where scores are far apart, and takes the score that tells', () => {
    const { advantage, auc, scores } = judge(worlds(20), 1)
    expect([advantage.mean, advantage.low, auc.mean]).to.deep.equal([1, 1, 1])
    expect(new Set(scores)).to.deep.equal(new Set(['telling']))
  })

  it('has about no advantage where nothing tells, for its threshold is chosen elsewhere', () => {
    const { advantage, auc } = judge(worlds(0), 1)
    expect(Math.abs(advantage.mean)).to.be.below(0.15)
    expect(auc.mean).to.be.within(0.4, 0.6)
    expect(advantage.low).to.be.below(advantage.mean).and.below(0)
  })

  it('has in between what two normal distributions allow', () => {
    // 2·Φ(½) − 1
    expect(judge(worlds(1), 1).advantage.mean).to.be.within(0.2, 0.5)
  })
})

describe('the bound of an advantage', () => {
  it('is the tanh of half ε for patients, that of ε for sites, and none without a promise', () => {
    expect(advantageBound({ unit: 'patient', epsilon: 1, delta: 0 })).to.be.closeTo(Math.tanh(0.5), 1e-12)
    expect(advantageBound({ unit: 'site', epsilon: 1, delta: 0 })).to.be.closeTo(Math.tanh(1), 1e-12)
    expect(advantageBound({ unit: 'patient', epsilon: 1e-9, delta: 0.01 })).to.be.closeTo(0.01, 1e-6)
    expect(advantageBound()).to.equal(1)
  })

  it('is what the page says', async () => {
    const said = await readFile(new URL('../../../docs/privacy.md', import.meta.url), 'utf8')
    for (const [unit, delta] of [['patient', 1e-3], ['site', 1e-5]] as const) {
      const bounds = [8, 1].map((epsilon) => advantageBound({ unit, epsilon, delta }).toFixed(3))
      expect(said).to.match(new RegExp(`DP of ${unit}s, ε 8; ε 1 .*\\| ${bounds.join('; ')} \\|`))
    }
  })

  it('holds for the best attack that there is on the noise as it is landed, which comes near what the accountant says', () => {
    const [rounds, epsilon, delta, clip, trials] = [4, 2, 1e-5, 0.5, 1_000]
    const { noise } = mechanismOf({ privacy: { unit: 'site', epsilon, delta, clip }, training: { rounds } })!
    const hide = hiding({ clip, noise })
    // Far longer than the clip, in one direction: whoever knows that adds up what landed in it, and draws the line in the middle.
    const isSeen = (change: Float32Array): boolean =>
      Array.from({ length: rounds }, () => hide(change)[0]!).reduce((sum, value) => sum + value, 0) > rounds * clip / 2
    const share = (change: Float32Array): number => mean(Array.from({ length: trials }, () => Number(isSeen(change))))
    const advantage = share(Float32Array.of(9, 0)) - share(Float32Array.of(0, 0))
    const exact = gaussianDelta(gaussianMu(noise, rounds), 0)
    // Five standard deviations of a thousand trials.
    expect(advantage).to.be.within(exact - 0.11, exact + 0.11)
    expect(advantage).to.be.at.most(Math.tanh(epsilon / 2))
    expect(exact).to.be.above(0.12)
  }).timeout(60_000)
})

describe('the defences of bench:privacy', () => {
  it('are what a federation could sign, and promise what they say', () => {
    const job = { data: 'fundus-phantom', method: 'pfedsam-gossip', seed: 1, rounds: 4, train: 4, validation: 1, scoreEvery: 4 }
    for (const defence of defences([8, 1], 0.25)) {
      const promise = promiseOf(settingsOf({ ...job, settings: settingsUnder(defence, 16) }, samConfig('sam-tiny')))
      expect([promise?.unit, promise?.epsilon], defence.name).to.deep.equal([defence.privacy?.unit, defence.privacy?.epsilon])
    }
  })

  it('are asked for by flags, with two trainings at least', async () => {
    const { preset, data } = await parseOptions(['--preset', 'smoke', '--seeds', '1', '--rounds', '3', '--data', 'colin27'])
    expect([preset.seeds, preset.rounds, data]).to.deep.equal([[1, 2], 3, ['colin27']])
    expect(await parseOptions(['--data', 'nowhere']).catch((error: unknown) => error)).to.be.instanceOf(UsageError)
  })
})

describe('how near a picture is', () => {
  const picture = (of: (x: number, y: number) => number, side = 16): Grey => ({
    width: side,
    height: side,
    values: Float64Array.from({ length: side * side }, (_, i) => of(i % side, Math.floor(i / side)))
  })
  const truth = picture((x, y) => 8 * x + 4 * y)

  it('is all for itself, and little for its negative', () => {
    expect(quality(truth, truth)).to.deep.equal({ psnr: Infinity, ssim: 1 })
    expect(quality(picture((x, y) => 180 - 8 * x - 4 * y), truth).ssim).to.be.below(0)
  })

  it('is what the formulas say of a picture that is brighter by 10, and of a flat one', () => {
    expect(quality(picture((x, y) => 8 * x + 4 * y + 10), truth).psnr).to.be.closeTo(20 * Math.log10(255 / 10), 1e-9)
    const c1 = 2.55 ** 2
    const [flat, other] = [picture(() => 100), picture(() => 50)]
    expect(quality(flat, other).ssim).to.be.closeTo((2 * 5_000 + c1) / (12_500 + c1), 1e-9)
  })
})
