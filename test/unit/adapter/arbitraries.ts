import fc from 'fast-check'
import type { NamedTensor } from '../../../src/adapter/safetensors.ts'
import { createSchema, elementCount, isUnsafeName, type Schema } from '../../../src/adapter/schema.ts'

const shape = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 })
const name = fc.stringMatching(/^[a-z][a-zA-Z0-9._/-]{0,20}$/).filter((text) => !/lmoe|^constructor$|^prototype$/i.test(text))
const finite = { noNaN: true, noDefaultInfinity: true }

/** Schemas of one to five tensors of at most 256 numbers. */
export const schemas: fc.Arbitrary<Schema> = fc
  .uniqueArray(fc.record({ name, shape, role: fc.constantFrom('lora' as const, 'decoder' as const) }), {
    minLength: 1,
    maxLength: 5,
    selector: (spec) => spec.name
  })
  .map((tensors) => createSchema({ model: 'any', baseHash: '00', tensors }))

export function valuesOf (size: number): fc.Arbitrary<Float32Array> {
  return fc.float32Array({ minLength: size, maxLength: size, ...finite })
}

/** Any names but the forbidden ones, shapes with zero sides, values with NaN and infinities. */
export const tensorMaps: fc.Arbitrary<Map<string, NamedTensor>> = fc
  .uniqueArray(
    fc.tuple(
      fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !isUnsafeName(text)),
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 })
    ),
    { maxLength: 5, selector: ([key]) => key }
  )
  .chain((specs) =>
    fc.tuple(...specs.map(([key, sides]) =>
      fc
        .float32Array({ minLength: elementCount(sides), maxLength: elementCount(sides) })
        .map((data): [string, NamedTensor] => [key, { shape: sides, data }])
    ))
  )
  .map((entries) => new Map(entries))
