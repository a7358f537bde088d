import { expect } from 'chai'
import type { RoundRecord } from '../../../src/home/metrics-log.ts'
import { Decline } from '../../../src/rounds/decline.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Notices } from '../../../src/rounds/notices.ts'

const DAY_MS = 86_400_000

function round (day: number, personal: number): RoundRecord {
  const dice = { frozen: 0.1, global: 0.2, personal }
  const t = new Date(day * DAY_MS).toISOString()
  return { t, round: day + 1, dice, lossG: null, lossL: null, exchanges: 1, bytesSent: 1, bytesReceived: 1 }
}

describe('Decline', () => {
  /** What stands after each round. */
  function standing (...scores: number[]): string[] {
    const notices = new Notices(createLogger('silent'))
    const decline = new Decline(notices)
    const records: RoundRecord[] = []
    return scores.map((score, day) => {
      records.push(round(day, score))
      decline.ended(records)
      return notices.standing.join()
    })
  }

  it('compares with the score of a week ago, and with none before', () => {
    const said = standing(0.8, 0.1, 0.8, 0.8, 0.8, 0.8, 0.8, 0.7, 0.7)
    expect(said.slice(0, 7).join('')).to.equal('')
    expect(said[7]).to.include('worse than a week ago (Dice 0.700, in round 1 0.800)')
    expect(said[8]).to.equal('')
  })

  it('lets small changes pass', () => {
    expect(standing(0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.785).join('')).to.equal('')
  })
})
