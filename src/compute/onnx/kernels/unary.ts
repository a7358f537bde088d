import type { CastAttrs, ClipByValueAttrs, LeakyReluAttrs, StepAttrs } from '@tensorflow/tfjs-core'
import { elementType } from '../types.ts'
import { elementwise } from '../value.ts'
import type { Value } from '../value.ts'
import { kernel } from './kernel.ts'
import type { Kernel } from './kernel.ts'
import { add, arithmetic, asFloat, cast, compare, divide, isNaNs, multiply, same, subtract, where } from './ops.ts'

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
  Floor: 'Floor',
  Log: 'Log',
  Reciprocal: 'Reciprocal',
  Round: 'Round',
  Selu: 'Selu',
  Sigmoid: 'Sigmoid',
  Sinh: 'Sinh',
  Softplus: 'Softplus',
  Sqrt: 'Sqrt',
  Tanh: 'Tanh'
}

const numberFunctions: Record<string, string> = { Abs: 'Abs', Neg: 'Neg', Relu: 'Relu' }

type Unary = (x: Value) => Value

/** Computed on floats, returned in the type of the input as tfjs does. */
function onFloats (compute: Unary): Unary {
  return (x) => cast(compute(asFloat(x)), x.type)
}

const composites: Record<string, Unary> = {
  Rsqrt: onFloats((x) => elementwise('Reciprocal', [elementwise('Sqrt', [x], 'float32')], 'float32')),
  Exp: (x) => x.type === 'float32' ? elementwise('Exp', [x], x.type) : cast(elementwise('Exp', [cast(x, 'float64')], 'float64'), 'float32'),
  Tan: onFloats(tan),
  Sign: sign,
  Square: (x) => multiply(x, x),
  Sin: onFloats((x) => inDouble('Sin', x)),
  Cos: onFloats((x) => inDouble('Cos', x)),
  Log1p: onFloats(log1p),
  Expm1: onFloats(expm1),
  Relu6: (x) => arithmetic('Min', arithmetic('Max', x, same(0, x)), same(6, x)),
  LogicalNot: (x) => elementwise('Not', [cast(x, 'bool')], 'bool'),
  IsNan: (x) => isNaNs(asFloat(x)),
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

/** In float64: near its poles the float32 function is off in the seventh digit. */
function tan (x: Value): Value {
  const wide = cast(x, 'float64')
  const [sine, cosine] = ['Sin', 'Cos'].map((type) => elementwise(type, [wide], 'float64')) as [Value, Value]
  return cast(divide(sine, cosine), 'float32')
}

/** −1, 0 or 1; 0 for NaN too. */
function sign (x: Value): Value {
  const zero = same(0, x)
  return subtract(cast(compare('Greater', x, zero), x.type), cast(compare('Less', x, zero), x.type))
}

function leaky (x: Value, slope: Value): Value {
  return where(compare('Less', x, same(0, x)), multiply(x, slope), x)
}

export const unaryKernels: Kernel[] = [
  ...Object.entries(floatFunctions).map(([name, type]) =>
    kernel<'x'>(name, ({ x }) => onFloats((value) => elementwise(type, [value], 'float32'))(x))
  ),
  ...Object.entries(numberFunctions).map(([name, type]) => kernel<'x'>(name, ({ x }) => arithmetic(type, x))),
  ...Object.entries(composites).map(([name, compute]) => kernel<'x'>(name, ({ x }) => compute(x))),
  kernel<'x', CastAttrs>('Cast', ({ x }, { dtype }) => cast(x, elementType(dtype))),
  kernel<'x', ClipByValueAttrs>('ClipByValue', ({ x }, { clipValueMin, clipValueMax }) =>
    arithmetic('Min', arithmetic('Max', x, same(clipValueMin, x)), same(clipValueMax, x))),
  kernel<'x', StepAttrs>('Step', ({ x }, { alpha }) => step(x, alpha)),
  kernel<'x', LeakyReluAttrs>('LeakyRelu', ({ x }, { alpha }) => leaky(asFloat(x), same(alpha, asFloat(x)))),
  kernel<'x' | 'alpha'>('Prelu', ({ x, alpha }) => leaky(asFloat(x), asFloat(alpha))),
  kernel<'dy' | 'y'>('EluGrad', ({ dy, y }) => where(compare('GreaterOrEqual', y, same(0, y)), dy, multiply(dy, add(y, same(1, y)))))
]

/** 1 above zero, `alpha` from there down, NaN for NaN. */
function step (x: Value, alpha: number): Value {
  if (x.type === 'float32' && alpha === 0) return elementwise('Sign', [elementwise('Relu', [x], x.type)], x.type)
  const flat = x.type === 'float32' ? where(isNaNs(x), x, same(alpha, x)) : same(alpha, x)
  return where(compare('Greater', x, same(0, x)), same(1, x), flat)
}
