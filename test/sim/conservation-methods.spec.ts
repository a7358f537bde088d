import { expect } from 'chai'
import { measure, type Case } from '../../bench/attacks/measure.ts'

// Of the tables in docs/spec/mixing.md, each with the worst lie of its method: `npm run bench:attacks` prints all.
const LIES = {
  robust: ['drift at the radius, facts: the worst off, with 25 times the mass', 0.5],
  generalisation: ['drift at the radius, facts: the largest gap, with 25 times the mass', 0.15],
  units: ['drift at the radius, facts: 25 times the mass', 0.25],
  relations: ['drift at the radius, its core: drift, nearly too far', 0.2],
  clusters: ['drift at the radius, facts: half of each kind', 0.35]
} as const

describe('whoever learns from whom', function () {
  this.timeout(600_000)

  for (const [by, [kind, bound]] of Object.entries(LIES) as [NonNullable<Case['by']>, readonly [string, number]][]) {
    it(`${by}: each number of Σw·x moves by what lands alone, and a liar moves their mean so far and no farther`, async () => {
      const ten = { sites: 10, seed: 1, by } as const
      const honest = await measure({ ...ten, liars: 0 })
      expect(honest.changed).to.be.below(1e-6)
      expect(honest).to.include({ honestNamed: 0 })
      const lied = await measure({ ...ten, liars: 1, kind })
      // Whatever is sent, both sides move by the same.
      expect(lied.changed, kind).to.be.below(1e-6)
      expect(lied.moved, kind).to.be.below(bound)
      expect(lied.honestNamed, kind).to.equal(0)
    })
  }
})
