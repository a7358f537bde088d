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

  it('puts later words under the same key in the place of the first, and says them when they are news', () => {
    notices.warn('a', 'first')
    notices.warn('b', 'other')
    notices.warn('a', 'second')
    expect(notices.list).to.deep.equal(['second', 'other'])
    notices.warn('a', 'third', { isNews: true })
    expect(notices.list).to.deep.equal(['third', 'other'])
    expect(lines).to.deep.equal(['first', 'other', 'third'])
  })

  it('says once that what it said is over, at any time, and no more lines for what comes and goes', () => {
    notices.warn('alone', 'alone')
    for (let i = 0; i < 10_000; i++) {
      notices.warn('flood', 'it came')
      notices.over('flood', 'it went')
    }
    expect(lines.length).to.be.at.most(100)
    expect(notices.list).to.include('alone')
    for (let i = 0; i < 2; i++) notices.over('alone', 'another site is there')
    expect(lines.filter((each) => each === 'another site is there')).to.have.length(1)
  })
})
