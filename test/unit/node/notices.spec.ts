import { expect } from 'chai'
import pino from 'pino'
import { Notices } from '../../../src/rounds/notices.ts'

describe('Notices', () => {
  let now = 0
  let lines: string[] = []
  let notices: Notices

  beforeEach(() => {
    now = 0
    lines = []
    notices = new Notices(pino({}, { write: (line: string) => { lines.push((JSON.parse(line) as { msg: string }).msg) } }), () => now)
  })

  it('says each thing once, and again after it was over', () => {
    notices.warn('a', 'first')
    notices.warn('a', 'first')
    notices.over('a', 'gone')
    notices.over('b', 'never was')
    notices.warn('a', 'again')
    expect(lines).to.deep.equal(['first', 'gone', 'again'])
    expect(notices.list).to.deep.equal(['first', 'again'])
  })

  it('is not flooded: fifty at once and one a second go to the log, the last hundred are kept', () => {
    for (let i = 0; i < 10_000; i++) notices.warn(`${i}`, `a stranger from address ${i}`)
    expect(lines).to.have.length(50)
    expect(notices.list).to.have.length(100)
    expect(notices.list.at(-1)).to.equal('a stranger from address 9999')
    now += 1_000
    notices.warn('x', 'the disk is full')
    expect(lines.at(-1)).to.equal('the disk is full')
  })
})
