import { expect } from 'chai'
import { describeVote, LabelVotes } from '../../../src/rounds/label-votes.ts'
import type { LabelFits } from '../../../src/settings/labels.ts'

const asIs: LabelFits = { asIs: [[1, 2], [1, 3]], exchanged: [] }
const exchanged: LabelFits = { asIs: [[1, 3]], exchanged: [[2, 1]] }
const unsure: LabelFits = { asIs: [], exchanged: [] }

function others (...fits: LabelFits[]): Map<string, LabelFits> {
  return new Map(fits.map((each, i) => [`site-${i}`, each]))
}

function said (own: LabelFits, ...fits: LabelFits[]): string[] {
  return new LabelVotes('self').take(own, others(...fits)).map(describeVote)
}

describe('labels that look swapped', () => {
  it('are those of the smaller side, whichever way the model has learnt', () => {
    expect(said(exchanged, asIs, asIs, unsure)[0]).to.include('labels 2 and 1 look swapped at this site: at 2 others')
    expect(said(asIs, exchanged, exchanged)[0]).to.include('labels 2 and 1 look swapped at this site: at 2 others')
    const other = 'labels 2 and 1 look swapped at site-1: here and at one other they are the other way round'
    expect(said(asIs, asIs, exchanged)).to.deep.equal([other])
    expect(said(exchanged, exchanged, asIs)[0]).to.include('look swapped at site-1')
  })

  it('stay so when the model goes over to a site\'s own way, or disagrees with one after the other', () => {
    const votes = new LabelVotes('self')
    votes.take(unsure, others(exchanged, asIs, unsure))
    const [vote] = votes.take(asIs, others(asIs, unsure, unsure))
    expect(vote).to.equal(undefined)
    votes.take(unsure, others(asIs, unsure, exchanged))
    votes.take(exchanged, others(asIs, unsure, unsure))
    expect(votes.take(unsure, others(asIs, asIs, asIs)).map(describeVote)).to.deep.equal([
      'labels 2 and 1 look swapped at site-0: here and at 2 others they are the other way round'
    ])
  })

  it('are seen by sites too that never disagreed with anybody, but come near one side in the mean', () => {
    const votes = new LabelVotes('self')
    const rounds = [others(exchanged, unsure, unsure), others(unsure, unsure, unsure), others(unsure, unsure, exchanged)]
    for (const theirs of rounds) votes.take(asIs, theirs)
    expect(votes.take(asIs, others(unsure, unsure, unsure)).map(describeVote)[0]).to.include('look swapped at this site: at 3 others')
    const other = new LabelVotes('self')
    for (const theirs of [others(asIs, unsure), others(asIs, unsure), others(asIs, unsure)]) other.take(unsure, theirs)
    expect(other.take(exchanged, others(asIs, unsure)).map(describeVote)[0], 'half-way').to.include('one side has them swapped')
  })

  it('are one side\'s, nobody knows whose, where both are as many', () => {
    const undecided = 'labels 2 and 1 are the other way round at this site than at site-0: one side has them swapped'
    expect(said(asIs, exchanged)[0]).to.include(undecided)
  })

  it('are nobody\'s where all agree, or are not sure', () => {
    for (const [own, ...rest] of [[asIs, asIs, unsure], [exchanged, exchanged], [exchanged, unsure], [unsure, exchanged, asIs], [asIs]]) {
      expect(said(own!, ...rest)).to.deep.equal([])
    }
  })
})
