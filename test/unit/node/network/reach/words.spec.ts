import { expect } from 'chai'
import type { HandshakeCause } from '../../../../../src/node/network/keyed-noise.ts'
import { dialCause, dialWords, type DialCause } from '../../../../../src/node/network/reach/dial-words.ts'
import { handshakeSentence, isRefusal } from '../../../../../src/node/network/reach/handshake-words.ts'

describe('causes and messages', () => {
  const handshakes: readonly (readonly [HandshakeCause, RegExp, boolean])[] = [
    ['KEY', /network key/, true],
    ['IDENTITY', /another site/, false],
    ['SELF', /itself|own/, false],
    ['GARBLED', /changed on the way/, true],
    ['LINE', /ended in the middle/, false]
  ]
  for (const [cause, words, refusal] of handshakes) {
    for (const direction of ['outbound', 'inbound'] as const) {
      it(`${direction} ${cause}: its own words, ${refusal ? '' : 'not '}in the ledger`, () => {
        const sentence = handshakeSentence({ direction, cause, peer: 'X' })
        expect(sentence).to.match(words).and.include('X')
        if (cause !== 'KEY') expect(sentence).not.to.include('network key')
        expect(isRefusal({ cause })).to.equal(refusal)
      })
    }
  }

  const dials: readonly (readonly [DialCause, Error, RegExp])[] = [
    ['SELF', Object.assign(new Error('Can not dial self'), { name: 'InvalidPeerIdError' }), /own/],
    ['IDENTITY', new Error('Payload identity key A does not match expected remote identity key B'), /another site/],
    ['KEY', new Error('no network key in common'), /network key/],
    ['NAME', new Error('getaddrinfo ENOTFOUND nowhere.example'), /name cannot be looked up/],
    ['REFUSED', new Error('connect ECONNREFUSED 10.0.0.5:4001'), /no site listens/],
    ['PROXY', new Error('the proxy proxy.example:3128 wants a user and a password (407)'), /proxy.example:3128 wants/],
    ['SILENCE', new Error('The operation was aborted due to timeout'), /does not answer$/]
  ]
  for (const [cause, error, words] of dials) {
    it(`a dial that ends in ${cause} says so, alone and among others`, () => {
      for (const each of [error, new AggregateError([error], 'All multiaddr dials failed')]) {
        expect(dialCause(each)).to.equal(cause)
        expect(dialWords(each)).to.match(words)
      }
    })
  }
})
