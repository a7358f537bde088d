import type { DataType } from '@tensorflow/tfjs-core'
import type { ElementType } from './value.ts'

export function elementType (dtype: DataType): ElementType {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return dtype
  throw new Error(`the onnx backend has no ${dtype} tensors: use float32, int32 or bool`)
}
