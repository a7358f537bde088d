/** How kernels are written: a pure function from recorded values and attributes to recorded values, under tfjs' kernel name. */
import type { Value } from '../value.ts'

export type Inputs = Readonly<Record<string, Value>>
type Compute = (inputs: Inputs, attributes: never) => Value | Value[]

export interface Kernel { readonly name: string, readonly compute: Compute }

/** A kernel with named inputs; `Names` is a union of their names. */
export function kernel<Names extends string, Attributes = Record<string, never>> (
  name: string,
  compute: (inputs: Readonly<Record<Names, Value>>, attributes: Attributes) => Value | Value[]
): Kernel {
  return { name, compute }
}

/** A kernel whose inputs are a list (Concat, AddN, …). */
export function listKernel<Attributes = Record<string, never>> (
  name: string,
  compute: (values: readonly Value[], attributes: Attributes) => Value | Value[]
): Kernel {
  return { name, compute: (inputs: Inputs, attributes: Attributes) => compute(Object.values(inputs), attributes) }
}
