/** The compiled package: one instance of tfjs-core in plain Node, gradients registered, ONNX Runtime loaded. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'chai'

const root = join(import.meta.dirname, '../..')
const script = `
import * as tf from '@tensorflow/tfjs-core'
const { createEngine, gelu } = await import('${pathToFileURL(join(root, 'dist/src/compute/index.js')).href}')
for (const name of ['onnx', 'cpu', 'wasm']) {
  const engine = await createEngine({ name, threads: 1 })
  const step = engine.compile(({ x }) => ({ dx: tf.grad((t) => tf.add(tf.square(t), tf.mul(gelu(t), 0)))(x) }))
  const { dx } = await step.run({ x: { shape: [2], data: Float32Array.of(3, -4) } })
  console.log(name, ...dx.data)
  await engine.dispose()
}
`

describe('compute: compiled by tsc, run by plain Node', () => {
  it('differentiates on every engine', () => {
    const output = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: root, encoding: 'utf8' })
    expect(output.trim().split('\n')).to.deep.equal(['onnx 6 -8', 'cpu 6 -8', 'wasm 6 -8'])
  }).timeout(60000)
})
