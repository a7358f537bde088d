/** A tensor in host memory, row-major. */
export interface HostTensor { readonly shape: readonly number[], readonly data: Float32Array | Int32Array }
export type HostRecord = Readonly<Record<string, HostTensor>>

/** Throws where a tensor's data do not fill its shape. */
export function checkInputs (inputs: HostRecord): void {
  for (const [name, { shape, data }] of Object.entries(inputs)) {
    const size = shape.reduce((product, extent) => product * extent, 1)
    if (data.length !== size) throw new Error(`input ${name} has ${data.length} numbers but the shape [${shape.join()}] needs ${size}`)
  }
}

/** Throws where an array to write into shares its memory with one to read from. */
export function requireNoAlias (into: HostRecord, inputs: HostRecord): void {
  const read = new Set(Object.values(inputs).map(({ data }) => data.buffer))
  const shared = Object.entries(into).find(([, { data }]) => read.has(data.buffer))
  if (shared !== undefined) throw new Error(`the array offered for ${shared[0]} is in the memory of an input: offer another`)
}

export function dtypeOf ({ data }: HostTensor): 'float32' | 'int32' {
  return data instanceof Float32Array ? 'float32' : 'int32'
}

/** Equal for inputs that one traced graph serves. */
export function signatureOf (inputs: HostRecord): string {
  return Object.entries(inputs).map(([name, tensor]) => `${name}:${dtypeOf(tensor)}[${tensor.shape.join()}]`).sort().join(';')
}
