import { expect } from 'chai'
import { labelMapOf, UNKNOWN } from '../../../src/dataset/index.ts'
import { pseudoMask } from '../../../src/model/classes/pseudo-mask.ts'

const U = UNKNOWN

describe('pseudoMask', () => {
  it('believes the surer half of foreground and of background, each for itself', () => {
    expect([...pseudoMask([Float32Array.of(0.1, 0.4, 1, 2, -0.1, -0.2, -0.3, -0.4)])!]).to.deep.equal([U, U, 1, 1, U, U, 0, 0])
    expect([...pseudoMask([Float32Array.of(0.5, 1, 1.5, -2, -1, -0.5)])!]).to.deep.equal([U, 1, 1, 0, 0, U])
  })

  it('believes whatever is at least 90 % sure, though it is the less sure half', () => {
    const sure = Math.log(9)
    expect([...pseudoMask([Float32Array.of(sure + 0.01, 4, 5, sure - 0.01, -6, -5, -3, -0.1)])!]).to.deep.equal([1, 1, 1, U, 0, 0, 0, U])
  })

  it('leaves out an image without foreground, and one pixel of it is none', () => {
    expect(pseudoMask([Float32Array.of(-1, -2, -3, -4)])).to.equal(undefined)
    expect(pseudoMask([Float32Array.of(9, -2, -3, -4)])).to.equal(undefined)
  })

  it('of several classes knows a pixel where every class is believed', () => {
    const labels = labelMapOf([{ name: 'liver', value: 1 }, { name: 'tumour', value: 2 }])
    const liver = Float32Array.of(3, 3, 0.1, -3, -3, -3)
    const tumour = Float32Array.of(-3, -0.1, -3, 3, 3, -3)
    expect([...pseudoMask([liver, tumour], labels)!]).to.deep.equal([1, U, U, 2, 2, 0])
  })
})
