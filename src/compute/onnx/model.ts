/** Turns the part of a recorded graph that its outputs need into a plan and that into the bytes of an ONNX model. */
import { createHash } from 'node:crypto'
import onnxProto from 'onnx-proto'
import type { Attribute, Data, Operation, Value } from './value.ts'
import { elementCodes, int64s } from './value.ts'

const { onnx } = onnxProto

/** Data that the model refers to by path instead of holding them. */
interface External { readonly path: string, readonly data: Uint8Array }

export interface Model {
  readonly bytes: Uint8Array
  readonly external: readonly External[]
  /** Roughly what a session of it holds between runs, in bytes. */
  readonly weight: number
}

/** A graph before it is encoded, in the order in which it runs. */
export interface Plan {
  /** Equal for graphs of the same operations, shapes and wiring, whatever their slots hold. */
  readonly key: string
  /** Uploaded tensors of at most `slotSize` elements: baked as they are, or inputs. */
  readonly slots: readonly Value[]
  /** Names of the outputs, in the order of the values given. */
  readonly outputs: readonly string[]
  /** Values to feed, by input name: placeholders, uploaded data and the slots in `fed`. */
  inputs (fed?: ReadonlySet<number>): ReadonlyMap<string, Value>
  encode (fed?: ReadonlySet<number>): Model
  /** The same with `sequenceName`, a sequence, as its first output. */
  encodeWithSequence (): Model
}

/** Operations with the outputs of the one given, in the order in which they run. */
type Lowering = (op: Operation) => Operation[]

/** Scalars that a step uploads anew each time, such as a learning rate. */
const slotSize = 4
/** Baked data above this many bytes stay outside the encoded model. */
const inlineBytes = 4096
/** What ONNX Runtime keeps per node, roughly. */
const nodeBytes = 8192
export const sequenceName = 'sequence'
const sequence: Graph = {
  node: [{ opType: 'SequenceConstruct', input: ['item'], output: [sequenceName] }],
  initializer: [{ name: 'item', dims: [1], dataType: elementCodes.float32, rawData: new Uint8Array(4) }],
  output: [{ name: sequenceName, type: { sequenceType: { elemType: { tensorType: { elemType: elementCodes.float32 } } } } }]
}

/**
 * `feedUploads`: uploaded data become inputs or slots, so that the model serves other data of the same shapes; otherwise they are baked.
 * `lower` rewrites an operation into ones that the provider has.
 */
export function planModel (outputs: readonly Value[], feedUploads: boolean, lower: Lowering = (op) => [op]): Plan {
  const builder = new Builder(outputs, feedUploads, lower)
  outputs.forEach((value, index) => { builder.output(value, `y${index}`) })
  return builder
}

/** Parts of an ONNX GraphProto. */
interface Graph { readonly node: readonly Node[], readonly initializer: readonly object[], readonly output: readonly object[] }

interface Node {
  readonly opType: string
  readonly domain?: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute?: readonly object[]
}

class Builder implements Plan {
  readonly slots: Value[] = []
  readonly #nodes: Node[] = []
  readonly #inputs = new Map<string, Value>()
  readonly #outputs = new Map<string, Value>()
  readonly #baked = new Map<string, Value>()
  readonly #names = new Map<Value, string>()
  readonly #constants = new Map<string, string>()
  readonly #reserved = new Map<Value, string>()
  #key: string | undefined

