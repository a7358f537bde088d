import { expect } from 'chai'
import { createEngine } from '../../../../src/compute/index.ts'
import type { Engine } from '../../../../src/compute/index.ts'
import type { Compilation } from '../../../../src/compute/onnx/compilation.ts'
import { createLearner, discs } from '../learners.ts'

describe('learner on the onnx engine', function () {
  this.timeout(60_000)

  it('trains both phases without a kernel on tfjs-cpu, the first step and all later ones in one session each', async () => {
    const engine = await createEngine({ name: 'onnx', threads: 1 })
    const compiled: Compilation[] = []
    const counting: Engine = {
      ...engine,
      compile: (...args) => {
        const step = engine.compile(...args)
        compiled.push(step as Compilation)
        return step
      }
    }
    const learner = await createLearner({ engine: counting })
    const start = learner.initialAdapter()
    const { adapter } = await learner.train('G', { adapter: start, samples: discs, round: 3 })
    await learner.train('L', { adapter, samples: discs, round: 3 })
    expect([...engine.fallbacks()]).to.deep.equal([])
    // Two steps each of G and L; what only evaluates has not run.
    expect(compiled.map(({ sessionsMade }) => sessionsMade).sort()).to.deep.equal([0, 1, 1])
    await learner.train('G', { adapter, samples: discs, round: 4 })
    await learner.train('L', { adapter, samples: discs, round: 4 })
    expect(compiled.map(({ sessionsMade }) => sessionsMade).sort()).to.deep.equal([0, 1, 1])
    expect([...engine.fallbacks()]).to.deep.equal([])
    await learner.dispose()
    await engine.dispose()
  })
})
