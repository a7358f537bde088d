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

  it('shows what holds, and not what was', () => {
    notices.warn('a', 'first')
    notices.warn('b', 'second')
    notices.event('it happened')
    notices.event('it happened')
    expect(notices.standing).to.deep.equal(['first', 'second'])
    notices.over('a', 'gone')
    expect(notices.standing).to.deep.equal(['second'])
    expect(notices.list).to.have.members(['first', 'second', 'it happened'])
    expect(lines).to.deep.equal(['first', 'second', 'it happened', 'gone'])
  })

  it('lets what nobody ends lapse, unless it comes again, and says it again after that', () => {
    notices.warn('a', 'refused', { forMs: 1_000 })
    now += 900
    notices.warn('a', 'refused', { forMs: 1_000 })
    now += 900
    expect(notices.standing).to.deep.equal(['refused'])
    now += 100
    expect(notices.standing).to.deep.equal([])
    notices.warn('a', 'refused', { forMs: 1_000 })
    expect([notices.standing, lines]).to.deep.equal([['refused'], ['refused', 'refused']])
  })

  it('ends all that begins alike', () => {
    for (const key of ['certificate us b NONE', 'certificate us b LATE', 'certificate us bc NONE']) notices.warn(key, key)
    notices.overAll('certificate us b ', 'met')
    expect(notices.standing).to.deep.equal(['certificate us bc NONE'])
  })

  it('keeps what is of this site itself, however many strangers are shown', () => {
    notices.warn('own', 'the disk is full')
    for (let i = 0; i < 1_000; i++) notices.warn(`${i}`, `a stranger from address ${i}`, { forMs: 60_000 })
    expect(notices.standing).to.have.length(100)
    expect(notices.standing).to.include('the disk is full').and.to.include('a stranger from address 999')
  })
})