  constructor (outputs: readonly Value[], readonly feedUploads: boolean, readonly lower: Lowering) {
    // What a node computes bears the output's name from the start: an Identity would copy it.
    outputs.forEach((value, index) => {
      if (!this.#reserved.has(value)) this.#reserved.set(value, `y${index}`)
    })
  }

  output (value: Value, name: string): void {
    const found = this.#visit(value)
    if (found !== name) this.#nodes.push({ opType: 'Identity', input: [found], output: [name] })
    this.#outputs.set(name, value)
  }

  get outputs (): string[] {
    return [...this.#outputs.keys()]
  }

  get key (): string {
    this.#key ??= this.#hash()
    return this.#key
  }

  #hash (): string {
    const hash = createHash('sha256')
    const describe = ([name, value]: [string, Value]): string => `${name}:${value.type}[${value.shape.join()}]`
    hash.update([...this.#inputs].map(describe).join(';'))
    hash.update(this.slots.map((value, index) => describe([`s${index}`, value])).join(';'))
    for (const entry of this.#baked) hash.update(describe(entry)).update(bytesOf(entry[1]))
    for (const { opType, input, output, attribute } of this.#nodes) {
      hash.update(`${opType}(${input.join()})${output.join()}${JSON.stringify(attribute)}`)
    }
    hash.update([...this.#outputs].map(describe).join(';'))
    return hash.digest('base64')
  }

  inputs (fed: ReadonlySet<number> = new Set()): Map<string, Value> {
    return new Map([
      ...this.#inputs,
      ...this.slots.flatMap((value, index): Array<[string, Value]> => fed.has(index) ? [[`s${index}`, value]] : [])
    ])
  }

  encode (fed: ReadonlySet<number> = new Set()): Model {
    return this.#encode(fed, { node: [], initializer: [], output: [] })
  }

  encodeWithSequence (): Model {
    return this.#encode(new Set(), sequence)
  }

  #encode (fed: ReadonlySet<number>, first: Graph): Model {
    const baked = [
      ...this.#baked,
      ...this.slots.flatMap((value, index): Array<[string, Value]> => fed.has(index) ? [] : [[`s${index}`, value]])
    ]
    const external = baked.filter(([, value]) => bytesOf(value).length > inlineBytes).map(([path, value]) => ({
      path,
      data: bytesOf(value)
    }))
    const graph = {
      name: 'graph',
      node: [...first.node, ...this.#nodes],
      initializer: [...first.initializer, ...baked.map(([name, value]) => initializer(name, value))],
      input: Array.from(this.inputs(fed), ([name, value]) => valueInfo(name, value)),
      output: [...first.output, ...Array.from(this.#outputs, ([name, value]) => valueInfo(name, value))]
    }
    const opsetImport = [{ domain: '', version: 18 }, { domain: 'com.microsoft', version: 1 }]
    const bytes = onnx.ModelProto.encode({ irVersion: 8, opsetImport, graph } as object).finish()
    const weight = this.#nodes.length * nodeBytes + external.reduce((sum, { data }) => sum + 2 * data.length, 0)
    return { bytes, external, weight }
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
    if (!value.uploaded || !this.feedUploads) {
      this.#bake(value, data)
    } else if (data.length <= slotSize) {
      this.#names.set(value, `s${this.slots.length}`)
      this.slots.push(value)
    } else {
      this.#emitInput(value)
    }
  }

  #bake (value: Value, data: Data): void {
    const key = data.length <= 16 ? `${value.type}:${value.shape.join()}:${Buffer.from(bytesOf(value)).toString('hex')}` : undefined
    const known = key === undefined ? undefined : this.#constants.get(key)
    const name = known ?? `c${this.#baked.size}`
    this.#names.set(value, name)
    if (known !== undefined) return
    if (key !== undefined) this.#constants.set(key, name)
    this.#baked.set(name, value)
  }

  #emitView (value: Value, base: Value): void {
    const shape = this.#visit(int64s(value.shape))
    const name = this.#fresh(value)
    this.#nodes.push({ opType: 'Reshape', input: [this.#name(base), shape], output: [name] })
  }

  #emitOperation (op: Operation): void {
    for (const { type, domain, inputs, outputs, attributes } of this.lower(op)) {
      this.#nodes.push({
        opType: type,
        domain,
        // What only the lowered form has is not emitted yet.
        input: inputs.map((input) => input === undefined ? '' : this.#visit(input)),
        output: outputs.map((output) => this.#fresh(output)),
        attribute: Object.entries(attributes).map(([name, attribute]) => attributeProto(name, attribute))
      })
    }
  }

  #emitInput (value: Value): void {
    const name = `x${this.#inputs.size}`
    this.#names.set(value, name)
    this.#inputs.set(name, value)
  }

  #fresh (value: Value): string {
    const name = this.#reserved.get(value) ?? `v${this.#names.size}`
    this.#names.set(value, name)
    return name
  }

  #name (value: Value): string {
    const name = this.#names.get(value)
    if (name === undefined) throw new Error('a value is used before it is emitted')
    return name
  }
}

function bytesOf ({ data }: Value): Uint8Array {
  const { buffer, byteOffset, byteLength } = data as Data
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function initializer (name: string, value: Value): object {
  const described = { name, dims: [...value.shape], dataType: elementCodes[value.type] }
  const rawData = bytesOf(value)
  if (rawData.length <= inlineBytes) return { ...described, rawData }
  const location = Object.entries({ location: name, offset: '0', length: String(rawData.length) }).map(([key, text]) => ({
    key,
    value: text
  }))
  return { ...described, dataLocation: 1, externalData: location }
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
