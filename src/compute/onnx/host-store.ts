import * as tf from '@tensorflow/tfjs-core'

interface Entry { readonly cpuId: object, references: number }

/** Types that ONNX Runtime's graphs do not take. */
export function isHostType (dtype: unknown): boolean {
  return dtype === 'complex64' || dtype === 'string'
}

/** tfjs-backend-cpu, without its advice to install another backend, which does not apply here. */
export function cpuBackend (): tf.KernelBackend {
  return Object.assign(tf.findBackend('cpu'), { firstUse: false })
}

/** Complex numbers and strings: they stay on tfjs-backend-cpu. */
export class HostStore {
  readonly #entries = new Map<object, Entry>()

  get size (): number {
    return this.#entries.size
  }

  has (dataId: object): boolean {
    return this.#entries.has(dataId)
  }

  /** The id of the data in tfjs-backend-cpu. */
  cpuId (dataId: object): object {
    return this.#entry(dataId).cpuId
  }

  write (dataId: object, values: tf.BackendValues, shape: number[], dtype: tf.DataType, references: number): void {
    const cpu = cpuBackend()
    const cpuId = dtype === 'complex64' ? writeComplex(cpu, values as Float32Array, shape) : cpu.write(values, shape, dtype)
    this.#entries.set(dataId, { cpuId, references })
  }

  /** Takes over data that tfjs-backend-cpu has already; returns their id here. */
  adopt (cpuId: object): object {
    const dataId = {}
    this.#entries.set(dataId, { cpuId, references: 1 })
    return dataId
  }

  read (dataId: object): tf.BackendValues {
    return cpuBackend().readSync(this.cpuId(dataId))
  }

  references (dataId: object): number {
    return this.#entry(dataId).references
  }

  retain (dataId: object): void {
    this.#entry(dataId).references++
  }

  /** True if the data are gone. */
  release (dataId: object, force: boolean): boolean {
    const entry = this.#entry(dataId)
    entry.references--
    if (!force && entry.references > 0) return false
    this.#entries.delete(dataId)
    cpuBackend().disposeData(entry.cpuId)
    return true
  }

  #entry (dataId: object): Entry {
    const entry = this.#entries.get(dataId)
    if (entry === undefined) throw new Error('a complex or string tensor is used after it was disposed')
    return entry
  }
}

function writeComplex (cpu: tf.KernelBackend, values: Float32Array, shape: number[]): object {
  const { real, imag } = tf.backend_util.splitRealAndImagArrays(values)
  const parts = [real, imag].map((part): tf.TensorInfo => ({ dataId: cpu.write(part, shape, 'float32'), shape, dtype: 'float32' }))
  const [re, im] = parts as [tf.TensorInfo, tf.TensorInfo]
  const result = tf.getKernel('Complex', 'cpu').kernelFunc({ inputs: { real: re, imag: im }, attrs: {}, backend: cpu }) as tf.TensorInfo
  for (const { dataId } of parts) cpu.disposeData(dataId)
  return result.dataId
}
