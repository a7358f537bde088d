import { elementwise } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel, listKernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { add, arithmetic, asFloat, broadcast, cast, compare, divide, multiply, same, subtract, where } from './ops.ts'

type Binary = (a: Value, b: Value) => Value

const binaries: Record<string, Binary> = {
  Add: add,
  Sub: subtract,
  Multiply: multiply,
  RealDiv: divide,
  Maximum: (a, b) => arithmetic('Max', a, b),
  Minimum: (a, b) => arithmetic('Min', a, b),
  Pow: power,
  SquaredDifference: (a, b) => square(subtract(a, b)),
  FloorDiv: (a, b) => cast(floorQuotient(a, b), a.type),
  Mod: (a, b) => cast(subtract(wide(a), multiply(floorQuotient(a, b), wide(b))), a.type),
  Atan2: atan2,
  Equal: (a, b) => compare('Equal', a, b),
  NotEqual: (a, b) => elementwise('Not', [compare('Equal', a, b)], 'bool'),
  Greater: (a, b) => compare('Greater', a, b),
  GreaterEqual: (a, b) => compare('GreaterOrEqual', a, b),
  Less: (a, b) => compare('Less', a, b),
  LessEqual: (a, b) => compare('LessOrEqual', a, b),
  BitwiseAnd: (a, b) => elementwise('BitwiseAnd', [a, b], a.type),
  LogicalAnd: (a, b) => elementwise('And', [cast(a, 'bool'), cast(b, 'bool')], 'bool'),
  LogicalOr: (a, b) => elementwise('Or', [cast(a, 'bool'), cast(b, 'bool')], 'bool')
}

function square (x: Value): Value {
  return arithmetic('Mul', x, x)
}

/** Squares, which every Adam and every variance has, without the slow general function. */
function power (a: Value, b: Value): Value {
  const exponent = b.uniform()
  if (exponent === 2) return broadcast(square(a), b)
  return arithmetic('Pow', a, b)
}

/** float64 for whole numbers, which float32 cannot hold above 2²⁴. */
function wide (value: Value): Value {
  return value.type === 'float32' ? value : cast(value, 'float64')
}

function floorQuotient (a: Value, b: Value): Value {
  const quotient = elementwise('Div', [wide(a), wide(b)], wide(a).type)
  return elementwise('Floor', [quotient], quotient.type)
}

function atan2 (y: Value, x: Value): Value {
  const [a, b] = [asFloat(y), asFloat(x)]
  const zero = same(0, b)
  const angle = elementwise('Atan', [divide(a, b)], 'float32')
  const left = add(angle, where(compare('Less', a, zero), same(-Math.PI, b), same(Math.PI, b)))
  const upright = multiply(elementwise('Sign', [a], 'float32'), same(Math.PI / 2, b))
  return where(compare('Equal', b, zero), upright, where(compare('Less', b, zero), left, angle))
}

function sum (values: readonly Value[]): Value {
  const first = values[0] as Value
  return first.type === 'float32' && values.length > 1 ? elementwise('Sum', values, 'float32') : values.reduce(add)
}

function select (condition: Value, yes: Value, no: Value): Value {
  const ranks = yes.shape.length - condition.shape.length
  const leading = condition.shape.length === 1 && ranks > 0
    ? condition.view([...condition.shape, ...new Array<number>(ranks).fill(1)])
    : condition
  return where(leading, yes, no)
}

export const binaryKernels: Kernel[] = [
  ...Object.entries(binaries).map(([name, compute]) => kernel<'a' | 'b'>(name, ({ a, b }) => compute(a, b))),
  listKernel('AddN', sum),
  kernel<'condition' | 't' | 'e'>('Select', ({ condition, t, e }) => select(condition, t, e))
]
