import { expect } from 'chai'
import { runFlood } from '../../../bench/flood/run.ts'

const SECONDS = 8
const MAX_MORE_MIB = 50

describe('a member that floods every protocol', function () {
  this.timeout(600_000)

  it('is cut off and named, while the honest sites go on; npm run bench:flood measures it for a minute', async () => {
    const { quiet, floods: [flood] } = await runFlood({ seconds: SECONDS, each: false, exchanges: 1, say: () => {} })
    const { hostile, warnings, ledger, exchanges, peakMiB } = flood!
    expect(hostile.counts['announcements'], 'it did flood').to.be.greaterThan(0)
    expect(hostile.firstCutMs, 'cut off').to.be.a('number')
    expect(warnings, 'named in status and log').not.to.be.empty
    expect(ledger, 'named in the ledger').not.to.be.empty
    expect(exchanges, 'honest exchanges under flood').to.be.greaterThan(0)
    expect(peakMiB - quiet.peakMiB, 'memory').to.be.below(MAX_MORE_MIB)
  })
})
