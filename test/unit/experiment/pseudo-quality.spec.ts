import { expect } from 'chai'
import { fitSlice, UNKNOWN, type Fitted } from '../../../src/dataset/index.ts'
import { pseudoQuality, qualityInWords } from '../../../src/experiment/pseudo-quality.ts'
import type { TrainedSite } from '../../../src/experiment/site-model.ts'
import type { OnMade } from '../../../src/model/pseudo/pool.ts'
import { PSEUDO } from '../../../src/settings/methods/weak.ts'

const SIDE = 8
const METHOD = { method: { pseudo: PSEUDO } }

describe('the quality of pseudo-masks', () => {
  const whole = async (id: string): Promise<Fitted> => await fitSlice({
    id,
    subject: id,
    index: 0,
    height: SIDE,
    width: SIDE,
    channels: 1,
    image: new Uint8Array(SIDE ** 2),
    // The left half.
    mask: Uint8Array.from({ length: SIDE ** 2 }, (_, i) => Number(i % SIDE < SIDE / 2))
  }, SIDE)
  const bare = (fitted: Fitted): Fitted => ({ ...fitted, kind: 'none', mask: new Uint8Array(fitted.mask.length).fill(UNKNOWN) })

  /** A site that would make these masks: columns that each shows, and whether it is certain. */
  const site = (samples: readonly Fitted[], made: readonly { readonly columns: number, readonly sure: boolean }[]): TrainedSite => ({
    samples,
    guess: (_round: number, _pool: unknown, onMade: OnMade): Promise<void> => {
      made.forEach(({ columns, sure }, i) => {
        const shares = Uint8Array.from({ length: SIDE ** 2 }, (_, cell) => cell % SIDE < columns ? 255 : 0)
        const coarse = new Float32Array(SIDE ** 2)
        onMade(samples[i]!, 0, { coarse, shares, measures: { absolute: sure ? 0 : 1, relative: 0, departure: 0 } })
      })
      return Promise.resolve()
    }
  }) as unknown as TrainedSite

  it('is their Dice against masks that training does not see, of all and of those that are used', async () => {
    const masks = [await whole('a'), await whole('b'), await whole('c')]
    const hidden = new Map(masks.map((each) => [each.id, each]))
    const samples = masks.map(bare)
    const quality = (await pseudoQuality(site(samples, [{ columns: 4, sure: true }, { columns: 8, sure: false }]), hidden, 1, METHOD))!
    expect(quality).to.deep.equal({ images: 3, made: 2, selected: 0.5, dice: (1 + 2 / 3) / 2, diceSelected: 1, teacher: 0 })
    expect(qualityInWords([quality, undefined]))
      .to.equal("pseudo-masks of 2 of 3 images: Dice 83.3, the teacher's own 0.0; 50.0 % selected, with Dice 100.0")
  })

  it('is none where the method makes none, or all images have whole masks, and says so of masks that are not there', async () => {
    const mask = await whole('a')
    const hidden = new Map([['a', mask]])
    expect(await pseudoQuality(site([bare(mask)], []), hidden, 1, { method: { pseudo: { ...PSEUDO, weight: 0 } } })).to.equal(undefined)
    expect(await pseudoQuality(site([mask], []), hidden, 1, METHOD)).to.equal(undefined)
    expect(await pseudoQuality(site([bare(mask)], []), undefined, 1, METHOD)).to.equal(undefined)
    expect(qualityInWords([undefined])).to.equal(undefined)
    const none = await pseudoQuality(site([bare(mask)], []), hidden, 1, METHOD)
    expect(qualityInWords([none])).to.equal("pseudo-masks of 0 of 1 images: Dice –, the teacher's own –; 0.0 % selected, with Dice –")
  })
})
