import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { PrivateSet } from '../../../../src/adapter/private-set.ts'
import { writeSafetensors } from '../../../../src/adapter/safetensors.ts'
import { CorruptFileError } from '../../../../src/errors.ts'
import { checkedText, NO_CHECKSUM, requireChecksum, uncheckedText, withChecksum } from '../../../../src/home/checksum.ts'
import { PrivateStore } from '../../../../src/site-model/private-store.ts'

const tensors = new Map([['a', { shape: [3], data: Float32Array.of(1, 2, 3) }]])

describe('checksums of a home', () => {
  it('are met by the texts and files that carry them, and by those of older software, which carry none', () => {
    fc.assert(fc.property(fc.json(), (json) => {
      expect(uncheckedText(checkedText(json))).to.equal(json)
      expect(JSON.parse(checkedText(json))).to.deep.equal(JSON.parse(json))
      expect(uncheckedText(json.trimEnd())).to.equal(json.trimEnd())
    }))
    requireChecksum(writeSafetensors(tensors, { round: '3' }))
  })

  it('are not met by a text whose last tab became another blank of JSON', () => {
    const text = [1, 2, 3, 4].map((each) => checkedText(`[${each}]`)).find((each) => each.endsWith('\t'))!
    expect(() => { uncheckedText(`${text.slice(0, -1)}\r`) }).to.throw(CorruptFileError)
    expect(uncheckedText('[1]\r\n'), 'without a sum').to.equal('[1]\r\n')
  })

  it('are not met by a text of which any byte was changed', () => {
    fc.assert(fc.property(fc.json(), fc.nat(), fc.integer({ min: 0, max: 7 }), (json, place, bit) => {
      const bytes = Buffer.from(checkedText(json))
      bytes[place % bytes.length]! ^= 1 << bit
      const read = (): unknown => JSON.parse(uncheckedText(bytes.toString('utf8')))
      expect(read).to.throw()
    }))
  })

  it('are not met by a file of which any byte was changed, but for the word that announces them', () => {
    const file = withChecksum([writeSafetensors(tensors, { round: '3', ...NO_CHECKSUM })])[0]!
    const label = Buffer.from(file).indexOf('"crc32":"')
    requireChecksum(file)
    for (let at = 8; at < file.length; at++) {
      if (at >= label && at < label + 9) continue
      const changed = Uint8Array.from(file)
      changed[at]! ^= 1
      expect(() => { requireChecksum(changed) }, `byte ${at}`).to.throw(CorruptFileError)
    }
  })

  it('tell a flipped byte among experts, where the ones before serve', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'consilium-'))
    const store = new PrivateStore(folder, 'f'.repeat(64))
    for (const round of [1, 2]) await store.save({ round, set: new PrivateSet(tensors) })
    const path = join(folder, 'experts.safetensors')
    const bytes = await readFile(path)
    bytes[bytes.length - 2]! ^= 1
    await writeFile(path, bytes)
    expect((await store.load())!.round).to.equal(1)
    expect(store.warnings).to.have.length(1)
    await rm(folder, { recursive: true })
  })
})
