import { expect } from 'chai'
import { DiskWatch } from '../../../src/node/disk-watch.ts'
import { createLogger } from '../../../src/rounds/logger.ts'
import { Notices } from '../../../src/rounds/notices.ts'

describe('DiskWatch', () => {
  it('says that space runs out, that it is there again, and nothing where the system does not know', async () => {
    const notices = new Notices(createLogger('silent'))
    let bytes: number | undefined = 5e9
    const watch = new DiskWatch({ free: async () => await Promise.resolve(bytes), notices })
    await watch.check()
    expect(notices.standing).to.deep.equal([])
    bytes = 4e8
    await watch.check()
    expect(notices.standing.join()).to.match(/^only 400 MB are free/)
    bytes = undefined
    await watch.check()
    expect(notices.standing).to.have.length(1)
    bytes = 1e9
    await watch.check()
    expect(notices.standing).to.deep.equal([])
  })
})
