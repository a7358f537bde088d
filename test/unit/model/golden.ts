import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { readSafetensors, type NamedTensor, type StoredTensor } from '../../../src/adapter/safetensors.ts'
import { createEngine, type Engine, type HostRecord, type HostTensor, type Step } from '../../../src/compute/index.ts'

type Stored = Map<string, StoredTensor>

function readGolden (name: string): { bytes: Uint8Array, tensors: Stored } {
  const bytes = new Uint8Array(readFileSync(new URL(`../../fixtures/golden/${name}.safetensors`, import.meta.url)))
  return { bytes, tensors: readSafetensors(bytes).tensors }
}

const tiny = readGolden('sam_tiny_golden').tensors
const extension = readGolden('pfedsam_ext_golden').tensors

function floats (tensors: Stored, name: string): NamedTensor {
  const stored = tensors.get(name)
  if (stored == null) throw new Error(`the golden file has no ${name}`)
  return { shape: stored.shape, data: Float32Array.from(stored.data as Float32Array) }
}

function parameters (tensors: Stored): Record<string, NamedTensor> {
  return Object.fromEntries([...tensors.keys()].filter((name) => !name.startsWith('golden/')).map((name) => [name, floats(tensors, name)]))
}

/** Weights of the tiny reference, and of LoRA and experts on top of it. */
export const tinyWeights = parameters(tiny)
export const extensionWeights = parameters(extension)

/** A stored input or output of the tiny reference. */
export function golden (name: string): NamedTensor {
  return floats(tiny, `golden/${name}`)
}

export function goldenExtension (name: string): NamedTensor {
  return floats(extension, `golden/${name}`)
}

let engine: Promise<Engine> | undefined

/** How many times the tolerances of docs/spec/sam.md#tolerances are allowed: 10 on GPUs. */
const slack = Number(process.env['CONSILIUM_TEST_SLACK'] ?? 1)

/** The engine under test, with one thread so that results repeat bit for bit. */
export async function testEngine (): Promise<Engine> {
  const { CONSILIUM_TEST_ENGINE: name = 'onnx', CONSILIUM_TEST_PROVIDER: provider = 'cpu' } = process.env
  engine ??= createEngine({ name: name as 'onnx', ...(name === 'onnx' ? { provider: provider as 'cpu' } : {}), threads: 1 })
  return await engine
}

/** Runs a step once on the engine under test. */
export async function compute (inputs: HostRecord, step: Step): Promise<HostRecord> {
  const compiled = (await testEngine()).compile(step)
  const outputs = await compiled.run(inputs)
  await compiled.dispose()
  return outputs
}

/** Reorders the axes of a stored tensor on the host. */
function permute ({ shape, data }: NamedTensor, order: readonly number[]): NamedTensor {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, side) => product * side, 1))
  const to = order.map((axis) => shape[axis]!)
  const result = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) {
    let rest = i
    let from = 0
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += (rest % to[axis]!) * strides[order[axis]!]!
      rest = Math.floor(rest / to[axis]!)
    }
    result[i] = data[from]!
  }
  return { shape: to, data: result }
}

/** PyTorch's channel order → ours. */
export function nhwc (tensor: NamedTensor): NamedTensor {
  return permute(tensor, [0, 2, 3, 1])
}

/** Items from…to of the first axis. */
export function items ({ shape, data }: NamedTensor, from: number, to: number): NamedTensor {
  const size = data.length / shape[0]!
  return { shape: [to - from, ...shape.slice(1)], data: data.slice(from * size, to * size) }
}

/** Largest absolute difference; the shapes must agree up to leading and trailing ones. */
export function difference (actual: HostTensor, expected: HostTensor): number {
  expect(actual.data.length).to.equal(expected.data.length)
  let worst = 0
  for (let i = 0; i < actual.data.length; i++) {
    const apart = Math.abs(actual.data[i]! - expected.data[i]!)
    if (apart > worst || Number.isNaN(apart)) worst = apart
  }
  return worst
}

export function expectClose (actual: HostTensor | undefined, expected: HostTensor, tolerance: number): void {
  expect(actual).to.not.equal(undefined)
  expect(difference(actual!, expected)).to.be.at.most(slack * tolerance)
}

/** Differences relative to the largest entry of the expected tensor. */
export function expectCloseRelative (actual: HostTensor | undefined, expected: HostTensor, tolerance: number): void {
  const scale = difference(expected, { shape: expected.shape, data: new Float32Array(expected.data.length) })
  expectClose(actual, expected, tolerance * scale)
}
