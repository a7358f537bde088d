/** A step as an ONNX model for any runtime: operations of the standard alone, numbers in a file beside it, one extent left open. */
import onnxProto from 'onnx-proto'
import { SOFTWARE } from '../../common/software.ts'
import type { Step } from '../types.ts'
import type { OnnxBackend } from './backend.ts'
import { trace } from './compilation.ts'
import { dtypeOf } from './host.ts'
import type { HostRecord } from './host.ts'
import { planModel } from './model.ts'
import type { Model } from './model.ts'
import { inStandard } from './standard.ts'
import { elementCodes, Value } from './value.ts'

const { onnx } = onnxProto
type Proto = onnxProto.onnx.ModelProto
type Tensor = onnxProto.onnx.ITensorProto
type Node = onnxProto.onnx.INodeProto
type Described = onnxProto.onnx.IValueInfoProto

export interface PortableInit {
  readonly step: Step
  /** Shapes of the float32 inputs by name, for so many of what `open` names. */
  readonly inputs: (count: number) => Readonly<Record<string, readonly number[]>>
  /** Inputs that become part of the model. */
  readonly frozen: HostRecord
  /** What the extent is called that a user may choose. */
  readonly open: string
  /** The name that the file of the numbers will have, in the model's own folder. */
  readonly dataFile: string
  /** What a reader of the model is told beside it. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface PortableModel {
  readonly bytes: Uint8Array
  /** The file of the numbers, in parts. */
  readonly data: readonly Uint8Array[]
}

/** Extents that nothing else in a model has: what differs between both is what follows them. */
const TRIALS = [71, 73] as const
/** AttributeProto.INT */
const INTEGER = 2
/** By ONNX's external data, so that readers may map them into memory. */
const PAGE = 4096

/** @throws Error for a step that does other things for another open extent, or needs an operation beyond the standard */
export function portableModel (backend: OnnxBackend, init: PortableInit): PortableModel {
  const [first, second] = TRIALS.map((count) => traced(backend, init, count)) as [Traced, Traced]
  openExtent(first, second, init.open)
  const { proto, external, names } = first
  renameAll(proto, names)
  const strange = proto.graph!.node!.find(({ domain }) => domain !== '')
  if (strange != null) throw new Error(`${strange.opType} is no operation of the ONNX standard`)
  const data = layOut(proto.graph!.initializer!, external, init.dataFile)
  Object.assign(proto, {
    opsetImport: proto.opsetImport.filter(({ domain }) => domain === ''),
    producerName: 'consilium',
    producerVersion: SOFTWARE,
    metadataProps: Object.entries(init.metadata).map(([key, value]) => ({ key, value }))
  })
  return { bytes: onnx.ModelProto.encode(proto).finish(), data }
}

interface Traced {
  readonly proto: Proto
  readonly external: Model['external']
  /** Names in the graph → names of the step's inputs and outputs. */
  readonly names: ReadonlyMap<string, string>
}

function traced (backend: OnnxBackend, { step, inputs, frozen }: PortableInit, count: number): Traced {
  const placeholders = new Map<Value, string>()
  for (const [name, shape] of Object.entries(inputs(count))) placeholders.set(new Value(shape, 'float32'), name)
  for (const [name, tensor] of Object.entries(frozen)) {
    const value = new Value(tensor.shape, dtypeOf(tensor))
    value.data = tensor.data
    placeholders.set(value, name)
  }
  const results = trace(backend, step, placeholders)
  const plan = planModel(results.map(({ value }) => value), false, inStandard)
  const { bytes, external } = plan.encode()
  const names = new Map([
    ...Array.from(plan.inputs(), ([key, value]): [string, string] => [key, placeholders.get(value) as string]),
    ...plan.outputs.map((key, index): [string, string] => [key, results[index]!.name])
  ])
  return { proto: onnx.ModelProto.decode(bytes), external, names }
}

