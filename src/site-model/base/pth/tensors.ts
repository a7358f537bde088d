import { elementCount } from '../../../adapter/schema.ts'
import { CorruptFileError, InputError } from '../../../errors.ts'

/** How a storage's numbers are kept. */
export type StorageType = 'F32' | 'F16' | 'BF16'

/** A run of numbers in the archive, `data/<key>`. */
export class Storage {
  constructor (readonly type: string, readonly key: string, readonly size: number) {}
}

/** A strided view of a storage, counted in elements. */
export class TensorView {
  constructor (
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[]
  ) {}
}

/** A name that the pickle mentions: the only ones that a file of tensors needs are in `CALLABLE` and `STORAGES`. */
export class Global {
  constructor (readonly name: string) {}
}

export const STORAGES: ReadonlyMap<string, StorageType | undefined> = new Map([
  ['torch.FloatStorage', 'F32'], ['torch.HalfStorage', 'F16'], ['torch.BFloat16Storage', 'BF16'],
  // Known, so that a step counter in a training checkpoint does not make the file unreadable; such a tensor itself is refused when it
  // is read.
  ['torch.DoubleStorage', undefined], ['torch.LongStorage', undefined], ['torch.IntStorage', undefined], ['torch.ShortStorage', undefined],
  ['torch.CharStorage', undefined], ['torch.ByteStorage', undefined], ['torch.BoolStorage', undefined]
])

const CALLABLE: ReadonlyMap<string, (args: readonly unknown[]) => unknown> = new Map([
  ['collections.OrderedDict', orderedDict],
  ['torch._utils._rebuild_tensor_v2', rebuildTensor],
  ['torch._utils._rebuild_parameter', ([tensor]: readonly unknown[]) => tensor]
])

/** @throws InputError for any name that is not part of a file of tensors: nothing is ever looked up or run. */
export function knownGlobal (name: string): Global {
  if (!CALLABLE.has(name) && !STORAGES.has(name)) {
    throw new InputError(
      `it asks to use ${name.slice(0, 100)}, which no file of tensors needs: it is refused, get the weights from where they were published`
    )
  }
  return new Global(name)
}

export function construct (callee: unknown, args: unknown): unknown {
  const build = callee instanceof Global ? CALLABLE.get(callee.name) : undefined
  if (build == null || !Array.isArray(args)) throw new CorruptFileError('the pickle calls what cannot be called')
  return build(args)
}

function orderedDict (args: readonly unknown[]): Map<unknown, unknown> {
  if (args.length > 0) throw new CorruptFileError('the pickle fills a dictionary in a way that torch.save does not')
  return new Map()
}

function rebuildTensor ([storage, offset, shape, strides]: readonly unknown[]): TensorView {
  if (!(storage instanceof Storage) || !isSizes(shape) || !isSizes(strides) || shape.length !== strides.length || !isSizes([offset])) {
    throw new CorruptFileError('the pickle holds a tensor without a proper storage, offset, shape or strides')
  }
  const view = new TensorView(storage, offset as number, shape, strides)
  const count = elementCount(shape)
  if (Number.isNaN(count) || (count > 0 && lastElement(view) >= storage.size)) {
    throw new CorruptFileError('the pickle holds a tensor that reaches beyond its storage')
  }
  return view
}

function lastElement ({ offset, shape, strides }: TensorView): number {
  return shape.reduce((last, side, axis) => last + (side - 1) * strides[axis]!, offset)
}

function isSizes (value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 8 && value.every((each) => Number.isSafeInteger(each) && each >= 0)
}

/** `('storage', type, key, device, size)` as torch.save writes it. */
export function storageOf (id: unknown): Storage {
  const [kind, type, key, , size] = Array.isArray(id) ? id as unknown[] : []
  if (kind !== 'storage' || !(type instanceof Global) || !STORAGES.has(type.name) || typeof key !== 'string' || !isSizes([size])) {
    throw new CorruptFileError('the pickle refers to something that is not a tensor\'s storage')
  }
  return new Storage(type.name, key, size as number)
}
