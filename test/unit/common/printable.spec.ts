import { expect } from 'chai'
import fc from 'fast-check'
import { printable, printableLine } from '../../../src/common/printable.ts'

const STEERING = /(?![\n\t])[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

describe('what reaches a terminal', () => {
  it('holds nothing that a terminal obeys but ends of lines and tabs, and all else as it was', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.to.match(STEERING)
      expect(printableLine(text)).not.to.match(STEERING).and.not.to.match(/[\n\t]/)
      if (!STEERING.test(text)) expect(printable(text)).to.equal(text)
    }))
  })

  it('is the same JSON', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(JSON.parse(printable(JSON.stringify({ text })))).to.deep.equal({ text })
    }))
  })

  it('of one sentence is short', () => {
    expect(printableLine('é'.repeat(5_000))).to.equal('é'.repeat(4_000) + '…')
    expect(printableLine('a\nb\u001b[2J\u009b1m')).to.equal('a\\u000ab\\u001b[2J\\u009b1m')
  })
})
