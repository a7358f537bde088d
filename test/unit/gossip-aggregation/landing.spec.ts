import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { createSchema } from '../../../src/adapter/schema.ts'
import { SchemaError } from '../../../src/errors.ts'
import { Averager } from '../../../src/gossip-aggregation/averager.ts'
import { land } from '../../../src/gossip-aggregation/landing.ts'

const SRC = join(import.meta.dirname, '../../../src')
const schema = createSchema({ model: 'm', baseHash: '0', tensors: [{ name: 'x', shape: [2], role: 'lora' }] })
const settings = { codec: 'f32' as const, maxMass: 100, clipRadius: 10, normBound: 100, staleness: 3 }

describe('landing', () => {
  it('adds what training changed to whatever x is by then', () => {
    const averager = new Averager({ schema, values: Float32Array.of(5, 6), round: 0, mass: 1, settings })
    land(averager, { before: Float32Array.of(1, 2), after: Float32Array.of(2, 4), round: 1 })
    expect([...averager.values]).to.deep.equal([6, 8])
    expect(averager.round).to.equal(1)
  })

  it('adds what is left of it where privacy is promised, and nothing of what is not finite', () => {
    const averager = new Averager({ schema, values: Float32Array.of(5, 6), round: 0, mass: 1, settings })
    const hide = (delta: Float32Array): Float32Array => delta.map((value) => value / 2)
    land(averager, { before: Float32Array.of(1, 2), after: Float32Array.of(2, 4), round: 1, hide })
    expect([...averager.values]).to.deep.equal([5.5, 7])
    for (const after of [Float32Array.of(1, NaN), Float32Array.of(1)]) {
      expect(() => { land(averager, { before: Float32Array.of(1, 2), after, round: 2, hide }) }).to.throw(SchemaError)
    }
    expect([...averager.values, averager.round]).to.deep.equal([5.5, 7, 1])
  })

  it('scales what training changed before it is clipped and noised, by a quarter at least and four at most', () => {
    const landed = (factor: number, hide?: (delta: Float32Array) => Float32Array): number[] => {
      const averager = new Averager({ schema, values: Float32Array.of(5, 6), round: 0, mass: 1, settings })
      land(averager, { before: Float32Array.of(1, 2), after: Float32Array.of(2, 4), round: 1, factor, hide })
      return [...averager.values]
    }
    expect(landed(1)).to.deep.equal([6, 8])
    expect(landed(2)).to.deep.equal([7, 10])
    expect(landed(1e9)).to.deep.equal([9, 14])
    expect(landed(-3)).to.deep.equal([5.25, 6.5])
    expect(landed(3, (delta) => delta.map((each) => Math.min(each, 4)))).to.deep.equal([8, 10])
    expect(() => landed(NaN)).to.throw(SchemaError)
  })

  it('is the one way from training into x', async () => {
    const files = (await readdir(SRC, { recursive: true })).filter((file) => file.endsWith('.ts'))
    const callers: string[] = []
    for (const file of files) {
      // Examples in comments are for those who embed the averager alone.
      const code = (await readFile(join(SRC, file), 'utf8')).replace(/^ *\*.*$/gm, '')
      if (/\.land\(/.test(code)) callers.push(file)
    }
    expect(callers).to.deep.equal(['gossip-aggregation/landing.ts'])
  })
})
