import type { Random } from './random.ts'
import type { Scene } from './scene.ts'

/** Smooth noise in about -1..1: random values on a coarse grid, bilinear in between. */
export function smoothNoise (random: Random, side: number, cells: number): Float32Array {
  const knots = Float32Array.from({ length: (cells + 2) ** 2 }, () => random.range(-1, 1))
  const out = new Float32Array(side * side)
  const [shiftX, shiftY] = [random.range(0, 1), random.range(0, 1)]
  for (let row = 0, p = 0; row < side; row++) {
    const y = row * cells / side + shiftY
    const fy = y - Math.floor(y)
    for (let column = 0; column < side; column++, p++) {
      const x = column * cells / side + shiftX
      const k = Math.floor(y) * (cells + 2) + Math.floor(x)
      const fx = x - Math.floor(x)
      const top = knots[k]! + (knots[k + 1]! - knots[k]!) * fx
      const bottom = knots[k + cells + 2]! + (knots[k + cells + 3]! - knots[k + cells + 2]!) * fx
      out[p] = top + (bottom - top) * fy
    }
  }
  return out
}

/** Parallel stripes, as of muscle fibres. */
function stripes (random: Random, side: number): Float32Array {
  const angle = random.range(0, Math.PI)
  const frequency = random.range(0.5, 1.6)
  const [a, b] = [frequency * Math.cos(angle), frequency * Math.sin(angle)]
  const out = new Float32Array(side * side)
  for (let p = 0; p < out.length; p++) out[p] = Math.sin(a * (p % side) + b * Math.floor(p / side))
  return out
}

/** One pass of the 1-2-1 filter in both directions, borders repeated. */
function blur (image: Float32Array, side: number): void {
  for (const [step, line] of [[1, side], [side, 1]] as const) {
    for (let i = 0; i < side; i++) {
      let before = image[i * line]!
      for (let j = 0, p = i * line; j < side; j++, p += step) {
        const here = image[p]!
        const after = j + 1 < side ? image[p + step]! : here
        image[p] = (before + 2 * here + after) / 4
        before = here
      }
    }
  }
}

interface Look { readonly level: number, readonly texture: Float32Array, readonly depth: number }

/** A level in 0..1 that differs from `around` by at least `contrast`. */
function apart (random: Random, around: number, contrast: number): number {
  for (;;) {
    const level = random.range(0, 1)
    if (Math.abs(level - around) >= contrast) return level
  }
}

/** Brightness and texture of every region; none as bright as what surrounds it. */
function looks (random: Random, { parents }: Scene, textures: readonly Float32Array[]): Look[] {
  const result: Look[] = []
  const contrast = random.range(0.1, 0.25)
  const background = random.chance(0.65) ? random.range(0, 0.08) : random.range(0, 1)
  for (const [region, parent] of parents.entries()) {
    const around = result[parent]?.level
    const level = around === undefined ? background : apart(random, around, contrast)
    const depth = region === 0 && background < 0.1 ? 0.01 : random.range(0, 1) ** 2 * 0.2
    result.push({ level, texture: random.pick(textures), depth })
  }
  return result
}

function degrade (random: Random, image: Float32Array, side: number): void {
  const bias = smoothNoise(random, side, random.integer(1, 2))
  const strength = random.range(0, 0.45)
  const noise = random.range(0, 1) ** 2 * 0.12
  const speckle = random.chance(0.2) ? random.range(0.1, 0.35) : 0
  for (let p = 0; p < image.length; p++) {
    const bits = random.bits()
    // Sum of four bytes: mean 510, deviation 147.8, close enough to normal.
    const normal = ((bits & 255) + (bits >>> 8 & 255) + (bits >>> 16 & 255) + (bits >>> 24) - 510) / 147.8
    image[p] = image[p]! * (1 + strength * bias[p]!) * (1 + speckle * normal) + noise * normal
  }
  if (random.chance(0.35)) blur(image, side)
}

/** Stretches to 0..255 with a random gamma, window and sense. */
function expose (random: Random, image: Float32Array): Uint8Array {
  let [low, high] = [Infinity, -Infinity]
  for (let p = 0; p < image.length; p++) {
    low = Math.min(low, image[p]!)
    high = Math.max(high, image[p]!)
  }
  const gamma = 2 ** random.range(-0.8, 0.8)
  const inverted = random.chance(0.25)
  const top = random.range(0.7, 1.05)
  const table = Uint8Array.from({ length: 1024 }, (_, i) => {
    const value = Math.min(1, (i / 1023 / top)) ** gamma
    return Math.round(255 * (inverted ? 1 - value : value))
  })
  const scale = 1023 / Math.max(high - low, 1e-6)
  const out = new Uint8Array(image.length)
  for (let p = 0; p < out.length; p++) out[p] = table[Math.round((image[p]! - low) * scale)]!
  return out
}

/** Paints a scene as a grey image 0..255: textures, soft edges, uneven lighting, noise, gamma, inversion. */
export function render (random: Random, scene: Scene): Uint8Array {
  const { side, labels } = scene
  const textures = [
    smoothNoise(random, side, random.integer(20, 50)),
    smoothNoise(random, side, random.integer(6, 16)),
    stripes(random, side)
  ]
  const look = looks(random, scene, textures)
  const image = new Float32Array(side * side)
  for (let p = 0; p < image.length; p++) {
    const { level, texture, depth } = look[labels[p]!]!
    image[p] = level + depth * texture[p]!
  }
  for (let passes = random.integer(0, 3); passes > 0; passes--) blur(image, side)
  degrade(random, image, side)
  return expose(random, image)
}
