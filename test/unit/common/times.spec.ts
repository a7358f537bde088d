import { expect } from 'chai'
import { timesInAnotherForm } from '../../times.ts'

describe('times in one form', () => {
  it('finds those in another form, wherever they stand', () => {
    const now = Date.now()
    const good = [new Date(now).toISOString(), '2026-01-01T00:00:00Z', 20, '12D3KooW', 'round 2026']
    expect(timesInAnotherForm({ good, list: [{ at: now }, '2026-01-01', '2026-01-01T00:00:00+01:00'] }))
      .to.deep.equal(['/list/0/at', '/list/1', '/list/2'])
  })
})