/** The whole numbers that follow the open extent are computed from it, and inputs and outputs name it. */
function openExtent ({ proto, external }: Traced, other: Traced, open: string): void {
  const [graph, second] = [proto.graph!, other.proto.graph!]
  const isSame = JSON.stringify(graph.node) === JSON.stringify(second.node) &&
    external.length === other.external.length &&
    external.every(({ data }, index) => Buffer.compare(data, other.external[index]!.data) === 0)
  if (!isSame) throw new Error('the step does other things where its open extent is another')
  const source = [...graph.input!, ...graph.output!].map((described, index) => ({
    name: described.name!,
    axis: nameExtent(described, [...second.input!, ...second.output!][index]!, open)
  })).find(({ axis }) => axis >= 0)
  const followers = graph.initializer!.filter((tensor, index) =>
    tensor.externalData!.length === 0 && Buffer.compare(tensor.rawData!, second.initializer![index]!.rawData!) !== 0)
  if (source == null) return
  const pairs = followers.map((tensor) => [tensor, second.initializer!.find(({ name }) => name === tensor.name)!] as const)
  graph.initializer = graph.initializer!.filter((tensor) => !followers.includes(tensor))
  const computed = pairs.map(([tensor, found]) => followExtent(tensor, found))
  graph.initializer.push(whole('open_axis', [source.axis]), ...computed.flatMap(({ constants }) => constants))
  const names = new Set(followers.map(({ name }) => name))
  // A 0 in a shape would otherwise stand for the extent that was there.
  const reshaped = graph.node!.filter(({ opType, input }) => opType === 'Reshape' && names.has(input![1]))
  for (const { attribute } of reshaped) attribute!.push({ name: 'allowzero', type: INTEGER, i: 1 })
  graph.node!.unshift(
    { opType: 'Shape', domain: '', input: [source.name], output: ['open_shape'] },
    { opType: 'Gather', domain: '', input: ['open_shape', 'open_axis'], output: ['open_extent'] },
    ...computed.flatMap(({ nodes }) => nodes)
  )
}

/** The numbers of a constant as slope · extent + shift, which two traces tell. */
function followExtent ({ name, dataType, ...tensor }: Tensor, found: Tensor): { constants: Tensor[], nodes: Node[] } {
  if (dataType !== elementCodes.int64) throw new Error('a number that is no shape follows the open extent')
  const [first, second] = [int64sOf(tensor), int64sOf(found)]
  const slope = first.map((number, i) => (second[i]! - number) / BigInt(TRIALS[1] - TRIALS[0]))
  const shift = first.map((number, i) => number - slope[i]! * BigInt(TRIALS[0]))
  return {
    constants: [whole(`${name}_slope`, slope), whole(`${name}_shift`, shift)],
    nodes: [
      { opType: 'Mul', domain: '', input: [`${name}_slope`, 'open_extent'], output: [`${name}_scaled`] },
      { opType: 'Add', domain: '', input: [`${name}_scaled`, `${name}_shift`], output: [name!] }
    ]
  }
}

function whole (name: string, numbers: BigInt64Array | readonly number[]): Tensor {
  const { length } = numbers
  return { name, dims: [length], dataType: elementCodes.int64, rawData: new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer) }
}

function int64sOf ({ rawData }: Tensor): BigInt64Array {
  return new BigInt64Array(Uint8Array.from(rawData!).buffer)
}

/** The axis that was named, or −1. */
function nameExtent (described: Described, other: Described, open: string): number {
  const [dims, others] = [described, other].map(({ type }) => type!.tensorType!.shape!.dim!) as [object[], object[]]
  const axis = dims.findIndex((dim, index) => JSON.stringify(dim) !== JSON.stringify(others[index]))
  if (axis >= 0) dims[axis] = { dimParam: open }
  return axis
}

function renameAll ({ graph }: Proto, names: ReadonlyMap<string, string>): void {
  const renamed = (name: string): string => names.get(name) ?? name
  for (const node of graph!.node!) {
    node.input = node.input!.map(renamed)
    node.output = node.output!.map(renamed)
  }
  for (const described of [...graph!.input!, ...graph!.output!]) described.name = renamed(described.name!)
}

/** Says of every large tensor where in the file it lies, and returns the file's parts. */
function layOut (tensors: readonly Tensor[], external: Model['external'], file: string): Uint8Array[] {
  const parts: Uint8Array[] = []
  let offset = 0
  for (const { path, data } of external) {
    const said = { location: file, offset: String(offset), length: String(data.length) }
    tensors.find(({ name }) => name === path)!.externalData = Object.entries(said).map(([key, value]) => ({ key, value }))
    const padding = (PAGE - data.length % PAGE) % PAGE
    parts.push(data, new Uint8Array(padding))
    offset += data.length + padding
  }
  return parts
}
