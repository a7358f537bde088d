import { SchemaError } from '../errors.ts'

/** A few numbers that sites say of themselves in announcements, as their federation's document declares them. */
export interface FactSpec {
  readonly name: string
  /** How many numbers. */
  readonly length: number
  /** What each of them is at least and at most. */
  readonly least: number
  readonly most: number
}

/** What a site says of itself, by the name of the fact. */
export type Facts = Readonly<Record<string, Float32Array>>

/** Of all facts of a site, as float32. */
export const MOST_FACT_BYTES = 2_048

declare const passed: unique symbol

/** Facts that went through their gate; no others may be announced. */
export interface ReleasedFacts {
  /** In the order of the specs. */
  readonly values: Float32Array
  readonly [passed]: true
}

/** Numbers of all facts together. @throws SchemaError where they are more than an announcement has room for */
export function factNumbers (specs: readonly FactSpec[]): number {
  const numbers = specs.reduce((sum, { length }) => sum + length, 0)
  if (4 * numbers > MOST_FACT_BYTES) throw new SchemaError(`facts of ${4 * numbers} bytes; the most is ${MOST_FACT_BYTES}`)
  return numbers
}

/**
 * The gate through which facts leave: those that are declared and no others, each of its length and within its range. Undefined as long
 * as one of them is missing. @throws SchemaError when they must not leave
 */
export function releaseFacts (specs: readonly FactSpec[], facts: Facts): ReleasedFacts | undefined {
  const values = new Float32Array(factNumbers(specs))
  let begin = 0
  for (const { name, length, least, most } of specs) {
    const fact = facts[name]
    if (fact == null) return undefined
    const isWithin = fact.every((value) => value >= Math.fround(least) && value <= Math.fround(most))
    if (fact.length !== length || !isWithin) {
      throw new SchemaError(`the fact "${name}" is not ${length} numbers from ${least} to ${most}: it must not leave this site`)
    }
    values.set(fact, begin)
    begin += length
  }
  return { values } as ReleasedFacts
}

/** What another site announced, each number clamped to its range; undefined where it announced none, or others than the document's. */
export function heardFacts (specs: readonly FactSpec[], values: Float32Array | undefined): Facts | undefined {
  if (values?.length !== factNumbers(specs) || !values.every(Number.isFinite)) return undefined
  let begin = 0
  return Object.fromEntries(specs.map(({ name, length, least, most }) => {
    begin += length
    return [name, values.slice(begin - length, begin).map((value) => Math.min(most, Math.max(least, value)))]
  }))
}
