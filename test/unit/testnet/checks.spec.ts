import { expect } from 'chai'
import { judge, type CheckInput } from '../../../scripts/testnet/checks/checks.ts'
import type { Strike } from '../../../scripts/testnet/journal.ts'
import type { SiteOutcome } from '../../../scripts/testnet/report/build-report.ts'
import { facts, homeResult, NONE, outcome, round, summary, vector } from './fixtures.ts'

function whole (): CheckInput {
  return {
    report: facts([outcome(0, 'a'), outcome(1, 'b')]),
    rounds: 2,
    strikes: [],
    conditions: NONE,
    waited: new Set<string>(),
    orphaned: [],
    ledgers: { matched: 9, explained: 0, problems: [] },
    standard: true,
    compared: false
  }
}

function failing (change: Partial<CheckInput>): string[] {
  return judge({ ...whole(), ...change }).filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
}

const killed: Strike = { fault: { kind: 'kill', site: 1, round: 1 }, name: 'b', peerId: 'peer-of-b', round: 1 }
const restarted: Strike = {
  fault: { kind: 'restart', site: 1, round: 1 },
  name: 'b',
  peerId: 'peer-of-b',
  round: 1,
  peerIdAfter: 'peer-of-b',
  roundAfter: 1
}
const dead = outcome(1, 'b', { result: homeResult('b', { summary: undefined, rounds: [] }) }, { exitCode: null, signal: 'SIGKILL' })

