import { expect } from 'chai'
import { findTensorflow } from '../../../src/compute/tensorflow-location.ts'
import { runGoldens } from './goldens.ts'

describe('the engine tensorflow', function () {
  this.timeout(120_000)

  it('passes the goldens within the tolerances of docs/spec/sam.md#tolerances', async function () {
    const location = findTensorflow()
    if (typeof location === 'string') {
      console.log(`      skipped: TensorFlow is ${location}`)
      this.skip()
    }
    const { passes, failures } = await runGoldens(['extension', 'sam/gradients', 'sam/decoder', 'sam/image-encoder'], '', {
      CONSILIUM_TEST_ENGINE: 'tensorflow'
    })
    expect(failures).to.deep.equal([])
    expect(passes).to.have.length(15)
  })
})
