import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { CorruptFileError, InputError } from '../../../../src/errors.ts'
import { openTensorFile } from '../../../../src/site-model/base/open-tensor-file.ts'
import { seeded } from '../../../sim/site.ts'
import { fixCrc, mutate } from './mutate.ts'
import { pickledPth, writePth } from './pth-writer.ts'

const fixture = (name: string): string => new URL(`../../../fixtures/pth/${name}`, import.meta.url).pathname
const base = Float32Array.from({ length: 24 }, (_, i) => i / 8)

async function readAll (path: string): Promise<Map<string, { shape: readonly number[], data: Float32Array }>> {
  const file = await openTensorFile(path)
  try {
    const tensors = new Map<string, { shape: readonly number[], data: Float32Array }>()
    for (const [name, shape] of file.shapes) tensors.set(name, { shape, data: await file.read(name) })
    return tensors
  } finally {
    await file.close()
  }
}

async function failure (path: string): Promise<Error> {
  return await readAll(path).then(() => { throw new Error('it was read') }, (error: unknown) => error as Error)
}

describe('reading .pth files', () => {
  let folder = ''
  before(async () => { folder = await mkdtemp(join(tmpdir(), 'consilium-pth-')) })
  after(async () => { await rm(folder, { recursive: true }) })

  for (const name of ['tensors.pth', 'training-checkpoint.pth']) {
    it(`reads every kind of tensor of PyTorch's own ${name}`, async () => {
      const tensors = await readAll(fixture(name))
      expect([...tensors.keys()]).to.deep.equal(['plain', 'half', 'brain', 'turned', 'part', 'parameter'])
      expect(tensors.get('plain')).to.deep.equal({ shape: [2, 3, 4], data: base })
      expect([...tensors.get('half')!.data]).to.deep.equal([1.5, -0.25, 65504, Math.fround(2 ** -24)])
      expect([...tensors.get('brain')!.data.subarray(0, 2)]).to.deep.equal([1.5, -0.25])
      expect(tensors.get('brain')!.data[2]! / 3e38).to.be.closeTo(1, 0.01)
      const turned = Float32Array.from({ length: 24 }, (_, i) => base[12 * (Math.floor(i / 3) % 2) + 4 * (i % 3) + Math.floor(i / 6)]!)
      expect(tensors.get('turned')).to.deep.equal({ shape: [4, 2, 3], data: turned })
      expect(tensors.get('part')).to.deep.equal({ shape: [3, 2], data: Float32Array.of(13, 14, 17, 18, 21, 22).map((value) => value / 8) })
      expect(tensors.get('parameter')).to.deep.equal({ shape: [1, 2], data: Float32Array.of(2, 3) })
    })
  }

  it('reads what the test writer writes', async () => {
    const path = join(folder, 'own.pth')
    await writeFile(path, writePth(new Map([['a', { shape: [2, 3, 4], data: base }], ['b', { shape: [1], data: Float32Array.of(7) }]])))
    expect(await readAll(path)).to.deep.equal(
      new Map([['a', { shape: [2, 3, 4], data: base }], ['b', { shape: [1], data: Float32Array.of(7) }]])
    )
  })

  it('refuses compressed entries, which torch.save never writes, and entries that claim more than the file has', async () => {
    const path = join(folder, 'claims.pth')
    const tensors = new Map([['a', { shape: [2, 3, 4], data: base }]])
    await writeFile(path, writePth(tensors, { deflated: true }))
    const error = await failure(path)
    expect(error).to.be.instanceOf(InputError)
    expect(error.message).to.include('compressed').and.to.include('archive/')
    const claims = writePth(tensors)
    const entry = claims.indexOf('PK\x01\x02', claims.indexOf('PK\x01\x02', claims.indexOf('PK\x01\x02') + 4) + 4)
    for (const at of [20, 24]) claims.writeUInt32LE(2 ** 31, entry + at)
    const pickled = claims.indexOf(Buffer.of(0x4a, 24, 0, 0, 0))
    claims.writeInt32LE(2 ** 29, pickled + 1)
    await writeFile(path, fixCrc(claims))
    expect((await failure(path)).message).to.include('file bounds')
  })

  it('refuses a file that asks to call something, by the name of what it asks for', async () => {
    const error = await failure(fixture('calls-os-system.pth'))
    expect(error).to.be.instanceOf(InputError)
    expect(error.message).to.match(/(posix|os)\.system/)
  })

  it('refuses operations that build objects', async () => {
    const path = join(folder, 'object.pth')
    const whole = await readFile(fixture('tensors.pth'))
    for (const operation of ['\x81', 'i', 'o', '\x92', '\x82', 'P']) {
      const marked = Buffer.from(whole)
      marked[marked.indexOf(Buffer.of(0x80, 2)) + 2] = operation.charCodeAt(0)
      await writeFile(path, fixCrc(marked))
      expect((await failure(path)).message).to.include(`0x${operation.charCodeAt(0).toString(16)}`)
    }
  })

  /** A pair of a pair of … : 2³⁰ texts if it were written out. */
  const doubled = `X\x01\0\0\0a${Array.from({ length: 30 }, (_, i) => `q${String.fromCharCode(i)}h${String.fromCharCode(i)}\x86`).join('')}`
  for (const [where, pickle] of [
    ['the name of a tensor', `\x80\x02}${doubled}Ns.`],
    ['the name of what it asks for', `\x80\x04X\x01\0\0\0a${doubled}\x93.`],
    ['its memory of a million and one values', `\x80\x04N${'\x94'.repeat(1_000_001)}.`]
  ] as const) {
    it(`refuses a pickle that would fill the memory by ${where}`, async () => {
      const path = join(folder, 'bomb.pth')
      await writeFile(path, pickledPth(Buffer.from(pickle, 'latin1')))
      const begin = performance.now()
      expect(await failure(path)).to.satisfy((error: unknown) => error instanceof InputError || error instanceof CorruptFileError)
      expect(performance.now() - begin).to.be.below(3_000)
    })
  }

  it('says what an old or foreign file is', async () => {
    const path = join(folder, 'other')
    for (const [bytes, words] of [['\x80\x02\x8a\x0al\xfc', 'before 1.6'], ['GIF89a, not weights', 'neither'], ['', 'neither']] as const) {
      await writeFile(path, bytes, 'latin1')
      expect((await failure(path)).message).to.include(words)
    }
  })

  it('gives a named error for 600 truncated, altered and spliced files, and never hangs', async () => {
    const random = seeded(1)
    const whole = await readFile(fixture('training-checkpoint.pth'))
    const path = join(folder, 'mutated.pth')
    let unharmed = 0
    for (let run = 0; run < 600; run++) {
      await writeFile(path, run % 2 === 0 ? mutate(whole, random) : fixCrc(mutate(whole, random)))
      try {
        await readAll(path)
        unharmed++
      } catch (error) {
        expect(error).to.satisfy(
          (each: unknown) => each instanceof InputError || each instanceof CorruptFileError,
          `run ${run}: ${String(error)}`
        )
      }
    }
    expect(unharmed).to.be.below(300)
  }).timeout(20_000)
})
