import { expect } from 'chai'
import { arrivalChecks, type ArrivalInput } from '../../../scripts/testnet/checks/arrival-checks.ts'
import type { SavedSummary } from '../../../scripts/testnet/hospitals/homes.ts'
import { facts, homeResult, NONE, outcome, summary } from './fixtures.ts'

const EVERY = "at least 90 % of every hospital's steps arrived at another"

function site (index: number, name: string, steps: SavedSummary['steps']) {
  return outcome(index, name, { result: homeResult(name, { summary: summary(name, { steps }) }) })
}

const good = { trained: 100, arrived: 95, lost: 5 }
const poor = { trained: 100, arrived: 89, lost: 11 }

function input (change: Partial<ArrivalInput> = {}, third = good): ArrivalInput {
  const { hospitals } = facts([site(0, 'a', good), site(1, 'b', good), site(2, 'c', third)])
  return { hospitals, honest: hospitals, rounds: 4, stepsPerRound: 16, conditions: NONE, ...change }
}

describe('checks of what arrived', () => {
  it('hold where nine in ten steps of every hospital did, and name who is below', () => {
    expect(arrivalChecks(input())).to.deep.equal([{ name: EVERY, ok: true, detail: 'least: 95.0 %', kind: 'result' }])
    expect(arrivalChecks(input({}, poor))).to.deep.equal([{ name: EVERY, ok: false, detail: 'c 89 of 100 (89.0 %)', kind: 'result' }])
  })

  it('do not take what is not known for what arrived, nor what was never trained for lost', () => {
    const unknown = outcome(1, 'b', { result: homeResult('b', { summary: undefined, rounds: [] }) })
    const { hospitals } = facts([site(0, 'a', good), unknown])
    expect(arrivalChecks(input({ hospitals, honest: hospitals }))[0]).to.include({ ok: false, detail: 'b unknown' })
    expect(arrivalChecks(input({}, { trained: 0, arrived: 0, lost: 0 }))[0]).to.include({ ok: true })
  })

  it('name hospitals that are slow, or have many images', () => {
    const conditions = { ...NONE, slow: new Map([[2, 9]]), images: new Map([[1, 9], [2, 3]]) }
    expect(arrivalChecks(input({ conditions }, poor)).slice(1)).to.deep.equal([
      {
        name: 'at least 90 % of the steps of b, with 9 times the images, arrived at another',
        ok: true,
        detail: '95 of 100 (95.0 %)',
        kind: 'result'
      },
      {
        name: 'at least 90 % of the steps of c, 9 times slower and with 3 times the images, arrived at another',
        ok: false,
        detail: '89 of 100 (89.0 %)',
        kind: 'result'
      }
    ])
  })

  it('say how little a slow hospital trained, since only that can arrive', () => {
    const few = { trained: 5, arrived: 5, lost: 0 }
    const detail = (stepsPerRound: number | null) =>
      arrivalChecks(input({ conditions: { ...NONE, slow: new Map([[2, 9]]) }, stepsPerRound }, few))[1]?.detail
    expect(detail(16)).to.equal('5 of 5 (100.0 %), where whole rounds have 32')
    expect(detail(null)).to.equal('5 of 5 (100.0 %)')
  })

  it('leave out whoever was killed, and promise nothing to one that is left alone', () => {
    const all = input({}, poor)
    expect(arrivalChecks({ ...all, honest: all.hospitals.slice(0, 2) })[0]).to.include({ ok: true, kind: 'result' })
    expect(arrivalChecks({ ...all, honest: all.hospitals.slice(2) })).to.deep.equal([
      { name: `${EVERY} (no promise: one is left alone)`, ok: false, detail: 'c 89 of 100 (89.0 %)', kind: 'measure' }
    ])
  })

  it('promise it beside partitions, unless one hospital is cut off until the end', () => {
    const kindWith = (groups: readonly [number[], number[]], to: number) =>
      arrivalChecks(input({ conditions: { ...NONE, partitions: [{ groups, from: 2, to }] } }))[0]?.kind
    expect(kindWith([[0, 1], [2]], 3)).to.equal('result')
    expect(kindWith([[0, 1], [2]], 4)).to.equal('measure')
    expect(kindWith([[0], [2]], 4)).to.equal('result')
  })

  it('promise nothing beside a liar, of whom much is clipped', () => {
    expect(arrivalChecks(input({ conditions: { ...NONE, liars: new Set([1]) } }))[0]).to.include({ ok: true, kind: 'measure' })
  })
})
