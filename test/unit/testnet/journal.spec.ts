import { expect } from 'chai'
import type { HospitalProcess } from '../../../scripts/testnet/hospitals/hospital-process.ts'
import { Journal } from '../../../scripts/testnet/journal.ts'

function hospital (name: string, phase: string, round: number): HospitalProcess {
  return { hospital: { name }, state: 'running', status: { phase, round } } as unknown as HospitalProcess
}

describe('the journal of a testnet', () => {
  it('knows who paused far ahead, and takes waiting for members before round 1 for none of it', () => {
    const journal = new Journal()
    journal.record([hospital('a', 'waiting', 1), hospital('b', 'waiting', 7), hospital('c', 'G', 3)])
    expect([...journal.waited]).to.deep.equal(['b'])
  })
})
