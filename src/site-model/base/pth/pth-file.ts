import { halfToFloatBits } from '../../../adapter/float16.ts'
import { elementCount } from '../../../adapter/schema.ts'
import { CorruptFileError, InputError } from '../../../errors.ts'
import type { TensorFile } from '../tensor-file.ts'
import { Archive } from './archive.ts'
import { readPickle } from './pickle.ts'
import { STORAGES, TensorView, type StorageType } from './tensors.ts'

const MAX_PICKLE_BYTES = 16 * 1024 * 1024
/** Where training scripts keep the tensors when they save more than those. */
const NESTED = ['model', 'state_dict', 'model_state_dict']
const WIDTH: Record<StorageType, number> = { F32: 4, F16: 2, BF16: 2 }

/**
 * Opens what torch.save wrote since PyTorch 1.6: a zip archive with a pickle, read without running anything. @throws InputError,
 * CorruptFileError
 */
export async function openPth (path: string): Promise<TensorFile> {
  const archive = await Archive.open(path)
  try {
    const root = rootOf(archive.names)
    await checkByteOrder(archive, root)
    const views = tensorsOf(readPickle(await archive.read(`${root}data.pkl`, { limit: MAX_PICKLE_BYTES })))
    return {
      shapes: new Map([...views].map(([name, { shape }]) => [name, shape])),
      read: async (name) => await readTensor(archive, root, name, views.get(name)),
      close: async () => { await archive.close() }
    }
  } catch (error) {
    await archive.close()
    throw error
  }
}

function rootOf (names: readonly string[]): string {
  const pickle = names.find((name) => /^[^/]+\/data\.pkl$/.test(name))
  if (pickle == null) throw new InputError('it is a zip archive, but not one that torch.save wrote (data.pkl is missing)')
  return pickle.slice(0, -'data.pkl'.length)
}

async function checkByteOrder (archive: Archive, root: string): Promise<void> {
  if (!archive.names.includes(`${root}byteorder`)) return
  const order = (await archive.read(`${root}byteorder`, { limit: 16 })).toString('latin1')
  if (order !== 'little') {
    throw new InputError(
      `its numbers are stored ${order.replace(/[^a-z]/g, '')}-endian; only little-endian can be read: save it again on an ordinary machine`
    )
  }
}

function tensorsOf (value: unknown): Map<string, TensorView> {
  if (!(value instanceof Map)) throw new InputError('it does not hold a dictionary of tensors: save model.state_dict()')
  const nested = NESTED.map((key) => value.get(key) as unknown).find((each) => each instanceof Map) as Map<unknown, unknown> | undefined
  const tensors = new Map<string, TensorView>()
  for (const [name, tensor] of nested ?? value) {
    if (typeof name !== 'string') throw new InputError('it holds a tensor whose name is no text: save model.state_dict()')
    if (!(tensor instanceof TensorView)) {
      throw new InputError(`it holds "${name.slice(0, 100)}", which is not a tensor: save model.state_dict()`)
    }
    tensors.set(name, tensor)
  }
  return tensors
}

async function readTensor (archive: Archive, root: string, name: string, view: TensorView | undefined): Promise<Float32Array> {
  if (view == null) throw new CorruptFileError(`there is no tensor ${name}`)
  const { storage: { type, key, size } } = view
  const kind = STORAGES.get(type)
  if (kind == null) throw new InputError(`tensor ${name} is stored as ${type}; float32, float16 and bfloat16 can be read`)
  const bytes = await archive.read(`${root}data/${key}`, { size: size * WIDTH[kind] })
  return gather(widen(bytes, kind), view)
}

function widen (bytes: Buffer, kind: StorageType): Float32Array {
  const count = bytes.length / WIDTH[kind]
  const bits = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    if (kind === 'F32') bits[i] = bytes.readUInt32LE(4 * i)
    else bits[i] = kind === 'F16' ? halfToFloatBits(bytes.readUInt16LE(2 * i)) : bytes.readUInt16LE(2 * i) << 16
  }
  return new Float32Array(bits.buffer)
}

/** Row-major numbers of a view. */
function gather (values: Float32Array, { offset, shape, strides }: TensorView): Float32Array {
  const count = elementCount(shape)
  if (isContiguous(shape, strides)) return values.slice(offset, offset + count)
  const result = new Float32Array(count)
  const index = shape.map(() => 0)
  for (let i = 0; i < count; i++) {
    result[i] = values[index.reduce((at, position, axis) => at + position * strides[axis]!, offset)]!
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0
  }
  return result
}

function isContiguous (shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false
    expected *= shape[axis]!
  }
  return true
}