describe('checks', () => {
  it('hold a hospital without labels to the common model, masks, no Dice, and moving nobody', () => {
    const reader = { name: 'r', peerId: 'p', rounds: 2, reads: 3, hasDice: false, distance: 0.01, masks: 9, stepsTaken: 0, exitCode: 0 }
    const withReader = (change: Partial<typeof reader>): string[] =>
      failing({ report: { ...whole().report, readers: [{ ...reader, ...change }] } }).map((each) => each.split(':')[0]!)
    expect(withReader({})).to.deep.equal([])
    const ended = 'r, without labels, ended with the common model and masks of its images'
    for (const change of [{ exitCode: 1 }, { rounds: 1 }, { masks: 0 }, { hasDice: true }, { distance: 0.2 }]) {
      expect(withReader(change), JSON.stringify(change)).to.deep.equal([ended])
    }
    expect(withReader({ stepsTaken: 4 })).to.deep.equal(['r moved nobody'])
  })

  it('all hold for a good run', () => {
    expect(failing({})).to.deep.equal([])
  })

  it('see a hospital that failed, stopped early or exchanged too little', () => {
    expect(failing({ report: facts([outcome(0, 'a'), outcome(1, 'b', {}, { exitCode: 1 })]) })[0]).to.include(
      'b: 2 of 2 rounds, exit code 1'
    )
    expect(failing({ report: facts([outcome(0, 'a'), outcome(1, 'b', { result: homeResult('b', { rounds: [round(1)] }) })]) })[0]).to
      .include('b: 1 of 2 rounds')
    const lonely = outcome(1, 'b', { result: homeResult('b', { summary: summary('b', { exchangesByRound: [2, 1] }) }) })
    expect(failing({ report: facts([outcome(0, 'a'), lonely]) })).to.deep.equal([
      'at least 2 exchanges per hospital and round: b 1 in round 2'
    ])
  })

  it('see ledgers that contradict each other, or say nothing', () => {
    const name = 'every audit ledger holds, and every two agree about their exchanges'
    expect(failing({ ledgers: { matched: 9, explained: 1, problems: ['a and b, exchange 1: a sent another vector'] } })).to.deep.equal([
      `${name}: a and b, exchange 1: a sent another vector`
    ])
    expect(failing({ ledgers: { matched: 0, explained: 0, problems: [] } })).to.have.length(1)
    expect(failing({ ledgers: { matched: 9, explained: 1, problems: [] } })).to.be.empty
  })

  it('see a hospital that sends more than a 45th of all parameters in a round', () => {
    const talkative = outcome(1, 'b', { result: homeResult('b', { summary: summary('b', { bytesSent: 4e5 }) }) })
    expect(failing({ report: facts([outcome(0, 'a'), talkative]) })).to.deep.equal([
      'bytes sent per round and hospital at most 1/45 of all parameters: ' +
        'busiest: 200 kB, 36.5 times fewer than the 7297 kB of FedSAM'
    ])
    expect(failing({ report: facts([outcome(0, 'a'), talkative], { method: 'fedsam' }) })).to.be.empty
    expect(failing({ report: facts([outcome(0, 'a'), talkative]), standard: false })).to.be.empty
  })

  it('count what is sent by class where there are several', () => {
    const score = { frozen: 0.6, global: 0.95, personal: 0.95 }
    const sending = (bytesSent: number): string[] => {
      const divided = summary('b', { bytesSent, classes: { brain: score, core: score } })
      return failing({ report: facts([outcome(0, 'a'), outcome(1, 'b', { result: homeResult('b', { summary: divided }) })]) })
    }
    expect(sending(6e5)).to.be.empty
    expect(sending(8e5)[0]).to.include('per round, class and hospital').and.to.include('busiest: 200 kB')
  })

  it('see adapters that lie apart', () => {
    const apart = outcome(1, 'b', { result: homeResult('b', { final: vector(1, 1) }) })
    expect(failing({ report: facts([outcome(0, 'a'), apart]) })[0]).to.include('relative consensus distance at the end ≤ 0.1: 0.3333')
  })

  it('leave a liar out of the distance, which is then no promise', () => {
    const [near, far] = [outcome(1, 'b'), outcome(2, 'c', { result: homeResult('c', { final: vector(9, 9) }) })]
    const distance = (sites: Parameters<typeof facts>[0], liars: Set<number>): unknown =>
      judge({ ...whole(), report: facts(sites, {}, { liars }), conditions: { ...NONE, liars } }).find(({ name }) =>
        name.startsWith('relative consensus')
      )
    expect(distance([outcome(0, 'a'), near, far], new Set([2]))).to.deep.include({ kind: 'measure', ok: true })
    expect(distance([outcome(0, 'a'), near, far], new Set())).to.deep.include({ kind: 'result', ok: false })
  })

  it('promise nothing about the Dice of a liar', () => {
    const poor = outcome(2, 'c', {
      result: homeResult('c', { summary: summary('c', { dice: { frozen: 0.6, global: 0.1, personal: 0.1 }, warnings: [] }) })
    })
    const naming = outcome(0, 'a', {
      result: homeResult('a', { summary: summary('a', { warnings: ['the adapter of site peer-of-c was clipped again and again'] }) })
    })
    const report = facts([naming, outcome(1, 'b'), poor])
    expect(failing({ report, conditions: { ...NONE, liars: new Set([2]) } })).to.deep.equal([])
    expect(failing({ report }).join()).to.include('mean personal Dice ≥ 0.88: 0.6333')
  })

  it('see low Dice and little gain, but promise figures for the sample only', () => {
    const weak = facts([
      outcome(0, 'a', { result: homeResult('a', { summary: summary('a', { dice: { frozen: 0.6, global: 0.6, personal: 0.65 } }) }) })
    ])
    const report = { ...weak, consensus: [{ t: 1, round: null, sites: 2, distance: 0 }] }
    expect(failing({ report })).to.deep.equal([
      'mean personal Dice ≥ 0.88: 0.6500',
      'mean personal Dice ≥ mean frozen Dice + 0.10: 0.6500 against 0.6000'
    ])
    expect(failing({ report, standard: false })).to.deep.equal([])
  })

  it('do not take a missing figure for a good one', () => {
    const report = { ...facts([dead]), consensus: [] }
    expect(failing({ report }).join()).to.include('mean personal Dice ≥ 0.88: NaN').and.to.include('fewer than two hospitals finished')
  })

  it('of time are about this machine too', () => {
    const slow = outcome(1, 'b', { result: homeResult('b', { summary: summary('b', { eventLoopP99Ms: 50 }) }) })
    const all = judge({ ...whole(), report: facts([outcome(0, 'a'), slow], { wallSeconds: 200 }) })
    expect(all.filter(({ ok }) => !ok).map(({ kind }) => kind)).to.deep.equal(['measure', 'measure'])
  })

  it('leave out a hospital that was killed for good', () => {
    const report = facts([outcome(0, 'a'), dead, outcome(2, 'c')])
    expect(failing({ report, strikes: [killed] })).to.deep.equal([])
    expect(failing({ report, strikes: [killed], orphaned: ['b'] })).to.deep.equal([
      'the trainer of b ended with its killed daemon: it had to be ended'
    ])
  })

  it('follow a restarted hospital', () => {
    expect(failing({ strikes: [restarted] })).to.deep.equal([])
    expect(failing({ strikes: [{ ...restarted, peerIdAfter: 'another' }] })).to.deep.equal(['b came back under the same peer id: another'])
    const { roundAfter: _, ...unseen } = restarted
    expect(failing({ strikes: [unseen] })).to.deep.equal(['b resumed from its checkpoint: it did not work again'])
    expect(failing({ strikes: [{ ...restarted, round: 2 }] })).to.deep.equal([
      'b resumed from its checkpoint: killed in round 2, went on in round 1'
    ])
    const alone = outcome(1, 'b', { result: homeResult('b', { summary: summary('b', { exchangesByRound: [2, 0] }) }) })
    expect(failing({ report: facts([outcome(0, 'a'), alone]), strikes: [restarted] }).at(-1)).to.equal(
      'b found the others again: 0 exchanges in the rounds after'
    )
  })

  it('compare with training alone', () => {
    const sites = (local: number | null) => [outcome(0, 'a', { local }), outcome(1, 'b', { local })]
    expect(failing({ report: facts(sites(0.904), { crossSite: { local: 0.7, global: 0.8 } }), compared: true })).to.deep.equal([])
    expect(failing({ report: facts(sites(0.91), { crossSite: { local: 0.8, global: 0.82 } }), compared: true })).to.have.length(2)
    expect(failing({ report: facts(sites(null)), compared: true })).to.have.length(2)
  })

  it('judge lost frames, slow hospitals and liars', () => {
    const doubting = outcome(1, 'b', { result: homeResult('b', { summary: summary('b', { inDoubt: 1 }) }) })
    const conditions = { ...NONE, loss: 0.05 }
    expect(failing({ conditions })).to.deep.equal([])
    expect(failing({ conditions, report: facts([outcome(0, 'a'), doubting]) })).to.deep.equal([
      'exchanges cut off by lost frames are settled: b: 1 in doubt'
    ])
    const four = facts(['a', 'b', 'c', 'd'].map((name, index) => outcome(index, name)))
    const slow = { ...NONE, slow: new Map([[1, 4]]) }
    expect(failing({ conditions: slow, report: four })).to.deep.equal([])
    expect(failing({ conditions: slow, report: four, waited: new Set(['b']) })).to.deep.equal([])
    expect(failing({ conditions: slow, report: four, waited: new Set(['c']) })).to.deep.equal(['nobody waited for b: c paused'])
    const half = { ...NONE, slow: new Map([[1, 9], [2, 9]]) }
    expect(failing({ conditions: half, report: four })).to.deep.equal([])
    expect(failing({ conditions: half, report: four, waited: new Set(['a']) })).to.deep.equal(['nobody waited for b and c: a paused'])
    // Of two, the fast one has nobody else to exchange with.
    const two = facts(['a', 'b'].map((name, index) => outcome(index, name)))
    expect(failing({ conditions: slow, report: two, waited: new Set(['a']) })).to.deep.equal([])
    const large = { ...NONE, images: new Map([[0, 9], [1, 9], [2, 9]]) }
    expect(failing({ conditions: large, report: four, waited: new Set(['a']) })).to.deep.equal([])
    expect(failing({ conditions: large, report: four, waited: new Set(['d']) })).to.deep.equal([
      'nobody waited for a and b and c: d paused'
    ])
    const most = { ...NONE, slow: new Map([[1, 4], [2, 4], [3, 4]]) }
    expect(failing({ conditions: most, report: four, waited: new Set(['a']) })).to.deep.equal([])
    expect(failing({ conditions: most, report: four })).to.have.length(1)
    const swapped = { ...NONE, swapped: new Set([1]) }
    expect(failing({ conditions: swapped })).to.deep.equal([
      'labels exchanged at b are named there by the scores, and nowhere else: not by b'
    ])
    const named = (index: number, name: string): SiteOutcome => outcome(index, name, {
      result: homeResult(name, { summary: summary(name, { warnings: ['labels 1 and 2 look swapped at this site: …'] }) })
    })
    expect(failing({ conditions: swapped, report: facts([outcome(0, 'a'), named(1, 'b')]) })).to.deep.equal([])
    expect(failing({ conditions: swapped, report: facts([named(0, 'a'), named(1, 'b')]) })[0]).to.include('named, wrongly by a')
    const lying = { ...NONE, liars: new Set([1]) }
    expect(failing({ conditions: lying })).to.deep.equal(['b is named for what it sends: nobody had enough exchanges with it'])
    const naming = outcome(0, 'a', {
      result: homeResult('a', { summary: summary('a', { warnings: ['the adapter of site peer-of-b was clipped again and again'] }) })
    })
    expect(failing({ conditions: lying, report: facts([naming, outcome(1, 'b')]) })).to.deep.equal([])
  })
})
