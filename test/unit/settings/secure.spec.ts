import { expect } from 'chai'
import { averaging as section, defaultAveraging, type AveragingSettings } from '../../../src/settings/averaging.ts'
import { conflictInSecure, sealedOf } from '../../../src/settings/secure.ts'

function averaging (secure: AveragingSettings['secure'], over: object = {}): AveragingSettings {
  return { ...defaultAveraging({ coolDownSeconds: 1 }), ...over, secure }
}

describe('averaging.secure', () => {
  it('is nothing that a document has to say, and sealed says the rest', () => {
    expect(sealedOf(defaultAveraging({ coolDownSeconds: 1 }))).to.equal(undefined)
    expect(sealedOf(averaging({ mode: 'none' }))).to.equal(undefined)
    expect(sealedOf(averaging({ mode: 'sealed', minimum: 4 }))).to.deep.equal({ size: 4, minimum: 4, bound: 1, patience: 5 })
    expect(conflictInSecure(averaging({ mode: 'sealed' }))).to.equal(undefined)
  })

  it('refuses groups of two, groups that cannot be, and sums that would be wrong', () => {
    for (const wrong of [{ minimum: 2 }, { size: 2 }, { bound: 0 }, { patience: 0 }, { size: 2.5 }]) {
      expect(section.safeParse(averaging({ mode: 'sealed', ...wrong })).success, JSON.stringify(wrong)).to.equal(false)
    }
    expect(conflictInSecure(averaging({ mode: 'sealed', minimum: 5 }))).to.contain('say a larger size')
    expect(conflictInSecure(averaging({ mode: 'sealed' }, { maxMass: 10.5 }))).to.contain('whole averaging.maxMass')
    expect(conflictInSecure(averaging({ mode: 'sealed' }, { maxMass: 100_000 }))).to.contain('too coarse')
    expect(conflictInSecure(averaging({ mode: 'none' }, { maxMass: 100_000 }))).to.equal(undefined)
  })
})
