import * as tf from '@tensorflow/tfjs-core'

interface Tape { readonly saved: readonly tf.Tensor[] }

/** Frees what tfjs keeps for a gradient whose function threw; it only does so itself where the function returns. */
export function dropTape (): void {
  const state = tf.engine().state as unknown as { activeTape: Tape[] | null, gradientDepth: number }
  if (state.gradientDepth > 0 || state.activeTape === null || state.activeTape === undefined) return
  for (const { saved } of state.activeTape) for (const tensor of saved ?? []) tensor.dispose()
  state.activeTape = null
}

/** Makes a loaded backend the current one: tfjs does this before its promise resolves, which only matters for backends that load. */
export function activate (name: string): void {
  tf.setBackend(name).catch(() => undefined)
  if (tf.getBackend() !== name) throw new Error(`tfjs could not switch to its backend ${name}`)
}
