import { expect } from 'chai'
import { judge, type CheckInput } from '../../../scripts/testnet/checks.ts'
import type { Strike } from '../../../scripts/testnet/journal.ts'
import { facts, homeResult, outcome, round, summary, vector } from './fixtures.ts'

function failing (change: Partial<CheckInput>): string[] {
  const input = { report: facts([outcome(0, 'a'), outcome(1, 'b')]), rounds: 2, strikes: [], orphaned: [], standard: true, compared: false, ...change }
  return judge(input).filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`)
}

const killed: Strike = { fault: { kind: 'kill', site: 1, round: 1 }, name: 'b', peerId: 'peer-of-b', round: 1 }
const restarted: Strike = { fault: { kind: 'restart', site: 1, round: 1 }, name: 'b', peerId: 'peer-of-b', round: 1, peerIdAfter: 'peer-of-b', roundAfter: 1 }
const dead = outcome(1, 'b', { result: homeResult('b', { summary: undefined, rounds: [] }) }, { exitCode: null, signal: 'SIGKILL' })

describe('checks', () => {
  it('all hold for a good run', () => {
    expect(failing({})).to.deep.equal([])
  })

  it('see a hospital that failed, stopped early or exchanged too little', () => {
    expect(failing({ report: facts([outcome(0, 'a'), outcome(1, 'b', {}, { exitCode: 1 })]) })[0]).to.include('b: 2 of 2 rounds, exit code 1')
    expect(failing({ report: facts([outcome(0, 'a'), outcome(1, 'b', { result: homeResult('b', { rounds: [round(1)] }) })]) })[0]).to.include('b: 1 of 2 rounds')
    const lonely = outcome(1, 'b', { result: homeResult('b', { summary: summary('b', { exchangesByRound: [2, 1] }) }) })
    expect(failing({ report: facts([outcome(0, 'a'), lonely]) })).to.deep.equal(['at least 2 exchanges per hospital and round: b 1 in round 2'])
  })

  it('see adapters that lie apart', () => {
    const apart = outcome(1, 'b', { result: homeResult('b', { final: vector(1, 1) }) })
    expect(failing({ report: facts([outcome(0, 'a'), apart]) })[0]).to.include('relative consensus distance at the end ≤ 0.1: 0.3333')
  })

  it('see low Dice and little gain, but promise figures for the sample only', () => {
    const weak = facts([outcome(0, 'a', { result: homeResult('a', { summary: summary('a', { dice: { frozen: 0.6, global: 0.6, personal: 0.65 } }) }) })])
    const report = { ...weak, consensus: [{ t: 1, round: null, sites: 2, distance: 0 }] }
    expect(failing({ report })).to.deep.equal(['mean personal Dice ≥ 0.88: 0.6500', 'mean personal Dice ≥ mean frozen Dice + 0.10: 0.6500 against 0.6000'])
    expect(failing({ report, standard: false })).to.deep.equal([])
  })

  it('do not take a missing figure for a good one', () => {
    const report = { ...facts([dead]), consensus: [] }
    expect(failing({ report }).join()).to.include('mean personal Dice ≥ 0.88: NaN').and.to.include('fewer than two hospitals finished')
  })

  it('of time are about this machine too', () => {
    const slow = outcome(1, 'b', { result: homeResult('b', { summary: summary('b', { eventLoopP99Ms: 50 }) }) })
    const all = judge({ report: facts([outcome(0, 'a'), slow], { wallSeconds: 200 }), rounds: 2, strikes: [], orphaned: [], standard: true, compared: false })
    expect(all.filter(({ ok }) => !ok).map(({ kind }) => kind)).to.deep.equal(['measure', 'measure'])
  })

  it('leave out a hospital that was killed for good', () => {
    const report = facts([outcome(0, 'a'), dead, outcome(2, 'c')])
    expect(failing({ report, strikes: [killed] })).to.deep.equal([])
    expect(failing({ report, strikes: [killed], orphaned: ['b'] })).to.deep.equal(['the trainer of b ended with its killed daemon: it had to be ended'])
  })

  it('follow a restarted hospital', () => {
    expect(failing({ strikes: [restarted] })).to.deep.equal([])
    expect(failing({ strikes: [{ ...restarted, peerIdAfter: 'another' }] })).to.deep.equal(['b came back under the same peer id: another'])
    const { roundAfter: _, ...unseen } = restarted
    expect(failing({ strikes: [unseen] })).to.deep.equal(['b resumed from its checkpoint: it did not work again'])
    expect(failing({ strikes: [{ ...restarted, round: 2 }] })).to.deep.equal(['b resumed from its checkpoint: killed in round 2, went on in round 1'])
    const alone = outcome(1, 'b', { result: homeResult('b', { summary: summary('b', { exchangesByRound: [2, 0] }) }) })
    expect(failing({ report: facts([outcome(0, 'a'), alone]), strikes: [restarted] }).at(-1)).to.equal('b found the others again: 0 exchanges in the rounds after')
  })

  it('compare with training alone', () => {
    const sites = (local: number | null) => [outcome(0, 'a', { local }), outcome(1, 'b', { local })]
    expect(failing({ report: facts(sites(0.904), { crossSite: { local: 0.7, global: 0.8 } }), compared: true })).to.deep.equal([])
    expect(failing({ report: facts(sites(0.91), { crossSite: { local: 0.8, global: 0.82 } }), compared: true })).to.have.length(2)
    expect(failing({ report: facts(sites(null)), compared: true })).to.have.length(2)
  })
})
