/**
 * Newer cards may round the factors of float32 products to TF32 (10 of 23 bits). NVIDIA_TF32_OVERRIDE=0 forbids it, yet 3 of some
 * 10,000 sessions of ONNX Runtime 1.30 did it on H200s, from their first run to their last: each one is asked.
 */
import { subtract } from './kernels/ops.ts'
import { reduce } from './kernels/reduction.ts'
import { constant, elementwise, operation } from './value.ts'
import type { Value } from './value.ts'

/** Large enough for a tensor core. */
const SIDE = 64
const TRIES = 5

/** How far random numbers times the identity are from those numbers: 0 in float32, about 0.0005 in TF32. */
export function roundingError (): Value {
  const result = { shape: [SIDE, SIDE], type: 'float32' as const }
  // No constant: ONNX Runtime would multiply it on the CPU, once.
  const noise = operation('RandomUniform', [], result, { low: { f: 1 }, high: { f: 2 }, seed: { f: 1 }, shape: { ints: result.shape } })
  const identity = Float32Array.from({ length: SIDE * SIDE }, (_, i) => Math.floor(i / SIDE) === i % SIDE ? 1 : 0)
  const product = operation('MatMul', [noise, constant(identity, result.shape, 'float32')], result)
  return reduce('ReduceMax', elementwise('Abs', [subtract(product, noise)], 'float32'), [0, 1], false)
}

interface Releasable { release: () => Promise<void> }

/** The first session made whose `error` is 0. @throws Error where several in a row round. */
export async function exactSession<Session extends Releasable> (
  make: () => Promise<Session>,
  error: (session: Session) => Promise<number>
): Promise<Session> {
  for (let tries = 0; tries < TRIES; tries++) {
    const session = await make()
    if (await isExact(session, error)) return session
    await session.release()
  }
  throw new Error(`CUDA rounded float32 to TF32 in ${TRIES} sessions in a row: unset NVIDIA_TF32_OVERRIDE, or use --provider cpu`)
}

async function isExact<Session extends Releasable> (session: Session, error: (session: Session) => Promise<number>): Promise<boolean> {
  try {
    return await error(session) === 0
  } catch (failure) {
    await session.release()
    throw failure
  }
}
