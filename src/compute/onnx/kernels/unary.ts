import type { CastAttrs, ClipByValueAttrs, LeakyReluAttrs, StepAttrs } from '@tensorflow/tfjs-core'
import { elementType } from '../types.ts'
import { elementwise } from '../value.ts'
import type { Value } from '../value.ts'
import { add, arithmetic, asFloat, cast, compare, divide, multiply, same, subtract, where } from './ops.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'

/** tfjs name → ONNX name of functions that only exist for floats. */
const floatFunctions: Record<string, string> = {
  Acos: 'Acos',
  Acosh: 'Acosh',
  Asin: 'Asin',
  Asinh: 'Asinh',
  Atan: 'Atan',
  Atanh: 'Atanh',
  Ceil: 'Ceil',
  Cosh: 'Cosh',
  Elu: 'Elu',
  Erf: 'Erf',
  Exp: 'Exp',
  Floor: 'Floor',
  Log: 'Log',
  Reciprocal: 'Reciprocal',
  Round: 'Round',
  Selu: 'Selu',
  Sigmoid: 'Sigmoid',
  Sinh: 'Sinh',
  Softplus: 'Softplus',
  Sqrt: 'Sqrt',
  Tan: 'Tan',
  Tanh: 'Tanh'
}

const numberFunctions: Record<string, string> = { Abs: 'Abs', Neg: 'Neg', Sign: 'Sign', Relu: 'Relu' }

type Unary = (x: Value) => Value

/** Computed on floats, returned in the type of the input as tfjs does. */
function onFloats (compute: Unary): Unary {
  return (x) => cast(compute(asFloat(x)), x.type)
}

const composites: Record<string, Unary> = {
  Rsqrt: onFloats((x) => elementwise('Reciprocal', [elementwise('Sqrt', [x], 'float32')], 'float32')),
  Square: (x) => multiply(x, x),
  Sin: onFloats((x) => inDouble('Sin', x)),
  Cos: onFloats((x) => inDouble('Cos', x)),
  Log1p: onFloats(log1p),
  Expm1: onFloats(expm1),
  Relu6: (x) => arithmetic('Min', arithmetic('Max', x, same(0, x)), same(6, x)),
  LogicalNot: (x) => elementwise('Not', [cast(x, 'bool')], 'bool'),
  IsNan: (x) => elementwise('IsNaN', [asFloat(x)], 'bool'),
  IsInf: (x) => elementwise('IsInf', [asFloat(x)], 'bool'),
  IsFinite: (x) => compare('Less', elementwise('Abs', [asFloat(x)], 'float32'), same(Infinity, asFloat(x)))
}

/** Vulkan lets sines be 2⁻¹¹ off, too far for positional encodings; WebGPU has no float64, so these few numbers go to the CPU. */
function inDouble (type: string, x: Value): Value {
  return cast(elementwise(type, [cast(x, 'float64')], 'float64'), 'float32')
}

/** ln(1 + x) without losing small x: x · ln(u) / (u − 1) with u = 1 + x, and x itself where u is 1 (Kahan). */
function log1p (x: Value): Value {
  const one = same(1, x)
  const u = add(x, one)
  const ratio = divide(elementwise('Log', [u], 'float32'), subtract(u, one))
  // For very large x the quotient is right already: u − 1 = x; infinity would give NaN.
  return where(compare('Equal', u, one), x, where(compare('Equal', u, x), elementwise('Log', [u], 'float32'), multiply(x, ratio)))
}

/** eˣ − 1 = tanh(x/2) · (eˣ + 1), which keeps small x. */
function expm1 (x: Value): Value {
  const power = elementwise('Exp', [x], 'float32')
  const small = multiply(elementwise('Tanh', [multiply(x, same(0.5, x))], 'float32'), add(power, same(1, x)))
  return where(compare('Less', elementwise('Abs', [x], 'float32'), same(1, x)), small, subtract(power, same(1, x)))
}

function leaky (x: Value, slope: Value): Value {
  return where(compare('Less', x, same(0, x)), multiply(x, slope), x)
}

export const unaryKernels: Kernel[] = [
  ...Object.entries(floatFunctions).map(([name, type]) => kernel<'x'>(name, ({ x }) => onFloats((value) => elementwise(type, [value], 'float32'))(x))),
  ...Object.entries(numberFunctions).map(([name, type]) => kernel<'x'>(name, ({ x }) => arithmetic(type, x))),
  ...Object.entries(composites).map(([name, compute]) => kernel<'x'>(name, ({ x }) => compute(x))),
  kernel<'x', CastAttrs>('Cast', ({ x }, { dtype }) => cast(x, elementType(dtype))),
  kernel<'x', ClipByValueAttrs>('ClipByValue', ({ x }, { clipValueMin, clipValueMax }) =>
    arithmetic('Min', arithmetic('Max', x, same(clipValueMin, x)), same(clipValueMax, x))),
  kernel<'x', StepAttrs>('Step', ({ x }, { alpha }) => step(x, alpha)),
  kernel<'x', LeakyReluAttrs>('LeakyRelu', ({ x }, { alpha }) => leaky(asFloat(x), same(alpha, asFloat(x)))),
  kernel<'x' | 'alpha'>('Prelu', ({ x, alpha }) => leaky(x, alpha)),
  kernel<'dy' | 'y'>('EluGrad', ({ dy, y }) => where(compare('GreaterOrEqual', y, same(0, y)), dy, multiply(dy, add(y, same(1, y)))))
]

function step (x: Value, alpha: number): Value {
  const positive = compare('Greater', x, same(0, x))
  return alpha === 0 ? cast(positive, x.type) : where(positive, same(1, x), same(alpha, x))
}
