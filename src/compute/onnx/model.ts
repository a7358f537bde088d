/** Turns the part of a recorded graph that its outputs need into the bytes of an ONNX model. */
import onnxProto from 'onnx-proto'
import type { Attribute, Data, ElementType, Value } from './value.ts'
import { int64s } from './value.ts'

const { onnx } = onnxProto
const elementCodes: Record<ElementType, number> = { float32: 1, int32: 6, int64: 7, bool: 9, float64: 11 }

export interface Model {
  readonly bytes: Uint8Array
  /** Values to feed, by input name: placeholders and, where asked for, uploaded data. */
  readonly inputs: ReadonlyMap<string, Value>
  /** Names of the outputs, in the order of the values given. */
  readonly outputs: readonly string[]
}

/** `feedUploads`: uploaded data becomes inputs, so that the model serves other data of the same shapes. */
export function buildModel (outputs: readonly Value[], feedUploads: boolean): Model {
  const builder = new Builder(feedUploads)
  const names = outputs.map((value, index) => builder.output(value, `y${index}`))
  return { bytes: builder.encode(), inputs: builder.inputs, outputs: names }
}

class Builder {
  readonly #nodes: object[] = []
  readonly inputs = new Map<string, Value>()
  readonly #outputs: object[] = []
  readonly #initializers: object[] = []
  readonly #names = new Map<Value, string>()
  readonly #constants = new Map<string, string>()

  constructor (readonly feedUploads: boolean) {}

  output (value: Value, name: string): string {
    this.#nodes.push({ opType: 'Identity', input: [this.#visit(value)], output: [name] })
    this.#outputs.push(valueInfo(name, value))
    return name
  }

  encode (): Uint8Array {
    const graph = {
      name: 'graph',
      node: this.#nodes,
      initializer: this.#initializers,
      input: Array.from(this.inputs, ([name, value]) => valueInfo(name, value)),
      output: this.#outputs
    }
    const opsetImport = [{ domain: '', version: 18 }, { domain: 'com.microsoft', version: 1 }]
    return onnx.ModelProto.encode({ irVersion: 8, opsetImport, graph }).finish()
  }

  /** Post-order over what `root` needs, without recursion: training graphs are thousands of nodes deep. */
  #visit (root: Value): string {
    const stack = [root]
    while (stack.length > 0) {
      const value = stack.at(-1) as Value
      const missing = this.#names.has(value) ? [] : this.#sources(value).filter((source) => !this.#names.has(source))
      if (missing.length > 0) {
        stack.push(...missing)
      } else {
        stack.pop()
        if (!this.#names.has(value)) this.#emit(value)
      }
    }
    return this.#name(root)
  }

  #sources (value: Value): Value[] {
    if (value.data !== undefined) return []
    if (value.base !== undefined) return [value.base]
    return value.op?.inputs.filter((input) => input !== undefined) ?? []
  }

  #emit (value: Value): void {
    if (value.data !== undefined) this.#emitData(value, value.data)
    else if (value.base !== undefined) this.#emitView(value, value.base)
    else if (value.op !== undefined) this.#emitOperation(value.op)
    else this.#emitInput(value)
  }

  #emitData (value: Value, data: Data): void {
    if (value.uploaded && this.feedUploads) {
      this.#emitInput(value)
      return
    }
    const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const key = data.length <= 16 ? `${value.type}:${value.shape.join()}:${Buffer.from(rawData).toString('hex')}` : undefined
    const known = key === undefined ? undefined : this.#constants.get(key)
    const name = known ?? `c${this.#initializers.length}`
    this.#names.set(value, name)
    if (known !== undefined) return
    if (key !== undefined) this.#constants.set(key, name)
    this.#initializers.push({ name, dims: [...value.shape], dataType: elementCodes[value.type], rawData })
  }

  #emitView (value: Value, base: Value): void {
    const shape = this.#visit(int64s(value.shape))
    const name = this.#fresh(value)
    this.#nodes.push({ opType: 'Reshape', input: [this.#name(base), shape], output: [name] })
  }

  #emitOperation (op: NonNullable<Value['op']>): void {
    this.#nodes.push({
      opType: op.type,
      domain: op.domain,
      input: op.inputs.map((input) => input === undefined ? '' : this.#name(input)),
      output: op.outputs.map((output) => this.#fresh(output)),
      attribute: Object.entries(op.attributes).map(([name, attribute]) => attributeProto(name, attribute))
    })
  }

  #emitInput (value: Value): void {
    const name = `x${this.inputs.size}`
    this.#names.set(value, name)
    this.inputs.set(name, value)
  }

  #fresh (value: Value): string {
    const name = `v${this.#names.size}`
    this.#names.set(value, name)
    return name
  }

  #name (value: Value): string {
    const name = this.#names.get(value)
    if (name === undefined) throw new Error('a value is used before it is emitted')
    return name
  }
}

function valueInfo (name: string, value: Value): object {
  const shape = { dim: value.shape.map((dimValue) => ({ dimValue })) }
  return { name, type: { tensorType: { elemType: elementCodes[value.type], shape } } }
}

function attributeProto (name: string, attribute: Attribute): object {
  if ('i' in attribute) return { name, type: 2, i: attribute.i }
  if ('f' in attribute) return { name, type: 1, f: attribute.f }
  if ('s' in attribute) return { name, type: 3, s: Buffer.from(attribute.s) }
  return { name, type: 7, ints: [...attribute.ints] }
}
