import { keepFullPrecision } from '../common/full-precision.ts'
import type { PortableInit, PortableModel } from './onnx/portable.ts'

/** A step written against tfjs-core as an ONNX model (opset 18); runs nothing. @throws Error for a step that cannot be traced so */
export async function toPortable (init: PortableInit): Promise<PortableModel> {
  await import('@tensorflow/tfjs-backend-cpu')
  keepFullPrecision()
  const [{ portableModel }, { registerOnnx }] = await Promise.all([import('./onnx/portable.ts'), import('./onnx/register.ts')])
  return portableModel(registerOnnx({ threads: 1, memory: 'low' }), init)
}
