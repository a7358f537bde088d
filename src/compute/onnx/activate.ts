import * as tf from '@tensorflow/tfjs-core'

/** Makes a loaded backend the current one: tfjs does this before its promise resolves, which only matters for backends that load. */
export function activate (name: string): void {
  tf.setBackend(name).catch(() => undefined)
  if (tf.getBackend() !== name) throw new Error(`tfjs could not switch to its backend ${name}`)
}
