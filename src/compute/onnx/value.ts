export type ElementType = 'float32' | 'int32' | 'bool' | 'int64' | 'float64'
export type Data = Float32Array | Int32Array | Uint8Array | BigInt64Array
export type Attribute = { readonly i: number } | { readonly f: number } | { readonly s: string } | { readonly ints: readonly number[] }
export type Attributes = Readonly<Record<string, Attribute>>

/** ONNX's TensorProto.DataType. */
export const elementCodes: Readonly<Record<ElementType, number>> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 }

/** Whether a flag of an operation is 1. */
export function isSet (flag: Attribute | undefined): boolean {
  return flag !== undefined && 'i' in flag && flag.i === 1
}

/** One ONNX node; `inputs` may have gaps for optional inputs. */
export interface Operation {
  readonly type: string
  readonly domain: string
  readonly inputs: ReadonlyArray<Value | undefined>
  readonly attributes: Attributes
  readonly outputs: readonly Value[]
}

/**
 * An immutable tensor in the recorded graph: the result of `op`, or known `data`, or another value's elements in another shape
 * (`base`), or a placeholder (none of them). `compact` is a smaller value that broadcasts to this one.
 */
export class Value {
  op: Operation | undefined
  data: Data | undefined
  base: Value | undefined
  compact: Value | undefined
  /** Written by the user and therefore fed to the graph, not baked, unless the graph is compiled. */
  uploaded = false
  readonly #views = new Map<string, Value>()

  constructor (readonly shape: readonly number[], readonly type: ElementType) {}

  get size (): number {
    return sizeOf(this.shape)
  }

  /** The same elements in another shape; `shape` must have the same size. */
  view (shape: readonly number[]): Value {
    if (sameShape(shape, this.shape)) return this
    if (this.base !== undefined) return this.base.view(shape)
    const key = shape.join()
    let view = this.#views.get(key)
    if (view === undefined) {
      view = new Value(shape, this.type)
      view.base = this
      if (this.compact?.size === 1) view.compact = this.compact.view([])
      this.#views.set(key, view)
    }
    return view
  }

  /** Takes the elements that a run computed and lets go of the graph that led to them. */
  settle (data: Data): void {
    this.data = data
    this.uploaded = true
    this.op = this.compact = undefined
    for (const view of this.#views.values()) view.compact = undefined
  }

  /** The elements if they are known without a run. */
  known (): Data | undefined {
    if (this.data !== undefined) return this.data
    if (this.base !== undefined) return this.base.known()
    const single = this.compact?.size === 1 ? this.compact.known() : undefined
    return single === undefined ? undefined : filled(this.type, this.size, single[0] as number)
  }

  /** The one number that all elements have, if that is known. */
  uniform (): number | undefined {
    const single = this.size === 1 ? this.known() : this.compact?.size === 1 ? this.compact.known() : undefined
    return single === undefined ? undefined : Number(single[0])
  }
}

export function sizeOf (shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1)
}

export function sameShape (a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((extent, axis) => extent === b[axis])
}

export function broadcastShape (shapes: ReadonlyArray<readonly number[]>): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)
    const extent = extents.find((size) => size !== 1) ?? 1
    if (extents.some((size) => size !== 1 && size !== extent)) {
      throw new Error(`the shapes ${shapes.map((shape) => `[${shape.join()}]`).join(' and ')} do not broadcast together`)
    }
    return extent
  })
}

/** Known data as a value that is baked into the graph. */
export function constant (data: Data, shape: readonly number[], type: ElementType): Value {
  const value = new Value(shape, type)
  value.data = data
  return value
}

export function scalar (number: number, type: ElementType): Value {
  return constant(filled(type, 1, number), [], type)
}

export function int64s (numbers: readonly number[]): Value {
  return constant(BigInt64Array.from(numbers, BigInt), [numbers.length], 'int64')
}

function filled (type: ElementType, size: number, number: number): Data {
  switch (type) {
    case 'float32': return new Float32Array(size).fill(number)
    case 'int32': return new Int32Array(size).fill(number)
    case 'bool': return new Uint8Array(size).fill(number)
    case 'int64': return new BigInt64Array(size).fill(BigInt(number))
    case 'float64': throw new Error('float64 lives only inside a graph: convert the number to float32 first')
  }
}

interface Result { readonly shape: readonly number[], readonly type: ElementType }

/** Records one ONNX node with several results. */
export function operations (
  type: string,
  inputs: ReadonlyArray<Value | undefined>,
  results: readonly Result[],
  attributes: Attributes = {},
  domain = ''
): Value[] {
  const outputs = results.map((result) => new Value(result.shape, result.type))
  const op = { type, domain, inputs, attributes, outputs }
  for (const output of outputs) output.op = op
  return outputs
}

/** Records one ONNX node with one result. */
export function operation (
  type: string,
  inputs: ReadonlyArray<Value | undefined>,
  result: Result,
  attributes?: Attributes,
  domain?: string
): Value {
  return operations(type, inputs, [result], attributes, domain)[0] as Value
}

/** `value` repeated to `shape`; the elementwise kernels go on with the small one. */
export function expand (value: Value, shape: readonly number[]): Value {
  if (value.size === sizeOf(shape)) return value.view(shape)
  const small = value.compact ?? value
  const result = operation('Expand', [small, int64s(shape)], { shape, type: value.type })
  result.compact = small
  return result
}

/** Records an operation that acts element by element on operands broadcast together. */
export function elementwise (type: string, operands: readonly Value[], resultType: ElementType, attributes?: Attributes): Value {
  const shape = broadcastShape(operands.map((value) => value.shape))
  const small = operands.map((value) => value.compact ?? value)
  const smallShape = broadcastShape(small.map((value) => value.shape))
  const flat = flattened(small, smallShape) ?? { inputs: small, shape: smallShape }
  return expand(operation(type, flat.inputs, { shape: flat.shape, type: resultType }, attributes).view(smallShape), shape)
}

interface Flat { readonly inputs: readonly Value[], readonly shape: readonly number[] }

/**
 * The operands in the shape of the lowest rank that one of them has beneath its views, where the others can follow: chains of elementwise
 * operations between matrix products then need no Reshape.
 */
function flattened (operands: readonly Value[], shape: readonly number[]): Flat | undefined {
  const size = sizeOf(shape)
  const bases = operands.filter((value) => value.size === size).map((value) => (value.base ?? value).shape)
  if (size === 0 || bases.length === 0) return undefined
  const target = bases.reduce((lowest, base) => base.length < lowest.length ? base : lowest)
  if (sameShape(target, shape) || sizeOf(target) !== size) return undefined
  const inputs = operands.map((value) => follow(value, size, target))
  return inputs.every((value) => value !== undefined) ? { inputs, shape: target } : undefined
}

/** A full operand, a scalar, or a vector along the last axis, in terms of `target`. */
function follow (value: Value, size: number, target: readonly number[]): Value | undefined {
  const last = target.at(-1)
  if (value.size === size) return value.view(target)
  if (value.size === 1) return value.view([])
  return value.size === last && value.shape.at(-1) === last ? value.view([last]) : undefined
}
